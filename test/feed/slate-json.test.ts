import fc from 'fast-check';
import {
  decayedDot,
  Feed,
  fresh,
  nativeFeatures,
  seen,
  Slate,
  trending,
  weightedSum,
  type CandidateGenerator,
  type FeedOptions,
} from '../../src';
import { expectRefusal, untyped } from '../support/errors';
import { Lcg } from '../support/random';
import { hour, makeCatalog, makeItems, now, unhurried } from '../support/world';

const quality = nativeFeatures([{ name: 'quality', source: 'column', column: 'quality' }]);

/** Draws items at random, from the query's seed alone. */
function drawing(ids: readonly string[]): CandidateGenerator {
  return {
    name: 'drawn',
    generate: ({ seed }) => ({ ids: new Lcg(seed).shuffled(ids).slice(0, 8) }),
  };
}

test('the same query as of the same instant, seed and epoch gives the same bytes', async () => {
  let items = 0;
  let drawnOtherwise = 0;
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 2 ** 31 }), async (start) => {
      const random = new Lcg(start);
      const world = makeItems(random, 10 + random.below(60));
      const catalog = await makeCatalog(world);
      const options: FeedOptions = {
        catalog,
        generators: [
          decayedDot({ space: 'taste' }),
          trending(),
          fresh(),
          drawing(world.map(({ id }) => id)),
        ],
        filters: [seen()],
        enrichers: [quality],
        ranker: weightedSum({ quality: 1, clicks_3h: 0.3, age: -0.1 }),
        profile: { ...unhurried, quotas: { fresh: 5, trending: 5, 'decayed-dot': 5 } },
      };
      const feed = await Feed.create(options);
      await feed.record(
        world.slice(0, 12).map(({ id: itemId }) => ({
          type: random.pick(['click', 'impression', 'dwell']),
          userId: 'ann',
          itemId,
          at: now - random.below(hour),
          dwellMs: 500,
        })),
        { now },
      );
      const query = {
        userId: 'ann',
        userVector: { space: 'taste', values: random.floats(4) },
        now,
        seed: random.below(2 ** 32),
        explain: random.below(2) === 0,
      };
      const first = await feed.rank(query);
      const bytes = JSON.stringify(first);
      const again = await Promise.all([feed.rank(query), feed.rank(query), feed.rank(query)]);
      for (const slate of again) expect(JSON.stringify(slate)).toBe(bytes);
      // Another feed on the same state, as another thread has it, answers the same.
      const attached = await Feed.attach(feed.handle(), options);
      expect(JSON.stringify(await attached.rank(query))).toBe(bytes);
      const other = JSON.stringify(await feed.rank({ ...query, seed: query.seed + 1 }));
      if (other.replace(/"seed":\d+/, '') !== bytes.replace(/"seed":\d+/, '')) drawnOtherwise += 1;
      items += first.items.length;
      await catalog.upsert([{ ...world[0]!, columns: { quality: 99, length: 0 } }]);
      const later = await feed.rank(query);
      expect(later.epoch).toBeGreaterThan(first.epoch);
      expect(JSON.parse(JSON.stringify(later))).toMatchObject({ epoch: later.epoch });
      catalog.dispose();
    }),
    { numRuns: 40 },
  );
  expect(items).toBeGreaterThan(200);
  expect(drawnOtherwise).toBeGreaterThan(20);
});

describe('the shape of the JSON', () => {
  const world = makeItems(new Lcg(4), 12);
  let feed: Feed;

  beforeAll(async () => {
    feed = await Feed.create({
      catalog: await makeCatalog(world),
      generators: [fresh()],
      enrichers: [quality],
      ranker: weightedSum({ quality: 1 }),
      profile: { ...unhurried, name: 'front' },
    });
  });

  test('has its keys in a fixed order, and no timings', async () => {
    const slate = await feed.rank({ now, limit: 1, seed: -7, explain: true });
    expect(slate).toBeInstanceOf(Slate);
    const { id, score, explanation } = slate.items[0]!;
    const position = explanation!.sources[0]!.position;
    expect(JSON.stringify(slate)).toBe(
      `{"formatVersion":1,"epoch":${slate.epoch},"now":${now},"seed":-7,"profile":"front","degraded":[],` +
        `"items":[{"id":"${String(id)}","position":0,"score":${score},` +
        `"sources":[{"generator":"fresh","score":${slate.items[0]!.sources[0]!.score}}],` +
        `"terms":{"quality":${score}},` +
        `"explanation":{"sources":[{"generator":"fresh","score":${slate.items[0]!.sources[0]!.score},"position":${position}}],` +
        `"features":{"quality":${score}},"outputs":{},"penalties":{},` +
        `"positions":[{"stage":"merge","after":${position}},{"stage":"weighted-sum","before":${position},"after":0},` +
        `{"stage":"top-n","before":0,"after":0}]}}]}`,
    );
  });

  test('says what was left out', async () => {
    const failing = {
      name: 'failing',
      filter: () => {
        throw new Error('out of order');
      },
    };
    const broken = await Feed.create({
      catalog: feed.catalog,
      generators: [fresh()],
      filters: [failing],
      enrichers: [quality],
      ranker: weightedSum({ quality: 1 }),
      profile: unhurried,
    });
    const parsed: unknown = JSON.parse(JSON.stringify(await broken.rank({ now })));
    expect(parsed).toMatchObject({
      degraded: [{ stage: 'failing', reason: "stage 'failing' failed: out of order" }],
    });
  });

  test('the seed defaults to 0 and must be a safe integer', async () => {
    expect((await feed.rank({ now })).seed).toBe(0);
    expect((await feed.rank({ now, seed: Number.MAX_SAFE_INTEGER })).seed).toBe(2 ** 53 - 1);
    for (const seed of [0.5, 2 ** 53, NaN, Infinity, '1', 1n, null, {}]) {
      await expectRefusal(() => untyped(feed, 'rank', { now, seed }), {
        code: 'INVALID_ARGUMENT',
        argument: 'query.seed',
      });
    }
  });
});
