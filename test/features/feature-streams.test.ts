import {
  builtInFeatures,
  Catalog,
  Feed,
  weightedSum,
  type AssembledFeatures,
  type FeatureDefinition,
  type FeedEvent,
  type FeedSettings,
  type FeedStages,
} from '../../src';
import { Lcg } from '../support/random';
import { hour } from '../support/world';
import { FeatureOracle } from './feature-oracle';
import { expectClose } from './expect-close';

const minute = 60_000;
const start = Date.UTC(2026, 0, 15, 11, 58, 20);
const segments = { device: ['desktop', 'mobile'], surface: ['front', 'article'] };
const halfLivesMs = [hour / 2, 3 * hour, 12 * hour, 48 * hour];

const declared: FeatureDefinition[] = [
  { name: 'quality', source: 'column', column: 'quality', missing: 0.25 },
  { name: 'quality_vs_pool', source: 'column', column: 'quality', reference: 'pool' },
  { name: 'hour', source: 'context', key: 'hour' },
  { name: 'dwells', source: 'dwells', halfLifeMs: 3 * hour, reference: 'list' },
  {
    name: 'dwell_vs_column',
    source: 'dwell-against-expected',
    column: 'seconds',
    halfLifeMs: 12 * hour,
    missing: -2,
  },
  {
    name: 'ctr_2h_device_vs_list',
    source: 'segment-click-through-rate',
    segment: 'device',
    halfLifeMs: 2 * hour,
    reference: 'list',
  },
  { name: 'co_read_sum_vs_list', source: 'co-read-sum', reference: 'list' },
];
const definitions = [...builtInFeatures(halfLivesMs, { segments }), ...declared];

async function makeFeed(options: Partial<FeedSettings & FeedStages> = {}) {
  const catalog = await Catalog.create({ ids: 'string', columns: ['quality', 'seconds'] });
  const feed = await Feed.create({
    catalog,
    ranker: weightedSum({ clicks_3h_vs_pool: 1 }),
    segments,
    ...options,
  });
  return { catalog, feed };
}

function randomItem(random: Lcg, id: string, now: number) {
  return {
    id,
    // Some are published in the future, some at one time.
    publishTime: now - random.below(5) * hour + hour,
    columns: {
      ...(random.below(4) > 0 ? { quality: random.signed() } : {}),
      ...(random.below(4) > 0 ? { seconds: random.below(3) * 40 } : {}),
    },
  };
}

function randomEvent(random: Lcg, ids: readonly string[], now: number): FeedEvent {
  const type = random.pick([
    ...Array<string>(6).fill('impression'),
    ...['click', 'click', 'dwell', 'dwell', 'hide', 'report', 'read', 'share'],
  ]);
  return {
    type,
    userId: `user-${random.below(5)}`,
    itemId: random.pick(ids),
    // On a grid of minutes, so that ties are common; some late, too late, and in the future.
    at: now + (random.below(24) - 18) * minute,
    ...(type === 'dwell' || type === 'read' ? { dwellMs: random.below(200_000) } : {}),
    ...(type === 'dwell' && random.below(2) > 0 ? { scrollPercentage: random.below(101) } : {}),
    ...(type === 'click' && random.below(2) > 0 ? { fromItemId: random.pick(ids) } : {}),
    segments: {
      ...(random.below(4) > 0 ? { device: random.pick(segments.device) } : {}),
      ...(random.below(4) > 0 ? { surface: random.pick(segments.surface) } : {}),
    },
  };
}

