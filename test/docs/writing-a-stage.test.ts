import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { temporaryFolder } from '../support/temporary-folder';

const root = path.resolve(__dirname, '../..');

test('the blocks of docs/writing-a-stage.md are one program that does what the page says', async () => {
  const page = readFileSync(path.join(root, 'docs/writing-a-stage.md'), 'utf8');
  const blocks = [...page.matchAll(/```js\n([\s\S]*?)```/g)].map((match) => match[1]);
  expect(blocks.length).toBeGreaterThanOrEqual(8);
  const folder = temporaryFolder();
  mkdirSync(path.join(folder, 'node_modules'));
  symlinkSync(root, path.join(folder, 'node_modules/feedrank'));
  const file = path.join(folder, 'page.js');
  writeFileSync(file, blocks.join('\n'));

  const { stdout, stderr } = await promisify(execFile)(process.execPath, [file]);

  expect(stderr).toBe('');
  const lines = stdout.trim().split('\n');
  // Age is log1p(hours); the reader has two minutes, and an essay takes 4000 / 230. By one author,
  // the essay comes after the vote and goes; sport is blocked, sales are never shown.
  const score = (hours: number, words: number) =>
    (-Math.log1p(hours) - Math.abs(words / 230 - 2) / 10).toFixed(2);
  expect(lines.slice().sort()).toEqual(
    [
      `vote ${score(1, 900)} (fresh)`,
      `recipe ${score(3, 450)} (fresh + editors-picks)`,
      'unknown ids: 1, degraded: 0',
      '5 items without slow: deadline',
    ].sort(),
  );
  const at = (start: string) => lines.findIndex((line) => line.startsWith(start));
  expect(at('vote')).toBeLessThan(at('recipe'));
});
