import { Feed, fresh, nativeFeatures, weightedSum, type Catalog, type FeedStages } from '../../src';
import { refusal } from '../support/errors';
import { Lcg } from '../support/random';
import { answerOf, makeCatalog, makeItems, now, unhurried } from '../support/world';

const items = makeItems(new Lcg(6), 20);
let catalog: Catalog;

beforeAll(async () => {
  catalog = await makeCatalog(items);
});

const native = { generators: [fresh()], ranker: weightedSum({ age: -1 }) };

/** A feed whose stage `own` answers with whatever it is given. */
function answering(kind: string, answer: unknown, failClosed: boolean): FeedStages {
  const own = { name: 'own', failClosed };
  const method = () => answer as never;
  switch (kind) {
    case 'generator':
      return { ...native, generators: [fresh(), { ...own, generate: method }] };
    case 'filter':
      return { ...native, filters: [{ ...own, filter: method }] };
    case 'enricher':
      return {
        ...native,
        enrichers: [{ ...own, features: ['a', 'b'], enrich: method }, nativeFeatures(['age'])],
      };
    case 'ranker':
      return { ...native, ranker: { ...own, rank: method } };
    default:
      return { ...native, selector: { ...own, select: method } };
  }
}

const n = items.length;
const detached = new Float32Array(2 * n);
structuredClone(detached.buffer, { transfer: [detached.buffer] });
const holes = (length: number) => Array.from({ length }, () => undefined);

/** [kind of stage, what is wrong, the answer, what the reason names] */
const wrongAnswers: [string, string, unknown, RegExp][] = [
  ['generator', 'nothing', undefined, /an object/],
  ['generator', 'ids that are no array', { ids: 'item-1' }, /ids: expected an array/],
  ['generator', 'ids of the other kind', { ids: ['item-1', 1] }, /ids\[1\]/],
  ['generator', 'a score of NaN', { ids: ['item-1'], scores: [NaN] }, /scores\[0\]/],
  ['generator', 'an infinite score', { ids: ['item-1'], scores: [-Infinity] }, /scores\[0\]/],
  ['generator', 'fewer scores than ids', { ids: ['item-1'], scores: [] }, /scores: expected one/],
  ['generator', 'scores that are strings', { ids: ['item-1'], scores: ['1'] }, /scores\[0\]/],
  ['filter', 'nothing', undefined, /filter: expected one entry for each of 20/],
  ['filter', 'null', null, /filter: expected one entry/],
  ['filter', 'too few', [true], /filter: expected one entry/],
  ['filter', 'too many', Array.from({ length: n + 1 }, () => true), /filter: expected one entry/],
  ['filter', 'holes', holes(n), /filter\[0\]/],
  ['filter', 'twos', Array.from({ length: n }, () => 2), /filter\[0\]/],
  ['filter', 'a string', 'x'.repeat(n), /filter\[0\]/],
  ['enricher', 'nothing', undefined, /features: expected/],
  ['enricher', 'one column of two', new Float32Array(n), /features: expected 40 values/],
  ['enricher', 'NaN', new Float32Array(2 * n).fill(NaN), /features\[0\]/],
  ['enricher', 'beyond float32', Array.from({ length: 2 * n }, () => 1e39), /features\[0\]/],
  ['enricher', 'a detached array', detached, /detached/],
  ['ranker', 'nothing', undefined, /an object/],
  ['ranker', 'scores alone', new Float64Array(n), /scores: expected one number for each/],
  ['ranker', 'NaN', { scores: new Float64Array(n).fill(NaN) }, /scores\[0\]/],
  ['ranker', 'an infinity', { scores: [Infinity, ...new Float64Array(n - 1)] }, /scores\[0\]/],
  ['ranker', 'too few', { scores: [1] }, /scores: expected one number for each/],
  ['ranker', 'too many', { scores: new Float64Array(n + 1) }, /scores: expected one number/],
  ['ranker', 'strings', { scores: Array.from({ length: n }, () => '1') }, /scores\[0\]/],
  [
    'ranker',
    'terms of another length',
    { scores: new Float64Array(n), terms: { a: [1] } },
    /terms\.a/,
  ],
  [
    'ranker',
    'a term of NaN',
    { scores: new Float64Array(n), terms: { a: new Float64Array(n).fill(NaN) } },
    /terms\.a\[0\]/,
  ],
  ['selector', 'nothing', undefined, /own/],
  ['selector', 'a position twice', [1, 2, 1], /distinct positions below 20/],
  ['selector', 'a position too high', [20], /distinct positions/],
  ['selector', 'a negative position', [-1], /distinct positions/],
  ['selector', 'half a position', [0.5], /distinct positions/],
  ['selector', 'ids', ['item-1'], /distinct positions/],
  ['selector', 'NaN', [NaN], /distinct positions/],
];

