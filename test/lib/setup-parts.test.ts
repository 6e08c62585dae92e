import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { contentHash, readStamp, writeStamp } from '../../lib/content-stamp.js';
import { withDirectoryLock } from '../../lib/directory-lock.js';

const root = path.resolve(__dirname, '../..');
let folder: string;

beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'feedrank-setup-'));
});

afterEach(() => {
  fs.rmSync(folder, { recursive: true });
});

describe('check-tools', () => {
  const problems = (bin: string): string[] => {
    const script = `
      const tools = require(${JSON.stringify(path.join(root, 'lib/check-tools.js'))});
      console.log(JSON.stringify([...tools.compileTools().problems, ...tools.fetchProblems()]));`;
    const env = { ...process.env, NODE_OPTIONS: '', PATH: bin, CXX: '' };
    const result = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8', env });
    return JSON.parse(result.stdout) as string[];
  };

  it('names each missing tool in one line with the command that installs it', () => {
    const lines = problems(folder);
    expect(lines).toHaveLength(4);
    for (const [line, tool] of lines.map((text, i) => [
      text,
      ['g++', 'cmake', 'make', 'python3'][i],
    ])) {
      expect(line).toMatch(/^[^\n]+apt-get install [^\n]+$/);
      expect(line).toContain(tool);
    }
  });

  it('tells a tool that is too old from one that is missing', () => {
    const script = '#!/bin/sh\necho cmake version 3.18.4\n';
    fs.writeFileSync(path.join(folder, 'cmake'), script, { mode: 0o755 });
    expect(problems(folder).join('\n')).toContain(
      'cmake 3.20 or later is needed, and this is 3.18.4',
    );
  });
});

describe('content stamps', () => {
  it('follow the content and the names of files, and not their times', () => {
    fs.mkdirSync(path.join(folder, 'src'));
    fs.writeFileSync(path.join(folder, 'src/a'), 'one');
    const first = contentHash(folder, ['src', 'missing']);
    fs.utimesSync(path.join(folder, 'src/a'), 1, 1);
    expect(contentHash(folder, ['src', 'missing'])).toBe(first);
    fs.renameSync(path.join(folder, 'src/a'), path.join(folder, 'src/b'));
    expect(contentHash(folder, ['src', 'missing'])).not.toBe(first);
    expect(contentHash(folder, ['src'], ['extra'])).not.toBe(contentHash(folder, ['src']));
  });

  it('are read as they were written', () => {
    const file = path.join(folder, 'new/stamp');
    expect(readStamp(file)).toBeUndefined();
    writeStamp(file, 'abc');
    expect(readStamp(file)).toBe('abc');
  });
});

describe('withDirectoryLock', () => {
  it('lets one action in at a time', async () => {
    const lock = path.join(folder, 'lock');
    let inside = 0;
    let waits = 0;
    const action = async (): Promise<void> => {
      inside += 1;
      expect(inside).toBe(1);
      await new Promise((resolve) => setTimeout(resolve, 20));
      inside -= 1;
    };
    const options = { onWait: () => (waits += 1) };
    await Promise.all([1, 2, 3].map(() => withDirectoryLock(lock, action, options)));
    expect(waits).toBe(2);
    expect(fs.existsSync(lock)).toBe(false);
  });

  it('is given up when the action fails', async () => {
    const lock = path.join(folder, 'lock');
    const failing = withDirectoryLock(lock, () => Promise.reject(new Error('no')));
    await expect(failing).rejects.toThrow('no');
    expect(fs.existsSync(lock)).toBe(false);
  });

  it('takes over a lock that was left behind', async () => {
    const lock = path.join(folder, 'lock');
    fs.mkdirSync(lock);
    fs.utimesSync(lock, 1, 1);
    await expect(withDirectoryLock(lock, () => Promise.resolve('done'))).resolves.toBe('done');
  });
});
