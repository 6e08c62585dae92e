import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { Catalog, Feed, Model, torchScript, type ModelLoadOptions } from '../../src';
import { readArchive } from '../../src/archives/read-archive';
import { expectRefusal } from '../support/errors';
import { runPython, testWithPython } from '../support/python-torch';
import { temporaryFolder } from '../support/temporary-folder';
import { unhurried } from '../support/world';
import { zipArchive } from '../support/zip-archive';

const fixtures = path.resolve(__dirname, '../fixtures');
const allowed = { allowUnverified: true, allowNativeCode: true } as const;
const features = Array.from({ length: 6 }, (_, f) => ({
  name: `f${f}`,
  source: 'column',
  column: `c${f}`,
}));
const description = { formatVersion: 1, features, heads: [{ name: 'click' }, { name: 'dwell' }] };

function packageOf(bytes: Uint8Array): string {
  const file = path.join(temporaryFolder(), 'ranker.pt2');
  fs.writeFileSync(file, bytes);
  return file;
}

test.each<[string, ModelLoadOptions, RegExp]>([
  ['nothing', {}, /allowUnverified: true/],
  ['native code alone', { allowNativeCode: true }, /allowUnverified: true/],
  ['no native code', { allowUnverified: true }, /allowNativeCode: true/],
  ['native code by a word', { ...allowed, allowNativeCode: 'yes' as never }, /allowNativeCode/],
])('a package is not even read where %s is allowed', async (_, options, message) => {
  await expectRefusal(() => Model.load('nowhere.pt2', { ...options, description }), {
    code: 'MODEL_UNVERIFIED',
    argument: 'path',
    message,
  });
});

test('a package has a precision of its own', async () => {
  for (const precision of ['float32', 'bfloat16'] as const) {
    await expectRefusal(() => Model.load('nowhere.pt2', { ...allowed, description, precision }), {
      code: 'INVALID_ARGUMENT',
      argument: 'precision',
    });
  }
});

test('a package that is missing, damaged or something else is refused', async () => {
  await expectRefusal(() => Model.load('nowhere.pt2', { ...allowed, description }), {
    code: 'MODEL_NOT_FOUND',
    argument: 'path',
  });
  const torchScriptFile = fs.readFileSync(path.join(fixtures, 'torchscript/single/model.pt'));
  for (const bytes of [
    Buffer.alloc(0),
    Buffer.alloc(3000, 'x'),
    torchScriptFile.subarray(0, 2000),
    torchScriptFile,
  ]) {
    await expectRefusal(() => Model.load(packageOf(bytes), { ...allowed, description }), {
      code: 'MODEL_CORRUPT',
      argument: 'path',
    });
  }
});

const hasCompiler = spawnSync('c++', ['--version']).status === 0;
const testWithCompiler = hasCompiler
  ? testWithPython
  : (name: string) => test.skip(`${name} (needs c++)`, () => undefined);

testWithCompiler(
  'a package that the export script made scores as the module did, alone and in a feed',
  async (python) => {
    const folder = temporaryFolder();
    runPython(python, [path.join(fixtures, 'make_package.py'), folder]);
    const file = path.join(folder, 'ranker.pt2');
    const { rows, scores } = JSON.parse(
      fs.readFileSync(path.join(folder, 'scores.json'), 'utf8'),
    ) as { rows: number[]; scores: number[] };
    const model = await Model.load(file, { ...allowed, description });
    expect(model.heads).toEqual(['click', 'dwell']);
    const close = (answer: Float32Array, expected: readonly number[]) => {
      expect(answer).toHaveLength(expected.length);
      expect(Math.max(...expected.map((value, i) => Math.abs(value - answer[i]!)))).toBeLessThan(
        1e-5,
      );
    };
    close(await model.score(rows), scores);
    for (const count of [1, 63, 64, 65, 200]) {
      close(await model.score(rows.slice(0, count * 6)), scores.slice(0, count * 2));
    }
    const answers = await Promise.all(Array.from({ length: 12 }, () => model.score(rows)));
    for (const answer of answers) close(answer, scores);

    const columns = features.map(({ column }) => column);
    const catalog = await Catalog.create({ ids: 'integer', columns });
    await catalog.upsert([
      { id: 1, publishTime: 0, columns: Object.fromEntries(columns.map((c, f) => [c, rows[f]!])) },
    ]);
    const feed = await Feed.create({ catalog, ranker: torchScript(model), profile: unhurried });
    const [item] = (await feed.rerank({ now: 0 }, [1])).items;
    expect(item!.score).toBeCloseTo(scores[0]! + scores[1]!, 4);

    const fewer = { formatVersion: 1, features: features.slice(1) };
    await expectRefusal(() => Model.load(file, { ...allowed, description: fewer }), {
      code: 'MODEL_SHAPE',
      argument: 'features',
      message: /lists 5.*exported for 6/,
    });
    const bytes = fs.readFileSync(file);
    for (const [from, to] of [
      ['"dynamic"', '"64"'],
      [/"feedrank_torch": "[\d.]+"/, '"feedrank_torch": "1.9.0"'],
      ['"cpu"', '"cuda"'],
    ] as const) {
      const entries = await readArchive(bytes, { argument: 'path', file });
      const changed = [...entries].map(([name, data]) => ({
        name: `ranker/${name}`,
        data: name.endsWith('metadata.json')
          ? Buffer.from(data.toString('utf8').replace(from, to))
          : data,
      }));
      const other = packageOf(zipArchive(changed));
      await expectRefusal(() => Model.load(other, { ...allowed, description }), {
        code: 'MODEL_REFUSED',
        argument: 'path',
      });
    }
  },
  120_000,
);
