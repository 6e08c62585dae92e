import fs from 'node:fs';
import path from 'node:path';
import {
  Catalog,
  Feed,
  fresh,
  Model,
  nativeFeatures,
  saveScriptedNetwork,
  torchScript,
  type Item,
} from '../../src';
import { expectRefusal } from '../support/errors';
import { Lcg } from '../support/random';
import { temporaryFolder } from '../support/temporary-folder';
import { unhurried } from '../support/world';

const fixtures = path.resolve(__dirname, '../fixtures/torchscript');
const features = 6;
const now = Date.UTC(2026, 0, 15, 12);

/** The rows that `make_torchscript_fixture.py` scored. */
function fixtureRows(): Float32Array {
  const random = new Lcg(20260115);
  return random.floats(1000 * features).map((value) => value * 4);
}

/** What Python's PyTorch answered: 1,000 rows of one value a head. */
function pythonScores(name: string): Float32Array {
  const bytes = fs.readFileSync(path.join(fixtures, name, 'scores.f32'));
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
}

const load = (name: string) =>
  Model.load(path.join(fixtures, name, 'model.pt'), { allowUnverified: true });

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a).toHaveLength(b.length);
  let largest = 0;
  for (let i = 0; i < a.length; i++) {
    // Written so that NaN counts as a difference.
    if (!(Math.abs(a[i]! - b[i]!) <= largest)) largest = Math.abs(a[i]! - b[i]!);
  }
  return largest;
}

/** A catalog whose columns c0 … c5 are the fixture's rows. */
async function catalogOfRows(): Promise<{ catalog: Catalog; ids: number[] }> {
  const columns = Array.from({ length: features }, (_, f) => `c${f}`);
  const catalog = await Catalog.create({ ids: 'integer', columns });
  const rows = fixtureRows();
  const ids = Array.from({ length: rows.length / features }, (_, i) => i);
  await catalog.upsert(
    ids.map((id): Item => ({
      id,
      publishTime: now,
      columns: Object.fromEntries(columns.map((name, f) => [name, rows[id * features + f]!])),
    })),
  );
  return { catalog, ids };
}

test.each([
  ['single', ['score']],
  ['heads', ['click', 'dwell', 'hide']],
  ['named', ['click', 'share']],
])("model '%s' scores 1,000 rows as Python's PyTorch does", async (name, heads) => {
  const model = await load(name);
  expect(model.heads).toEqual(heads);
  const scores = await model.score(fixtureRows());
  expect(largestDifference(scores, pythonScores(name))).toBeLessThanOrEqual(1e-5);
});

test.each([
  ['single', [1]],
  ['heads', [1, 0.25, -2]],
  ['named', [3, 1]],
])(
  "a feed reranks by model '%s' with the scores that Python gives, from columns of the catalog",
  async (name, weights) => {
    const model = await load(name);
    const { catalog, ids } = await catalogOfRows();
    const feed = await Feed.create({ catalog, ranker: torchScript(model), profile: unhurried });
    const slate = await feed.rerank({ now }, ids);
    expect(slate.degraded).toEqual([]);
    expect(slate.trace.nativeCalls).toBe(1);
    const python = pythonScores(name);
    const expected = ids.map((id) =>
      weights.reduce((sum, weight, h) => sum + weight * python[id * weights.length + h]!, 0),
    );
    const answered = new Map(slate.items.map((item) => [item.id, item]));
    expect(
      largestDifference(
        ids.map((id) => answered.get(id)!.score),
        expected,
      ),
    ).toBeLessThanOrEqual(1e-5);
    for (const item of slate.items) {
      expect(Object.keys(item.terms)).toEqual(model.heads);
      const sum = Object.values(item.terms).reduce((a, b) => a + b, 0);
      expect(sum).toBeCloseTo(item.score, 10);
    }
    const order = slate.items.map((item) => item.score);
    expect(order).toEqual([...order].sort((a, b) => b - a));
  },
);

test('a row scores the same to the last bit alone, in any batch, at any place', async () => {
  const model = await load('single');
  const rows = fixtureRows();
  const all = await model.score(rows);
  const { catalog, ids } = await catalogOfRows();
  const feed = await Feed.create({ catalog, ranker: torchScript(model), profile: unhurried });
  const random = new Lcg(9);
  for (let round = 0; round < 25; round++) {
    const chosen = random.shuffled(ids).slice(0, 1 + random.below([1, 70, 300, 900][round % 4]!));
    const part = Float32Array.from(
      chosen.flatMap((id) => [...rows.subarray(id * features, (id + 1) * features)]),
    );
    const scores = await model.score(part);
    expect([...scores]).toEqual(chosen.map((id) => all[id]!));
    const slate = await feed.rerank({ now }, chosen);
    const byId = new Map(slate.items.map((item) => [item.id, item.score]));
    expect(chosen.map((id) => byId.get(id)!)).toEqual([...scores]);
  }
});

