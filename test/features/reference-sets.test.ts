import {
  builtInFeatures,
  Catalog,
  Feed,
  nativeFeatures,
  weightedSum,
  type FeatureDefinition,
  type FeedSettings,
  type FeedStages,
} from '../../src';
import { expectRefusal } from '../support/errors';
import { hour, unhurried } from '../support/world';

const now = Date.UTC(2026, 0, 15, 12, 1);
const minute = 60_000;

async function makeFeed(options: Partial<FeedSettings & FeedStages> = {}) {
  const catalog = await Catalog.create({ ids: 'string', columns: ['quality'] });
  await catalog.upsert(
    [1, 2, 6].map((quality, i) => ({
      id: 'abc'[i]!,
      publishTime: now - hour,
      columns: { quality },
    })),
  );
  const ranker = weightedSum({ age: 1 });
  return Feed.create({ catalog, ranker, profile: unhurried, ...options });
}

const qualityIn = (reference: 'pool' | 'list'): FeatureDefinition => ({
  name: `quality_vs_${reference}`,
  source: 'column',
  column: 'quality',
  reference,
});

const shown = (itemId: string, at: number) => ({ type: 'impression', userId: 'u', itemId, at });

test('rank refuses a feature that is relative to the list, and rerank has it', async () => {
  const feed = await makeFeed({
    enrichers: [nativeFeatures([qualityIn('list')])],
    ranker: weightedSum({ quality_vs_list: 1 }),
  });
  await expectRefusal(() => feed.rank({ now }), {
    code: 'INVALID_ARGUMENT',
    argument: 'features',
    message: /shown list/,
  });
  // Over 1 and 6 the mean is 3.5 and the deviation 2.5.
  const slate = await feed.rerank({ now }, ['a', 'unknown', 'c']);
  expect(slate.items.map(({ id, score }) => [id, score])).toEqual([
    ['c', 1],
    ['a', -1],
  ]);
});

test('a list of one, and a list of equals, is 0 everywhere', async () => {
  const feed = await makeFeed();
  const one = await feed.assemble({ now }, ['c'], [qualityIn('list'), 'age_vs_list']);
  expect([...one.values]).toEqual([0, 0]);
  const equals = await feed.assemble({ now }, ['a', 'b', 'c'], ['age_vs_list']);
  expect([...equals.values]).toEqual([0, 0, 0]);
});

test('the pool is what was shown in the window, as of the last grid instant', async () => {
  const feed = await makeFeed({ poolWindowMs: hour, poolGridMs: 5 * minute });
  const read = async (at: number) =>
    [...(await feed.assemble({ now: at }, ['a', 'b', 'c'], [qualityIn('pool')])).values].map(
      (value) => Math.round(value * 1e6) / 1e6,
    );
  expect(await read(now)).toEqual([0, 0, 0]);
  await feed.record([shown('a', now), shown('b', now)], { now });
  // Event time has not passed the next instant.
  expect(await read(now + minute)).toEqual([0, 0, 0]);
  expect(await read(now + 4 * minute)).toEqual([-1, 1, 9]);
  // A request was ahead; this batch still belongs to the same instant.
  await feed.record([shown('c', now + minute)], { now: now + minute });
  const all = [-0.92582, -0.46291, 1.38873];
  expect(await read(now + 4 * minute)).toEqual(all);
  await feed.record([], { now: now + 10 * minute });
  // A request from before gets the pool of its own instant while that is held.
  expect(await read(now + 10 * minute)).toEqual(all);
  expect(await read(now + 5 * minute)).toEqual(all);
  expect(await read(now + hour + 5 * minute)).toEqual([0, 0, 0]);
});

test('a removed item leaves the pool when it is frozen next', async () => {
  const feed = await makeFeed();
  await feed.assemble({ now }, ['a'], [qualityIn('pool')]);
  await feed.record(
    ['a', 'b', 'c'].map((id) => shown(id, now)),
    { now },
  );
  await feed.catalog.remove(['c']);
  const left = await feed.assemble({ now: now + hour }, ['a', 'b'], [qualityIn('pool')]);
  expect([...left.values]).toEqual([-1, 1]);
});

test.each<[FeatureDefinition, string]>([
  [{ name: 'x', source: 'context', key: 'hour', reference: 'pool' }, 'reference'],
  [{ name: 'x', source: 'dot', space: 's', reference: 'pool' }, 'reference'],
  [{ name: 'x', source: 'co-read-sum', reference: 'pool' }, 'reference'],
  [
    {
      name: 'x',
      source: 'segment-clicks',
      segment: 'device',
      halfLifeMs: 2 * hour,
      reference: 'pool',
    },
    'reference',
  ],
  [{ name: 'x', source: 'age', reference: 'catalog' as 'pool' }, 'reference'],
  [{ name: 'x', source: 'trend', halfLifeMs: 3 * hour }, 'longerHalfLifeMs'],
  [{ name: 'x', source: 'trend', halfLifeMs: hour / 2, longerHalfLifeMs: 5 }, 'longerHalfLifeMs'],
  [{ name: 'x', source: 'hide-rate', halfLifeMs: 2 * hour }, 'halfLifeMs'],
  [{ name: 'x', source: 'segment-clicks', segment: 'device', halfLifeMs: 3 * hour }, 'halfLifeMs'],
  [{ name: 'x', source: 'toString' as 'age' }, 'source'],
])('refuses %j', async (definition, field) => {
  const feed = await makeFeed({ segments: { device: ['desktop'] } });
  await expectRefusal(() => feed.assemble({ now }, ['a'], [definition]), {
    code: 'INVALID_ARGUMENT',
    argument: `features[0].${field}`,
  });
});

test('refuses segments and columns that there are not, and odd options', async () => {
  const feed = await makeFeed();
  const segment: FeatureDefinition = {
    name: 'x',
    source: 'segment-clicks',
    segment: '__proto__',
    halfLifeMs: 2 * hour,
  };
  await expectRefusal(() => feed.assemble({ now }, ['a'], [segment]), { code: 'UNKNOWN_SEGMENT' });
  const column: FeatureDefinition = {
    name: 'x',
    source: 'dwell-against-expected',
    column: 'seconds',
    halfLifeMs: 3 * hour,
  };
  await expectRefusal(() => feed.assemble({ now }, ['a'], [column]), { code: 'UNKNOWN_COLUMN' });
  await expectRefusal(() => makeFeed({ poolGridMs: 10 }), {
    code: 'INVALID_ARGUMENT',
    argument: 'poolGridMs',
  });
  await expectRefusal(() => makeFeed({ poolWindowMs: NaN }), {
    code: 'INVALID_ARGUMENT',
    argument: 'poolWindowMs',
  });
});

test('every name that a feed knows is served under it, and only once', async () => {
  const segments = { device: ['desktop', 'mobile'] };
  const feed = await makeFeed({ segments });
  const names = builtInFeatures([hour / 2, 3 * hour, 12 * hour, 48 * hour], { segments }).map(
    ({ name }) => name,
  );
  expect(new Set(names).size).toBe(names.length);
  const found = await feed.assemble({ now }, ['a'], names);
  expect(found.names).toEqual(names);
  expect(found.values.every(Number.isFinite)).toBe(true);
  for (const halfLivesMs of [[hour], [hour, hour]]) {
    expect(builtInFeatures(halfLivesMs).some(({ source }) => source === 'trend')).toBe(false);
  }
});
