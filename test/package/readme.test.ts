import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const root = path.resolve(__dirname, '../..');

describe('the example of the README', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'feedrank-readme-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('runs as it stands and prints a slate with reasons', async () => {
    const readme = readFileSync(path.join(root, 'README.md'), 'utf8');
    const example = /```js\n([\s\S]*?)```/.exec(readme)?.[1];
    expect(example).toContain("require('feedrank')");
    mkdirSync(path.join(folder, 'node_modules'));
    symlinkSync(root, path.join(folder, 'node_modules/feedrank'));
    const file = path.join(folder, 'example.js');
    writeFileSync(file, example ?? '');

    const { stdout, stderr } = await promisify(execFile)(process.execPath, [file]);

    expect(stderr).toBe('');
    const ids = [...stdout.matchAll(/^(budget|final|vote) /gm)].map((match) => match[1]);
    expect([...ids].sort()).toEqual(['budget', 'final', 'vote']);
    expect(stdout).toContain('decayed-dot');
    expect(stdout).toContain('ctr_12h');
  });
});
