import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { temporaryFolder } from '../support/temporary-folder';

const root = path.resolve(__dirname, '../..');

/** The blocks of a page of docs/ in one language, in order. */
export function blocksOf(name: string, language: string): string[] {
  const page = readFileSync(path.join(root, 'docs', name), 'utf8');
  const blocks = page.matchAll(new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``, 'g'));
  return [...blocks].map((match) => match[1]!);
}

/**
 * Runs the JavaScript blocks of a page of docs/ as the one program that they are, where feedrank and
 * these `packages` are installed, in a folder that holds what the folder `files` holds.
 */
export async function runPage(
  name: string,
  packages: readonly string[] = [],
  files?: string,
): Promise<{ blocks: number; stdout: string; stderr: string }> {
  const blocks = blocksOf(name, 'js');
  const folder = temporaryFolder();
  if (files !== undefined) cpSync(files, folder, { recursive: true });
  mkdirSync(path.join(folder, 'node_modules'));
  symlinkSync(root, path.join(folder, 'node_modules/feedrank'));
  for (const one of packages) {
    symlinkSync(path.join(root, 'node_modules', one), path.join(folder, 'node_modules', one));
  }
  const file = path.join(folder, 'page.js');
  writeFileSync(file, blocks.join('\n'));
  return {
    blocks: blocks.length,
    ...(await promisify(execFile)(process.execPath, [file], { cwd: folder })),
  };
}