test.each([1, 2, 3, 4])(
  'every feature is what a sum over all events says, on random stream %i',
  async (seed) => {
    const random = new Lcg(seed);
    const latenessMs = 15 * minute;
    const { catalog, feed } = await makeFeed({ latenessMs });
    const oracle = new FeatureOracle(latenessMs);
    const ids: string[] = Array.from({ length: 12 }, (_, i) => `item-${i}`);
    const upsert = async (items: ReturnType<typeof randomItem>[]) => {
      await catalog.upsert(items);
      oracle.upsert(items);
    };
    await upsert(ids.map((id) => randomItem(random, id, start)));
    let now = start;
    for (let round = 0; round < 40; round++) {
      now += random.pick([0, 1, 20_000, 2 * minute, 7 * minute, 3 * hour]);
      const events = Array.from({ length: random.below(30) }, () =>
        randomEvent(random, [...ids, 'unknown'], now),
      );
      const { recorded } = await feed.record(
        events.filter(({ at }) => Number(at) <= now + 6 * minute),
        { now },
      );
      expect(recorded).toBe(oracle.record(events, now));
      if (random.below(8) === 0) {
        const id = random.pick(ids);
        await catalog.remove([id]);
        oracle.remove(id);
        await upsert([randomItem(random, id, now)]);
      }
      if (random.below(8) === 0) await upsert([randomItem(random, random.pick(ids), now)]);
      if (random.below(3) > 0) continue;
      const query = {
        now: now + random.pick([0, 1, minute]),
        userId: `user-${random.below(6)}`,
        ...(random.below(3) > 0 ? { currentItemId: random.pick([...ids, 'unknown']) } : {}),
        segments: random.pick([{}, { device: 'mobile' }, { device: 'desktop', surface: 'front' }]),
        context: random.pick([{}, { hour: 7 }]),
      };
      const list = random.shuffled(ids).slice(0, 1 + random.below(ids.length));
      const found = await feed.assemble(query, list, definitions);
      expectClose(found, oracle.values(query, list, definitions), definitions);
    }
  },
);

test('a feature is the same bits whatever else is asked for, and in any order of the list', async () => {
  const random = new Lcg(11);
  const { catalog, feed } = await makeFeed();
  const ids = Array.from({ length: 20 }, (_, i) => `item-${i}`);
  await catalog.upsert(ids.map((id) => randomItem(random, id, start)));
  await feed.record(
    Array.from({ length: 2000 }, () => ({ ...randomEvent(random, ids, start), at: start })),
    { now: start },
  );
  const query = { now: start + hour, userId: 'user-1', currentItemId: 'item-3' };
  const all = await feed.assemble(query, ids, definitions);
  for (const [f, definition] of definitions.entries()) {
    const shuffled = random.shuffled(ids);
    const alone = await feed.assemble(query, shuffled, [definition]);
    shuffled.forEach((id, i) =>
      expect(alone.values[i]).toBe(all.values[ids.indexOf(id) * definitions.length + f]),
    );
  }
});

/** Feeds one stream in batches of a size, in another order of rows, with requests in between. */
async function play(
  order: (ids: readonly string[]) => readonly string[],
  batch: number,
  interleaved: boolean,
): Promise<AssembledFeatures[]> {
  const random = new Lcg(5);
  const { catalog, feed } = await makeFeed();
  const ids = Array.from({ length: 40 }, (_, i) => `item-${i}`);
  const items = new Map(ids.map((id) => [id, randomItem(random, id, start)]));
  await catalog.upsert(order(ids).map((id) => items.get(id)!));
  const noise = new Lcg(6);
  const answers: AssembledFeatures[] = [];
  for (let minutes = 0; minutes < 60; minutes += 2) {
    const now = start + minutes * minute;
    const events = Array.from({ length: 50 }, () => ({
      ...randomEvent(random, ids, now),
      at: now - random.below(5 * minute),
    }));
    for (let i = 0; i < events.length; i += batch) {
      await feed.record(events.slice(i, i + batch), { now });
      if (interleaved) {
        await feed.assemble({ now: now + noise.below(2 * minute) }, ids, ['clicks_3h_vs_pool']);
      }
    }
    // Just before the next batch, which a grid instant may lie in front of.
    answers.push(
      await feed.assemble({ now: now + 2 * minute - 1 }, ids, [
        ...definitions.filter(({ reference }) => reference === 'pool'),
      ]),
    );
  }
  return answers;
}

test('the pool is the same bits in other batches, with other requests, in other rows', async () => {
  const once = await play((ids) => ids, 50, false);
  const again = await play((ids) => [...ids].reverse(), 7, true);
  expect(once.some(({ values }) => values.some((value) => value !== 0))).toBe(true);
  again.forEach(({ values }, i) => expect([...values]).toEqual([...once[i]!.values]));
});