test.each(wrongAnswers)(
  'a %s that answers %s is left out or, failing closed, fails the request',
  async (kind, _, answer, reason) => {
    const plain = await Feed.create({ catalog, ...native, profile: unhurried });
    const open = await Feed.create({
      catalog,
      ...answering(kind, answer, false),
      profile: unhurried,
    });
    const slate = await open.rank({ now });
    expect(slate.degraded).toEqual([
      { stage: 'own', reason: expect.stringMatching(reason) as string },
    ]);
    if (kind !== 'ranker') expect(answerOf(slate)).toEqual(answerOf(await plain.rank({ now })));
    expect(new Set(slate.items.map((item) => item.id)).size).toBe(n);
    expect(slate.items.every((item) => Number.isFinite(item.score))).toBe(true);

    const closed = await Feed.create({
      catalog,
      ...answering(kind, answer, true),
      profile: unhurried,
    });
    const error = await refusal(() => closed.rank({ now }));
    expect(error).toMatchObject({ code: 'STAGE_FAILED', argument: 'own' });
    expect(error.message).toMatch(reason);
  },
);

test('ids that a generator gives twice or that nobody knows are dropped and the unknown ones counted', async () => {
  const ids = ['item-1', 'nobody', 'item-2', 'item-1', '', 'item-3'].filter(Boolean);
  const feed = await Feed.create({
    catalog,
    generators: [{ name: 'own', generate: () => ({ ids }) }],
    ranker: weightedSum({ age: -1 }),
    profile: unhurried,
  });
  const slate = await feed.rank({ now });
  expect(slate.items.map((item) => item.id).sort()).toEqual(['item-1', 'item-2', 'item-3']);
  expect(slate.trace.unknownIds).toBe(1);
  expect(slate.degraded).toEqual([]);
  // Without scores of its own, a generator's order counts: the first gets the highest.
  const sources = new Map(slate.items.map((item) => [item.id, item.sources[0]!.score]));
  expect([sources.get('item-1'), sources.get('item-2'), sources.get('item-3')]).toEqual([5, 3, 1]);
});

test('what a stage does to its batch, or to its own answer afterwards, reaches nobody', async () => {
  const plain = await Feed.create({
    catalog,
    generators: [fresh()],
    ranker: weightedSum({ age: -1 }),
    profile: unhurried,
  });
  const scores = new Float64Array(n).fill(5);
  const feed = await Feed.create({
    catalog,
    generators: [fresh()],
    filters: [
      {
        name: 'vandal',
        filter: (batch) => {
          const mine = batch as unknown as { ids: unknown[]; publishTimes: Float64Array };
          const kept = batch.ids.map(() => true);
          mine.ids.reverse();
          mine.publishTimes.fill(0);
          return kept;
        },
      },
    ],
    ranker: weightedSum({ age: -1 }),
    profile: unhurried,
  });
  const slate = await feed.rank({ now });
  scores.fill(NaN);
  expect(answerOf(slate)).toEqual(answerOf(await plain.rank({ now })));
});

test('a stage may use the feed and the catalog that call it', async () => {
  let inner: unknown;
  const own = await makeCatalog(items);
  const feed: Feed = await Feed.create({
    catalog: own,
    generators: [fresh()],
    filters: [
      {
        name: 're-entrant',
        filter: async (batch, context) => {
          if (context.context['depth'] === 0) {
            await own.upsert([{ id: 'new', publishTime: now }]);
            inner = answerOf(await feed.rank({ now, context: { depth: 1 } }));
            feed.setProfile({ ...unhurried, limit: 1 });
          }
          return batch.ids.map(() => true);
        },
      },
    ],
    ranker: weightedSum({ age: -1 }),
    profile: unhurried,
  });
  const outer = await feed.rank({ now, context: { depth: 0 } });
  // The request that was under way sees the state and the settings that it began with.
  expect(outer.items).toHaveLength(n);
  expect(inner).toHaveLength(n + 1);
  expect((await feed.rank({ now })).items).toHaveLength(1);
});
