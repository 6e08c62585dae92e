import {
  decayedDot,
  decayedDotRanker,
  Feed,
  fresh,
  setDefaults,
  weightedSum,
  type Catalog,
  type FeedOptions,
  type Query,
  type Slate,
} from '../../src';
import { expectRefusal } from '../support/errors';
import { Lcg } from '../support/random';
import { answerOf, dimensions, makeCatalog, makeItems, now, unhurried } from '../support/world';
import { sumBundle } from './smaller-bundle';

const count = 2000;
const random = new Lcg(21);
const items = makeItems(random, count);
const userVector = { space: 'taste', values: random.floats(dimensions) };
let catalog: Catalog;
let large: string;
let small: string;

beforeAll(async () => {
  catalog = await makeCatalog(items);
  large = await sumBundle({ quality: 1, age: -1 }, 510);
  small = await sumBundle({ length: 1, age: 0.5 });
});

const common = () => ({ catalog, generators: [decayedDot({ space: 'taste' }), fresh()] });
const everything = { ...unhurried, maxCandidates: count };

/** A feed that knows what its stages cost, and how long its own ranker takes for all candidates. */
async function taught(options: Partial<FeedOptions>, query: Query) {
  const feed = await Feed.create({ ...common(), bundle: large, ...options } as FeedOptions);
  const spent: number[] = [];
  for (let i = 0; i < 12; i++) {
    const { trace } = await feed.rank(query);
    spent.push(trace.stages.find((stage) => stage.kind === 'ranker')!.ms);
  }
  return { feed, ms: spent.sort((a, b) => a - b)[6]! };
}

/** The first answer of many in which the tier took part: a busy machine may skip ranking at times. */
async function answerOfTier(
  ask: () => Promise<Slate>,
  holds: (slate: Slate) => boolean,
): Promise<Slate> {
  for (let i = 0; i < 200; i++) {
    const slate = await ask();
    if (holds(slate)) return slate;
  }
  throw new Error('no answer of 200 had the tier');
}

/** Half of the candidates are worth ranking, so that there is no way to rank them all in full. */
const limit = count / 4;

test('a smaller bundle takes over where the budget does not fit the ranker', async () => {
  const query = { now, userVector, limit };
  const { feed, ms } = await taught(
    { bundles: { small }, profile: { ...everything, smallerBundle: 'small' } },
    query,
  );
  const slate = await answerOfTier(
    () => feed.rank({ ...query, budgetMs: ms * 0.4 }),
    ({ trace }) => trace.budget.tier === 'smaller' && trace.budget.ranked === count,
  );
  const alone = await Feed.create({ ...common(), bundle: small, profile: everything });
  expect(answerOf(slate)).toEqual(answerOf(await alone.rank(query)));
  expect(slate.degraded).toEqual([{ stage: 'torchscript', reason: 'budget: smaller bundle' }]);
  expect(slate.trace.budget).toMatchObject({ budgetMs: ms * 0.4, percentile: 99 });
  // With time enough the feed's own ranker is back at once, with nothing left behind.
  const full = await feed.rank({ ...query, explain: true });
  expect(full.degraded).toEqual([]);
  expect(full.trace.budget).toMatchObject({ tier: 'full', ranked: count, candidates: count });
  expect(Object.keys(full.items[0]!.explanation!.features)).toEqual(['quality', 'age']);
});

test('what a smaller bundle reads is explained, and nothing else', async () => {
  const query = { now, userVector, limit };
  const { feed, ms } = await taught(
    { bundles: { small }, profile: { ...everything, smallerBundle: 'small' } },
    query,
  );
  const slate = await answerOfTier(
    () => feed.rank({ ...query, explain: true, budgetMs: ms * 0.4 }),
    ({ trace }) => trace.budget.tier === 'smaller',
  );
  const [first] = slate.items;
  const item = items.find(({ id }) => id === first!.id)!;
  const { features } = first!.explanation!;
  expect(Object.keys(features).sort()).toEqual(['age', 'length']);
  expect(features['length']).toBe(Math.fround(item.columns.length));
});

