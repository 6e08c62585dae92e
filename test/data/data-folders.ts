import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { describe } from '@jest/globals';

const root = process.env['FEEDRANK_DATA'];

/** EB-NeRD's folder, `undefined` where there is none. */
export const ebnerdFolder =
  root !== undefined && existsSync(join(root, 'ebnerd')) ? join(root, 'ebnerd') : undefined;

/** Describes what needs EB-NeRD; without it, skips and says so. */
export function describeWithEbnerd(name: string, body: (folder: string) => void): void {
  if (ebnerdFolder === undefined) {
    describe.skip(`${name} (skipped: FEEDRANK_DATA names no folder with ebnerd/ in it)`, () => {
      body('');
    });
  } else {
    const folder = ebnerdFolder;
    describe(name, () => body(folder));
  }
}
