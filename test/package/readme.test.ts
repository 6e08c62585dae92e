import { execFile } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { readmeExamples, slateProblem } from '../install/consumer.js';
import { temporaryFolder } from '../support/temporary-folder';

const root = path.resolve(__dirname, '../..');

describe('the examples of the README', () => {
  const folder = temporaryFolder();
  mkdirSync(path.join(folder, 'node_modules'));
  symlinkSync(root, path.join(folder, 'node_modules/feedrank'));
  const examples = readmeExamples();

  async function run(example: string): Promise<string> {
    const file = path.join(folder, 'example.js');
    writeFileSync(file, example);
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [file]);
    expect(stderr).toBe('');
    return stdout;
  }

  it('begin with one of 12 lines at most that prints a slate as the README shows it', async () => {
    expect(examples.first.trim().split('\n').length).toBeLessThanOrEqual(12);
    const printed = await run(examples.first);
    const names = [...printed.matchAll(/^ {4}(\w+):/gm)].map((match) => match[1]);
    const ofOne = ['id', 'position', 'score', 'sources', 'terms'];
    expect(names).toEqual([...ofOne, ...ofOne]);
    expect([...printed.matchAll(/id: '(\w+)'/g)].map((match) => match[1])).toEqual([
      'final',
      'budget',
    ]);
  });

  it('run as they stand and print a slate with reasons', async () => {
    const printed = await run(examples.longer);
    expect(slateProblem(printed)).toBeUndefined();
    expect(printed).toContain('ctr_12h');
  });
});