test("a request's head weights go over the profile's, and those over the model's own", async () => {
  const model = await load('heads');
  const { catalog, ids } = await catalogOfRows();
  const feed = await Feed.create({
    catalog,
    ranker: torchScript(model),
    profile: { ...unhurried, headWeights: { dwell: 4 } },
  });
  const python = pythonScores('heads');
  const scoreOf = async (id: number, profile?: object) =>
    (await feed.rerank({ now, ...(profile && { profile }) }, [id])).items[0]!.score;
  const [click, dwell, hide] = python.subarray(3 * 5, 3 * 6) as unknown as [number, number, number];
  expect(ids).toContain(5);
  expect(await scoreOf(5)).toBeCloseTo(click + 4 * dwell - 2 * hide, 5);
  expect(await scoreOf(5, { headWeights: { hide: 0 } })).toBeCloseTo(click + 4 * dwell, 5);
  const refused = { code: 'INVALID_ARGUMENT', argument: 'profile.headWeights.like' } as const;
  await expectRefusal(() => scoreOf(5, { headWeights: { like: 1 } }), refused);
  await expectRefusal(() => feed.setProfile({ headWeights: { like: 1 } }), refused);
  expect(await scoreOf(5)).toBeCloseTo(click + 4 * dwell - 2 * hide, 5);
});

test('features of a native and of an own enricher reach the model in the order that it lists', async () => {
  const model = await load('single');
  const { catalog, ids } = await catalogOfRows();
  const rows = fixtureRows();
  const description = {
    formatVersion: 1,
    features: model.description.features.map(({ name }) => ({ name })),
  };
  const again = await Model.load(model.path, { allowUnverified: true, description });
  const feed = await Feed.create({
    catalog,
    enrichers: [
      {
        name: 'own',
        features: ['f4', 'f1'],
        enrich: (batch) =>
          batch.ids.flatMap((id) => [4, 1].map((f) => rows[(id as number) * features + f]!)),
      },
      nativeFeatures(
        [5, 3, 2, 0].map((f) => ({ name: `f${f}`, source: 'column', column: `c${f}` }) as const),
      ),
    ],
    ranker: torchScript(again),
    profile: unhurried,
  });
  const slate = await feed.rerank({ now }, ids);
  expect(slate.degraded).toEqual([]);
  const byId = new Map(slate.items.map((item) => [item.id, item.score]));
  const difference = largestDifference(
    ids.map((id) => byId.get(id)!),
    pythonScores('single'),
  );
  expect(difference).toBeLessThanOrEqual(1e-5);
});

test('a model that answers NaN for some item is left out of that answer, or fails it closed, and serves on', async () => {
  const model = await load('far-off');
  const { catalog } = await catalogOfRows();
  const columns = (c0: number) => ({ c0, c1: 0, c2: 0, c3: 0, c4: 0, c5: 0 });
  await catalog.upsert([{ id: 5000, publishTime: now, columns: columns(100) }]);
  const open = await Feed.create({
    catalog,
    generators: [fresh()],
    ranker: torchScript(model),
    profile: { ...unhurried, maxCandidates: 2000, limit: 5 },
  });
  const slate = await open.rank({ now });
  expect(slate.degraded).toEqual([
    { stage: 'torchscript', reason: expect.stringMatching(/^MODEL_OUTPUT: .*NaN.*5000/) as string },
  ]);
  expect(slate.items.map((item) => item.score)).toEqual([1, 1 / 2, 1 / 3, 1 / 4, 1 / 5]);
  const closed = await Feed.create({
    catalog,
    generators: [fresh()],
    ranker: torchScript(model, { failClosed: true }),
    profile: { ...unhurried, maxCandidates: 2000 },
  });
  await expectRefusal(() => closed.rank({ now }), { code: 'MODEL_OUTPUT', message: /5000/ });
  await catalog.remove([5000]);
  expect((await closed.rank({ now })).degraded).toEqual([]);
  expect((await open.rank({ now })).degraded).toEqual([]);
});

test('a network built and saved here scores as its formula says, after loading', async () => {
  const file = path.join(temporaryFolder(), 'model.pt');
  const random = new Lcg(12);
  const network = {
    mean: random.floats(3),
    scale: random.floats(3),
    layers: [
      { inputs: 3, outputs: 5, weights: random.floats(15), bias: random.floats(5) },
      { inputs: 5, outputs: 2, weights: random.floats(10), bias: random.floats(2) },
    ],
  };
  await saveScriptedNetwork(network, file);
  const description = { formatVersion: 1, features: [{ name: 'a' }, { name: 'b' }, { name: 'c' }] };
  const model = await Model.load(file, { allowUnverified: true, description });
  expect(model.heads).toEqual(['head0', 'head1']);
  const row = random.floats(3);
  let x = row.map((value, f) => (value - network.mean[f]!) * network.scale[f]!);
  network.layers.forEach(({ inputs, outputs, weights, bias }, l) => {
    x = Float32Array.from({ length: outputs }, (_, o) => {
      let sum = bias[o]!;
      for (let i = 0; i < inputs; i++) sum += weights[o * inputs + i]! * x[i]!;
      return l === 0 ? Math.max(0, sum) : sum;
    });
  });
  expect(largestDifference(await model.score(row), x)).toBeLessThanOrEqual(1e-6);
});

test('many scorings at once, on every native thread, agree', async () => {
  const model = await load('single');
  const rows = fixtureRows();
  const expected = await model.score(rows);
  const all = await Promise.all(Array.from({ length: 24 }, () => model.score(rows)));
  for (const scores of all) expect([...scores]).toEqual([...expected]);
});