test('decayed dot products rank where no bundle fits', async () => {
  const query = { now, userVector, limit };
  const { feed, ms } = await taught({ profile: everything }, query);
  const slate = await answerOfTier(
    () => feed.rank({ ...query, budgetMs: ms * 0.4 }),
    ({ trace }) => trace.budget.tier === 'decayed-dot' && trace.budget.ranked === count,
  );
  const ranker = decayedDotRanker({ space: 'taste' });
  const alone = await Feed.create({ ...common(), ranker, profile: everything });
  expect(answerOf(slate)).toEqual(answerOf(await alone.rank(query)));
  expect(slate.degraded).toEqual([
    { stage: 'features', reason: 'budget' },
    { stage: 'torchscript', reason: 'budget: decayed dot' },
  ]);
});

test('the first of the merged candidates are ranked where there is no time for all', async () => {
  const query = { now, userVector, limit: 10 };
  const { feed, ms } = await taught({ profile: everything }, query);
  const slate = await answerOfTier(
    () => feed.rank({ ...query, budgetMs: ms * 0.8 }),
    ({ trace }) => trace.budget.tier === 'full' && trace.budget.ranked < count,
  );
  const { ranked } = slate.trace.budget;
  expect(ranked).toBeGreaterThanOrEqual(count / 4);
  expect(slate.degraded).toEqual([{ stage: 'torchscript', reason: 'budget: fewer ranked' }]);
  const first = await Feed.create({
    ...common(),
    bundle: large,
    profile: {
      ...everything,
      quotas: { 'decayed-dot': count, fresh: count },
      maxCandidates: ranked,
    },
  });
  expect(answerOf(slate)).toEqual(answerOf(await first.rank(query)));
});

test('a given list is ordered whole, by whatever tier', async () => {
  const query = { now, userVector };
  const { feed, ms } = await taught({ profile: everything }, { ...query, limit });
  const ids = items.map(({ id }) => id);
  for (let i = 0; i < 12; i++) await feed.rerank(query, ids);
  const slate = await answerOfTier(
    () => feed.rerank({ ...query, budgetMs: ms * 0.5 }, ids),
    ({ trace }) => trace.budget.tier === 'decayed-dot',
  );
  expect(slate.items).toHaveLength(count);
});

test('with time enough, answers do not depend on the budget, to the byte', async () => {
  const make = (profile: object) =>
    Feed.create({ ...common(), bundle: large, bundles: { small }, profile });
  const plain = await make({ ...everything, budgetMs: 1e9 });
  const named = await make({ ...everything, smallerBundle: 'small', budgetPercentile: 60 });
  for (let i = 0; i < 8; i++) {
    const query = { now: now + i, userVector, seed: i };
    const asked = [
      plain.rank(query),
      plain.rank({ ...query, budgetMs: Infinity }),
      named.rank(query),
    ];
    const [one, two, three] = (await Promise.all(asked)).map((slate) => JSON.stringify(slate));
    expect(two).toBe(one);
    expect(three).toBe(one);
  }
});

