import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { describe } from '@jest/globals';

const root = process.env['FEEDRANK_DATA'];

/** A folder of FEEDRANK_DATA, `undefined` where there is none. */
function folderOf(name: string): string | undefined {
  return root !== undefined && existsSync(join(root, name)) ? join(root, name) : undefined;
}

/** Describes what needs real data in a folder of this name; without it, skips and says so. */
export function describeWithData(
  folderName: string,
  name: string,
  body: (folder: string) => void,
): void {
  const folder = folderOf(folderName);
  if (folder === undefined) {
    const reason = `skipped: FEEDRANK_DATA names no folder with ${folderName}/ in it`;
    describe.skip(`${name} (${reason})`, () => body(''));
  } else {
    describe(name, () => body(folder));
  }
}

/** Describes what needs EB-NeRD; without it, skips and says so. */
export function describeWithEbnerd(name: string, body: (folder: string) => void): void {
  describeWithData('ebnerd', name, body);
}
