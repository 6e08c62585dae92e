import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { temporaryFolder } from '../support/temporary-folder';

const root = path.resolve(__dirname, '../..');

/**
 * Runs the JavaScript blocks of a page of docs/ as the one program that they are, where feedrank and
 * these `packages` are installed.
 */
export async function runPage(
  name: string,
  packages: readonly string[] = [],
): Promise<{ blocks: number; stdout: string; stderr: string }> {
  const page = readFileSync(path.join(root, 'docs', name), 'utf8');
  const blocks = [...page.matchAll(/```js\n([\s\S]*?)```/g)].map((match) => match[1]);
  const folder = temporaryFolder();
  mkdirSync(path.join(folder, 'node_modules'));
  symlinkSync(root, path.join(folder, 'node_modules/feedrank'));
  for (const one of packages) {
    symlinkSync(path.join(root, 'node_modules', one), path.join(folder, 'node_modules', one));
  }
  const file = path.join(folder, 'page.js');
  writeFileSync(file, blocks.join('\n'));
  return { blocks: blocks.length, ...(await promisify(execFile)(process.execPath, [file])) };
}
