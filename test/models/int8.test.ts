import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import {
  Bundle,
  Catalog,
  Feed,
  Model,
  saveScriptedNetwork,
  type ModelLoadOptions,
  type Precision,
} from '../../src';
import { writeBundle } from '../../src/bundles/write-bundle';
import { rankerParts } from '../bundles/small-ranker';
import { expectRefusal } from '../support/errors';
import { Lcg } from '../support/random';
import { temporaryFolder } from '../support/temporary-folder';
import { unhurried } from '../support/world';

interface Network {
  readonly file: string;
  readonly inputs: number;
  load(precision: Precision): Promise<Model>;
}

/** A network with ReLU between its layers, as a file. */
async function network(widths: readonly number[], seed = 5): Promise<Network> {
  const file = path.join(temporaryFolder(), 'model.pt');
  const random = new Lcg(seed);
  const inputs = widths[0]!;
  const layers = widths.slice(1).map((outputs, l) => {
    const bound = Math.sqrt(6 / widths[l]!);
    const weights = random.floats(widths[l]! * outputs).map((w) => w * bound);
    return { inputs: widths[l]!, outputs, weights, bias: random.floats(outputs) };
  });
  const mean = new Float32Array(inputs);
  await saveScriptedNetwork({ mean, scale: mean.map(() => 1), layers }, file);
  const features = Array.from(mean, (_, f) => ({ name: `f${f}` }));
  const description = { formatVersion: 1, features };
  const options = (precision: Precision): ModelLoadOptions => ({
    allowUnverified: true,
    description,
    precision,
  });
  return { file, inputs, load: (precision) => Model.load(file, options(precision)) };
}

/** How far scores are off, as a part of how much they differ among rows, and of pairs, in how many. */
function distance(exact: Float32Array, close: Float32Array): { error: number; turned: number } {
  const mean = exact.reduce((sum, value) => sum + value, 0) / exact.length;
  const spread = Math.hypot(...exact.map((value) => value - mean));
  const off = Math.hypot(...exact.map((value, i) => value - close[i]!));
  const pairs = exact.subarray(1);
  const turned = pairs.filter((value, i) => (value - exact[i]!) * (close[i + 1]! - close[i]!) < 0);
  return { error: off / spread, turned: turned.length / pairs.length };
}

test.each([
  { widths: [24, 96, 48, 1] },
  { widths: [121, 128, 64, 1] },
  { widths: [128, 512, 256, 1] },
  { widths: [7, 33, 1] },
])('int8 moves the scores of $widths by hundredths, and their order hardly', async ({ widths }) => {
  const { inputs, load } = await network(widths);
  const [exact, close] = [await load('float32'), await load('int8')];
  expect(close.precision).toBe('int8');
  // Standardized and clamped, as features of a trained ranker are.
  const rows = new Lcg(6).floats(1000 * inputs).map((x) => x * 5);
  const { error, turned } = distance(await exact.score(rows), await close.score(rows));
  expect(error).toBeGreaterThan(1e-4);
  expect(error).toBeLessThan(0.03);
  expect(turned).toBeLessThan(0.02);
});

test('a row scores the same to the last bit in int8, whatever it is scored with', async () => {
  const { inputs: width, load } = await network([24, 96, 48, 1]);
  const model = await load('int8');
  const random = new Lcg(7);
  // Rows that reach differently far: a step that all shared would move those that reach less.
  const rows = random.floats(1500 * width);
  for (let row = 0; row < 1500; row += 1) {
    for (let f = 0; f < width; f += 1) rows[row * width + f]! *= 10 ** ((row % 7) - 3);
  }
  const all = await model.score(rows);
  for (const count of [1, 2, 50, 64, 129, 257, 700, 1400]) {
    const from = random.below(1500 - count);
    const part = await model.score(rows.subarray(from * width, (from + count) * width));
    expect([...part]).toEqual([...all.subarray(from, from + count)]);
  }
});

test('a score that is not finite is refused in int8 as in float32', async () => {
  const { inputs, load } = await network([8, 32, 1]);
  for (const precision of ['float32', 'int8'] as const) {
    const model = await load(precision);
    const rows = new Float32Array(3 * inputs).fill(0.5);
    rows[inputs + 2] = 3e38;
    rows[inputs + 3] = 3e38;
    await expectRefusal(() => model.score(rows), {
      code: 'MODEL_OUTPUT',
      argument: 'features',
      message: /row 1/,
    });
    await expect(model.score(new Float32Array(inputs))).resolves.toHaveLength(1);
  }
});

