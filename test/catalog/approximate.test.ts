import {
  Catalog,
  decayedDot,
  decayedDotRanker,
  Feed,
  type Item,
  type RankProfile,
} from '../../src';
import { expectRefusal } from '../support/errors';
import { Lcg } from '../support/random';
import { unhurried } from '../support/world';

const now = Date.UTC(2026, 0, 15, 12);
const hour = 3_600_000;
const dimensions = 4;
/** One batch of so many becomes one segment, large enough for inverted lists. */
const count = 132_000;

const vectorOf = (random: Lcg) =>
  Array.from({ length: dimensions }, () => (random.below(2001) - 1000) / 1000);

function items(): Item[] {
  const random = new Lcg(1);
  return Array.from({ length: count }, (_, id) => ({
    id,
    publishTime: now - random.below(48) * hour,
    embeddings: { taste: vectorOf(random), other: [id % 7] },
  }));
}

let catalog: Catalog;

beforeAll(async () => {
  catalog = await Catalog.create({
    ids: 'integer',
    spaces: { taste: { dimensions, index: 'approximate' }, other: { dimensions: 1 } },
  });
  await catalog.upsert(items());
  await catalog.whenClustered();
});

const vectors = (() => {
  const random = new Lcg(2);
  return Array.from({ length: 8 }, () => vectorOf(random)).flat();
})();
const options = { space: 'taste', vectors, k: 100, tauMs: 24 * hour, now };

test('full effort finds what exact retrieval finds', async () => {
  const exact = await catalog.retrieve(options);
  const approximate = { ...options, retrieval: 'approximate' as const };
  expect(await catalog.retrieve({ ...approximate, retrievalEffort: 1 })).toEqual(exact);
  // Less effort is not the same thing, or the test would say nothing.
  expect(await catalog.retrieve({ ...approximate, retrievalEffort: 0 })).not.toEqual(exact);
});

test('measures the recall that retrieve has', async () => {
  const exact = await catalog.retrieve(options);
  for (const retrievalEffort of [0, undefined, 1]) {
    const effort = retrievalEffort === undefined ? {} : { retrievalEffort };
    const found = await catalog.retrieve({ ...options, ...effort, retrieval: 'approximate' });
    const hits = exact.map(({ ids }, q) => ids.filter((id) => found[q]!.ids.includes(id)).length);
    const measured = await catalog.measureRecall({ ...options, ...effort });
    expect(measured.recall).toBeCloseTo(hits.reduce((a, b) => a + b) / (8 * options.k), 12);
    expect(measured.listed).toBe(1);
    expect(measured.exactMs).toBeGreaterThan(0);
    expect(measured.approximateMs).toBeGreaterThan(0);
    if (retrievalEffort === undefined) expect(measured.recall).toBeGreaterThanOrEqual(0.95);
  }
});

test('what is written is found at once, and what is removed is not', async () => {
  const best = async () => {
    const [found] = await catalog.retrieve({
      ...options,
      vectors: [1, 1, 1, 1],
      k: 1,
      retrieval: 'approximate',
    });
    return found!.ids[0];
  };
  const before = await best();
  const embeddings = { taste: [9, 9, 9, 9] };
  await catalog.upsert([{ id: 10 * count, publishTime: now, embeddings }]);
  expect(await best()).toBe(10 * count);
  await catalog.remove([10 * count]);
  expect(await best()).toBe(before);
});

test.each([
  ['an unknown way', { retrieval: 'quick' }, 'retrieval'],
  ['too much effort', { retrieval: 'approximate', retrievalEffort: 2 }, 'retrievalEffort'],
  ['effort of NaN', { retrieval: 'approximate', retrievalEffort: NaN }, 'retrievalEffort'],
  ['a space without lists', { space: 'other', retrieval: 'approximate' }, 'retrieval'],
  ['another device', { device: 'cuda', retrieval: 'approximate' }, 'retrieval'],
])('refuses %s', async (_, wrong, argument) => {
  await expectRefusal(() => catalog.retrieve({ ...options, ...wrong } as never), {
    code: 'INVALID_ARGUMENT',
    argument,
  });
});

test('refuses to measure where there is nothing to compare, or to create an unknown index', async () => {
  await expectRefusal(() => catalog.measureRecall({ ...options, space: 'other' }), {
    code: 'INVALID_ARGUMENT',
    argument: 'retrieval',
  });
  const create = () =>
    Catalog.create({
      ids: 'integer',
      spaces: { taste: { dimensions, index: 'graph' as never } },
    });
  await expectRefusal(create, { code: 'INVALID_ARGUMENT', argument: 'spaces.taste.index' });
});

test('a profile chooses, and requests that retrieve together get the answers of each', async () => {
  const make = (space: string, profiles: RankProfile[], profile: RankProfile = {}) =>
    Feed.create({
      catalog,
      generators: [decayedDot({ space })],
      ranker: decayedDotRanker({ space }),
      profiles,
      profile: { ...unhurried, tauMs: 24 * hour, maxCandidates: 100, limit: 100, ...profile },
    });
  await expectRefusal(() => make('other', [], { retrieval: 'approximate' }), {
    code: 'INVALID_ARGUMENT',
    argument: 'profile.retrieval',
  });
  const low: RankProfile = {
    name: 'low',
    extends: 'default',
    retrieval: 'approximate',
    retrievalEffort: 0,
  };
  const feed = await make('taste', [low]);
  const query = (q: number, profile: string) => ({
    now,
    userVector: { space: 'taste', values: vectors.slice(q * dimensions, (q + 1) * dimensions) },
    profile,
  });
  const expected = {
    default: await catalog.retrieve(options),
    low: await catalog.retrieve({ ...options, retrieval: 'approximate', retrievalEffort: 0 }),
  };
  const asked = Array.from({ length: 8 }, (_, q) => [q, q % 2 ? 'low' : 'default'] as const);
  const slates = await Promise.all(asked.map(([q, profile]) => feed.rank(query(q, profile))));
  for (const [q, profile] of asked) {
    expect(slates[q]!.items.map(({ id }) => id)).toEqual(expected[profile][q]!.ids);
    const generator = slates[q]!.trace.stages.find(({ kind }) => kind === 'generator');
    expect(generator!.notes).toEqual(profile === 'low' ? ['approximate retrieval, effort 0'] : []);
  }
});
