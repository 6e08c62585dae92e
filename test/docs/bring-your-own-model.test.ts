import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { testWithPython } from '../support/python-torch';
import { temporaryFolder } from '../support/temporary-folder';
import { blocksOf, runPage } from './run-page';

const page = 'bring-your-own-model.md';
/** What the page's Python file wrote, with PyTorch 2.13.0 (CPU). */
const exported = path.resolve(__dirname, '../fixtures/own-model');

async function expectPageRuns(files: string): Promise<void> {
  const { blocks, stdout, stderr } = await runPage(page, [], files);
  expect(blocks).toBe(6);
  expect(stderr).toBe('');
  expect(stdout.trim().split('\n')).toEqual([
    'click, dwell',
    'as in Python: true',
    'MODEL_UNVERIFIED',
    'MODEL_CORRUPT',
    'MODEL_SHAPE',
    'MODEL_SHAPE',
    'final, vote',
    'clicks_3h, ctr_12h, age, words true',
    'int8 near Python: true',
    'then: final',
  ]);
}

test('the JavaScript blocks of docs/bring-your-own-model.md take a model from Python to a feed', () =>
  expectPageRuns(exported));

testWithPython('so they do with what the Python block of the page writes', async (python) => {
  const blocks = blocksOf(page, 'python');
  expect(blocks).toHaveLength(1);
  const folder = temporaryFolder();
  writeFileSync(path.join(folder, 'export.py'), blocks[0]!);
  const { status, stderr } = spawnSync(python, ['-W', 'ignore', 'export.py'], {
    cwd: folder,
    encoding: 'utf8',
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  await expectPageRuns(folder);
});