test('a bundle opens in int8, and a feed serves it so', async () => {
  const folder = path.join(temporaryFolder(), 'bundle');
  await writeBundle(folder, await rankerParts(), { createdAt: new Date() });
  await using bundle = await Bundle.open(folder, { precision: 'int8' });
  expect(bundle.ranker!.precision).toBe('int8');
  const catalog = await Catalog.create({ ids: 'string' });
  const feed = await Feed.create({
    catalog,
    bundle: folder,
    precision: 'int8',
    profile: unhurried,
  });
  await catalog.upsert([{ id: 'x', publishTime: 0 }]);
  expect((await feed.rerank({ now: 0 }, ['x'])).degraded).toEqual([]);
});

test('golden answers that int8 is too far from are refused, naming the precision', async () => {
  const { file, inputs, load } = await network([24, 96, 1]);
  const exact = await load('float32');
  const parts = await rankerParts();
  const features = Array.from({ length: inputs }, (_, f) => ({
    ...parts.ranker!.features[0]!,
    name: `f${f}`,
  }));
  const write = async (rows: Float32Array) => {
    const folder = path.join(temporaryFolder(), 'bundle');
    const outputs = Array.from(await exact.score(rows), (score) => [score]);
    const inputRows = outputs.map((_, r) => [...rows.subarray(r * inputs, (r + 1) * inputs)]);
    const ranker = {
      bytes: await readFile(file),
      features,
      heads: [{ name: 'click', weight: 1 }],
      golden: { inputs: inputRows, outputs },
    };
    await writeBundle(folder, { ...parts, ranker }, { createdAt: new Date() });
    return folder;
  };
  const rows = new Lcg(8).floats(16 * inputs);
  await using bundle = await Bundle.open(await write(rows), { precision: 'int8' });
  expect(bundle.ranker!.precision).toBe('int8');
  // One feature beyond all bounds leaves the others of its row no codes.
  for (let row = 0; row < 16; row += 1) rows[row * inputs] = 1e4;
  const folder = await write(rows);
  await using wide = await Bundle.open(folder);
  expect(wide.ranker!.precision).toBe('float32');
  await expectRefusal(() => Bundle.open(folder, { precision: 'int8' }), {
    code: 'BUNDLE_GOLDEN',
    argument: 'path',
    message: /in int8/,
  });
});

const root = path.resolve(__dirname, '../..');

/** Scores in a process of its own, whose oneDNN keeps to a processor's instructions. */
function scoreLimited(instructions: string, file: string, inputs: number): Promise<string> {
  const script = `
    const { Model } = require(${JSON.stringify(root)});
    const features = Array.from({ length: ${inputs} }, (_, f) => ({ name: 'f' + f }));
    const description = { formatVersion: 1, features };
    (async () => {
      const scores = {};
      for (const precision of ['float32', 'int8']) {
        const model = await Model.load(${JSON.stringify(file)}, { allowUnverified: true, description, precision });
        const rows = Array.from({ length: 300 * ${inputs} }, (_, i) => 5 + Math.sin(i));
        scores[precision] = [...await model.score(rows)];
      }
      process.stdout.write(JSON.stringify(scores));
    })();`;
  return new Promise((resolve, reject) => {
    const env = { ...process.env, NODE_OPTIONS: '', ONEDNN_MAX_CPU_ISA: instructions };
    const child = spawn(process.execPath, ['-e', script], { cwd: root, env });
    let out = '';
    let err = '';
    child.stdout.on('data', (data: Buffer) => (out += data.toString()));
    child.stderr.on('data', (data: Buffer) => (err += data.toString()));
    child.on('error', reject);
    child.on('close', (code) => (code === 0 ? resolve(out) : reject(new Error(err))));
  });
}

test.each(['AVX2', 'AVX512_CORE', 'AVX512_CORE_VNNI', 'DEFAULT'])(
  'no sum overflows where oneDNN keeps to %s',
  async (instructions) => {
    // Inputs that are all as great as they get, and weights of one sign: pairs of products of 8-bit
    // codes do not fit the 16 bits that processors without VNNI add them up in.
    const file = path.join(temporaryFolder(), 'model.pt');
    const inputs = 64;
    const weights = new Lcg(9).floats(inputs * 32).map((w) => 1 + w / 100);
    const out = { inputs: 32, outputs: 1, weights: new Float32Array(32).fill(0.01), bias: [0] };
    const first = { inputs, outputs: 32, weights, bias: new Float32Array(32) };
    const mean = new Float32Array(inputs);
    await saveScriptedNetwork({ mean, scale: mean.map(() => 1), layers: [first, out] }, file);
    const scores = JSON.parse(await scoreLimited(instructions, file, inputs)) as Record<
      'float32' | 'int8',
      number[]
    >;
    expect(scores.int8).toHaveLength(300);
    scores.int8.forEach((score, i) => {
      expect(Math.abs(score / scores.float32[i]! - 1)).toBeLessThan(0.005);
    });
  },
);