describe('settings', () => {
  const ranker = weightedSum({ age: -1 });
  const budgetOf = async (feed: Feed, query: Query = {}) => {
    const { budgetMs, percentile } = (await feed.rank({ now, ...query })).trace.budget;
    return { budgetMs, percentile };
  };

  test('hold as request over profile over process, and change while the feed runs', async () => {
    const feed = await Feed.create({
      ...common(),
      ranker,
      profiles: [{ name: 'own', budgetMs: 7000, budgetPercentile: 90 }],
    });
    try {
      expect(await budgetOf(feed)).toEqual({ budgetMs: 30, percentile: 99 });
      expect(setDefaults({ budgetMs: 5000 })).toEqual({ budgetMs: 5000, budgetPercentile: 99 });
      expect(await budgetOf(feed)).toEqual({ budgetMs: 5000, percentile: 99 });
      expect(setDefaults({ budgetPercentile: 95 })).toEqual({
        budgetMs: 5000,
        budgetPercentile: 95,
      });
      expect(await budgetOf(feed)).toEqual({ budgetMs: 5000, percentile: 95 });
      expect(await budgetOf(feed, { profile: 'own' })).toEqual({ budgetMs: 7000, percentile: 90 });
      expect(
        await budgetOf(feed, { profile: 'own', budgetMs: 9000, budgetPercentile: 50 }),
      ).toEqual({ budgetMs: 9000, percentile: 50 });
      feed.setProfile({ budgetMs: 4000 });
      expect(await budgetOf(feed)).toEqual({ budgetMs: 4000, percentile: 95 });
    } finally {
      setDefaults({ budgetMs: 30, budgetPercentile: 99 });
    }
  });

  test.each<[string, object, string]>([
    ['no budget', { budgetMs: 0 }, 'defaults.budgetMs'],
    ['a budget of NaN', { budgetMs: NaN }, 'defaults.budgetMs'],
    ['a percentile of 100', { budgetPercentile: 100 }, 'defaults.budgetPercentile'],
    ['a percentile below 50', { budgetPercentile: 49 }, 'defaults.budgetPercentile'],
    ['another setting', { limit: 5 }, 'defaults.limit'],
  ])('of the process are refused: %s', async (_, defaults, argument) => {
    await expectRefusal(() => setDefaults(defaults), { code: 'INVALID_ARGUMENT', argument });
    expect(setDefaults({})).toEqual({ budgetMs: 30, budgetPercentile: 99 });
  });

  test('a percentile that is none is refused where it is given', async () => {
    const feed = await Feed.create({ ...common(), ranker });
    await expectRefusal(() => feed.rank({ now, budgetPercentile: 100 }), {
      code: 'INVALID_ARGUMENT',
      argument: 'query.budgetPercentile',
    });
    await expectRefusal(() => feed.rank({ now, profile: { budgetPercentile: 20 } }), {
      code: 'INVALID_ARGUMENT',
      argument: 'query.profile.budgetPercentile',
    });
  });

  test('a smaller bundle is known when a profile is defined', async () => {
    const profile = { smallerBundle: 'smal' };
    const where = 'profile.smallerBundle';
    const make = (options: object) =>
      Feed.create({ ...common(), ranker, bundles: { small }, ...options });
    await expectRefusal(() => make({ profile }), { code: 'UNKNOWN_BUNDLE', argument: where });
    await expectRefusal(() => make({ profiles: [{ name: 'home', ...profile }] }), {
      code: 'UNKNOWN_BUNDLE',
      argument: where,
    });
    const feed = await make({ profile: { smallerBundle: 'small' } });
    await expectRefusal(() => feed.setProfile(profile), {
      code: 'UNKNOWN_BUNDLE',
      argument: where,
    });
    await expectRefusal(() => feed.rank({ now, profile }), {
      code: 'UNKNOWN_BUNDLE',
      argument: where,
    });
    await expectRefusal(() => Feed.create({ ...common(), ranker, profile }), {
      ...{ code: 'UNKNOWN_BUNDLE', argument: where },
      message: /none/,
    });
  });

  test('bundles that are none are refused', async () => {
    const make = (bundles: unknown) => Feed.create({ ...common(), ranker, bundles } as FeedOptions);
    await expectRefusal(() => make({ small: 5 }), {
      code: 'INVALID_ARGUMENT',
      argument: 'bundles.small',
    });
    await expectRefusal(() => make([small]), { code: 'INVALID_ARGUMENT', argument: 'bundles' });
    await expectRefusal(() => make({ small: '/no/such/bundle' }), { code: 'BUNDLE_NOT_FOUND' });
  });
});
