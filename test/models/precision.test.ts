import path from 'node:path';
import {
  Bundle,
  Catalog,
  Feed,
  Model,
  saveScriptedNetwork,
  type BundleOpenOptions,
  type Precision,
} from '../../src';
import { writeBundle } from '../../src/bundles/write-bundle';
import { rankerParts } from '../bundles/small-ranker';
import { expectRefusal, untyped } from '../support/errors';
import { testWithBfloat16, testWithoutBfloat16 } from '../support/processor';
import { Lcg } from '../support/random';
import { temporaryFolder } from '../support/temporary-folder';
import { unhurried } from '../support/world';

const widths = [24, 96, 48, 2];

/** A network whose scores are of the size of 1, as a file. */
async function network(): Promise<(precision: Precision) => Promise<Model>> {
  const file = path.join(temporaryFolder(), 'model.pt');
  const random = new Lcg(5);
  const layers = widths.slice(1).map((outputs, l) => {
    const inputs = widths[l]!;
    const weights = random.floats(inputs * outputs).map((w) => w * Math.sqrt(6 / inputs));
    return { inputs, outputs, weights, bias: random.floats(outputs) };
  });
  const mean = new Float32Array(widths[0]!);
  await saveScriptedNetwork({ mean, scale: mean.map(() => 1), layers }, file);
  const features = Array.from(mean, (_, f) => ({ name: `f${f}` }));
  const description = { formatVersion: 1, features };
  return (precision) => Model.load(file, { allowUnverified: true, description, precision });
}

testWithBfloat16(
  'bfloat16 moves scores by a hundredth of how much they differ, and hardly their order',
  async () => {
    const load = await network();
    const [exact, close] = [await load('float32'), await load('bfloat16')];
    expect([exact.precision, close.precision]).toEqual(['float32', 'bfloat16']);
    const rows = new Lcg(6).floats(600 * widths[0]!);
    const expected = await exact.score(rows);
    const scores = await close.score(rows);
    const column = (values: Float32Array, head: number) =>
      Array.from({ length: 600 }, (_, row) => values[row * 2 + head]!);
    for (const head of [0, 1]) {
      const [a, b] = [column(expected, head), column(scores, head)];
      const mean = a.reduce((sum, value) => sum + value, 0) / a.length;
      const spread = Math.hypot(...a.map((value) => value - mean));
      const error = Math.hypot(...a.map((value, i) => value - b[i]!));
      expect(error).toBeGreaterThan(0);
      expect(error / spread).toBeLessThan(0.01);
      const pairs = a.slice(1).map((value, i) => Math.sign(value - a[i]!) * (b[i + 1]! - b[i]!));
      expect(pairs.filter((agrees) => agrees <= 0).length).toBeLessThan(12);
    }
  },
);

testWithBfloat16('a row scores the same to the last bit in bfloat16 too', async () => {
  const model = await (await network())('bfloat16');
  const random = new Lcg(7);
  const width = widths[0]!;
  const rows = random.floats(1500 * width);
  const all = await model.score(rows);
  for (const count of [1, 50, 64, 129, 257, 700, 1400]) {
    const from = random.below(1500 - count);
    const part = await model.score(rows.subarray(from * width, (from + count) * width));
    expect([...part]).toEqual([...all.subarray(from * 2, (from + count) * 2)]);
  }
});

testWithBfloat16('a bundle opens in bfloat16, and a feed serves it so', async () => {
  const folder = path.join(temporaryFolder(), 'bundle');
  const parts = await rankerParts();
  await writeBundle(folder, parts, { createdAt: new Date() });
  await using bundle = await Bundle.open(folder, { precision: 'bfloat16' });
  expect(bundle.ranker!.precision).toBe('bfloat16');
  const catalog = await Catalog.create({ ids: 'string' });
  const feed = await Feed.create({
    catalog,
    bundle: folder,
    precision: 'bfloat16',
    profile: unhurried,
  });
  await catalog.upsert([{ id: 'x', publishTime: 0 }]);
  expect((await feed.rerank({ now: 0 }, ['x'])).degraded).toEqual([]);
});

testWithoutBfloat16('bfloat16 is refused where the processor lacks it', async () => {
  const load = await network();
  await expectRefusal(() => load('bfloat16'), {
    code: 'PRECISION_UNAVAILABLE',
    argument: 'precision',
    message: /avx512_bf16/,
  });
});

test.each(['float16', 'bf16', 'INT8', 'uint8', '', null, 8, 32, {}, ['int8']])(
  'a precision of %p is refused',
  async (value) => {
    const precision = value as Precision;
    const refused = {
      code: 'INVALID_ARGUMENT',
      argument: 'precision',
      message: /'bfloat16' or 'int8'/,
    } as const;
    const load = await network();
    await expectRefusal(() => load(precision), refused);
    const folder = path.join(temporaryFolder(), 'bundle');
    await writeBundle(folder, await rankerParts(), { createdAt: new Date() });
    await expectRefusal(() => Bundle.open(folder, { precision }), refused);
    const catalog = await Catalog.create({ ids: 'string' });
    await expectRefusal(() => Feed.create({ catalog, bundle: folder, precision }), refused);
  },
);

test('options of Bundle.open are an object, and a precision needs a bundle to open', async () => {
  const folder = path.join(temporaryFolder(), 'bundle');
  await writeBundle(folder, await rankerParts(), { createdAt: new Date() });
  for (const options of [null, 5, 'bfloat16']) {
    await expectRefusal(() => Bundle.open(folder, options as BundleOpenOptions), {
      code: 'INVALID_ARGUMENT',
      argument: 'options',
    });
  }
  const catalog = await Catalog.create({ ids: 'string' });
  const bundle = await Bundle.open(folder);
  const refused = { code: 'INVALID_ARGUMENT', argument: 'precision' } as const;
  const options = { catalog, bundle, precision: 'float32' };
  await expectRefusal(() => untyped(Feed, 'create', options), refused);
});
