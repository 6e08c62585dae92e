import fs from 'node:fs';
import path from 'node:path';
import { Model } from '../../src';
import { runPython, testWithPython } from '../support/python-torch';
import { temporaryFolder } from '../support/temporary-folder';

const fixtures = path.resolve(__dirname, '../fixtures');

/** Loads every file of a folder, and compares its scores with Python's. */
async function expectAsInPython(folder: string): Promise<string[]> {
  const { rows, scores } = JSON.parse(
    fs.readFileSync(path.join(folder, 'scores.json'), 'utf8'),
  ) as { rows: number[]; scores: Record<string, number[]> };
  const description = {
    formatVersion: 1,
    features: Array.from({ length: 8 }, (_, f) => ({ name: `f${f}` })),
  };
  for (const [name, expected] of Object.entries(scores)) {
    const file = path.join(folder, `${name}.pt`);
    await using model = await Model.load(file, { allowUnverified: true, description });
    const got = [...(await model.score(rows))];
    expect({ name, scores: got.length }).toEqual({ name, scores: expected.length });
    const largest = Math.max(...got.map((score, i) => Math.abs(score - expected[i]!)));
    expect({ name, close: largest <= 1e-5 }).toEqual({ name, close: true });
  }
  return Object.keys(scores);
}

test('networks that Python exported are accepted, and score as they do in Python', async () => {
  const names = await expectAsInPython(path.join(fixtures, 'torchscript/networks'));
  expect(names).toHaveLength(4);
});

testWithPython('so are all usual networks, exported in every way', async (python) => {
  const folder = temporaryFolder();
  runPython(python, [path.join(fixtures, 'make_ranker_archives.py'), folder]);
  const names = await expectAsInPython(folder);
  expect(names).toHaveLength(40);
});
