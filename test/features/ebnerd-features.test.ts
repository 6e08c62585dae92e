import { expect, test } from '@jest/globals';

import {
  builtInFeatures,
  Catalog,
  Feed,
  openDataset,
  replay,
  replayCatalogOptions,
  replayFeedOptions,
  replayLatenessMs,
  weightedSum,
  type AssembledFeatures,
  type Dataset,
  type DatasetImpression,
  type FeatureDefinition,
  type FeedEvent,
} from '../../src';
import { describeWithEbnerd } from '../data/data-folders';
import { hour } from '../support/world';
import { expectClose } from './expect-close';
import { FeatureOracle } from './feature-oracle';

const lagMs = 600_000;
const gridMs = 300_000;
const every = 80;

/** Of the log alone: what readers read beside it has tests of its own. */
function withoutHistory(dataset: Dataset): Dataset {
  const { name, ids, spaces, columns, labels, userSlices, segments, items } = dataset;
  return {
    ...{ name, ids, spaces, columns, labels, userSlices, segments, items },
    splits: dataset.splits.slice(0, 1),
    malformedRows: 0,
    impressions: (split) => dataset.impressions(split),
  };
}

function definitionsOf(dataset: Dataset): FeatureDefinition[] {
  const halfLivesMs = [hour / 2, 3 * hour, 12 * hour, 48 * hour];
  return [
    ...builtInFeatures(halfLivesMs, { segments: dataset.segments }),
    { name: 'premium', source: 'column', column: 'premium' },
    { name: 'body_length', source: 'column', column: 'body_length', transformation: 'log1p' },
    {
      name: 'body_length_vs_pool',
      source: 'column',
      column: 'body_length',
      transformation: 'log1p',
      reference: 'pool',
    },
    { name: 'hour', source: 'context', key: 'hour' },
    { name: 'device', source: 'context', key: 'device' },
  ];
}

async function makeFeed(dataset: Dataset) {
  const catalog = await Catalog.create(replayCatalogOptions(dataset));
  const feed = await Feed.create({
    catalog,
    ranker: weightedSum({ clicks_12h_vs_pool: 1 }),
    ...replayFeedOptions(dataset),
    // So wide that nothing is given up, which the definitions know nothing of.
    maxShownPerUser: 65_536,
    maxReadsPerUser: 65_536,
    coRead: { maxPerItem: 1024 },
  });
  return { catalog, feed };
}

const queryOf = ({ userId, at, context, segments, currentItemId }: DatasetImpression) => ({
  userId,
  now: at,
  context,
  segments: segments ?? {},
  ...(currentItemId === undefined ? {} : { currentItemId }),
});

/** What a reader did, as the contract says: seen and clicked at once, read when the read ended. */
function eventsOf(impression: DatasetImpression): FeedEvent[] {
  const { at, userId, itemIds, clickedIds, segments = {}, currentItemId, outcome } = impression;
  const where = { segments, ...(currentItemId === undefined ? {} : { fromItemId: currentItemId }) };
  const dwellMs = outcome?.dwellMs;
  const scrollPercentage = outcome?.scrollPercentage;
  return [
    ...itemIds.map((itemId) => ({ type: 'impression', userId, itemId, at, ...where })),
    ...clickedIds.map((itemId) => ({ type: 'click', userId, itemId, at, ...where })),
    ...(clickedIds.length === 1 && dwellMs !== undefined
      ? [
          {
            type: 'dwell',
            userId,
            itemId: clickedIds[0]!,
            at: at + dwellMs,
            dwellMs,
            ...(scrollPercentage === undefined ? {} : { scrollPercentage }),
            ...where,
          },
        ]
      : []),
  ];
}

/** Events in the order of their times, each given out when it is as old as the lag. */
class Known {
  #waiting: FeedEvent[] = [];

  add(impression: DatasetImpression): void {
    this.#waiting.push(...eventsOf(impression));
  }

  takeUpTo(now: number): FeedEvent[] {
    const waiting: FeedEvent[] = [];
    const known: FeedEvent[] = [];
    for (const event of this.#waiting) {
      (Number(event.at) <= now - lagMs ? known : waiting).push(event);
    }
    this.#waiting = waiting;
    return known.sort((a, b) => Number(a.at) - Number(b.at));
  }
}

/** Items come into being when they are published, or at first sight if that is earlier. */
class Sights {
  readonly #seen = new Set<unknown>();
  readonly #listed: ReadonlyMap<unknown, Dataset['items'][number]>;

  constructor(dataset: Dataset) {
    this.#listed = new Map(dataset.items.map((item) => [item.id, item]));
  }

  of({ itemIds, at }: DatasetImpression) {
    return itemIds
      .filter((id) => !this.#seen.has(id) && this.#seen.add(id))
      .map((id) => {
        const listed = this.#listed.get(id);
        const publishTime = Math.min(listed?.publishTime ?? at, at);
        return { ...listed, id, publishTime };
      });
  }
}

describeWithEbnerd('on EB-NeRD', (folder) => {
  let dataset: Dataset;
  let definitions: FeatureDefinition[];
  /** Features of every 80th impression, as a replay has them. */
  const replayed = new Map<DatasetImpression['impressionId'], AssembledFeatures>();

  beforeAll(async () => {
    dataset = withoutHistory(await openDataset({ dataset: 'ebnerd', data: folder }));
    definitions = definitionsOf(dataset);
  });

  test('every feature of real impressions is what a sum over the log says', async () => {
    const { catalog, feed } = await makeFeed(dataset);
    const oracle = new FeatureOracle(replayLatenessMs, gridMs);
    const sights = new Sights(dataset);
    const known = new Known();
    let position = 0;
    await replay({
      dataset,
      catalog,
      feed,
      split: 'train',
      lagMs,
      async onImpression(impression) {
        oracle.upsert(sights.of(impression));
        // One by one, each at the instant that it becomes known at.
        for (const event of known.takeUpTo(impression.at)) {
          oracle.record([event], Number(event.at) + lagMs);
        }
        if (position++ % every === every - 1) {
          const query = queryOf(impression);
          const found = await feed.assemble(query, impression.itemIds, definitions);
          replayed.set(impression.impressionId, found);
          // The pool is a sum over thousands of items, so of it only every thirtieth is worked out.
          const isWhole = replayed.size % 30 === 0;
          const some = definitions.filter(({ reference }) => isWhole || reference !== 'pool');
          const columns = some.map((definition) => definitions.indexOf(definition));
          const values = impression.itemIds.flatMap((_, i) =>
            columns.map((column) => found.values[i * definitions.length + column]!),
          );
          expectClose(
            { ...found, values: Float32Array.from(values) },
            oracle.values(query, impression.itemIds, some),
            some,
          );
        }
        known.add(impression);
      },
    });
    expect(replayed.size).toBeGreaterThan(250);
  }, 600_000);

  test('pool features are the same bits when served one event at a time, in other rows', async () => {
    const pool = definitions.filter(({ reference }) => reference === 'pool');
    const columns = pool.map((definition) => definitions.indexOf(definition));
    const { catalog, feed } = await makeFeed(dataset);
    const sights = new Sights(dataset);
    const known = new Known();
    // All rows are taken from the start, the newest first.
    await catalog.upsert(
      dataset.items.map((item) => ({ ...item, publishTime: item.publishTime ?? 0 })).reverse(),
    );
    let position = 0;
    let compared = 0;
    for await (const impression of dataset.impressions('train')) {
      const seen = sights.of(impression);
      if (seen.length > 0) await catalog.upsert(seen);
      const events = known.takeUpTo(impression.at);
      for (let i = 0; i < events.length;) {
        const at = Number(events[i]!.at);
        let end = i;
        while (end < events.length && Number(events[end]!.at) === at) end++;
        await feed.record(events.slice(i, end), { now: at + lagMs });
        i = end;
      }
      if (position % 7 === 0) await feed.rerank({ now: impression.at }, impression.itemIds);
      if (position++ % every === every - 1) {
        const { itemIds, impressionId } = impression;
        const served = await feed.assemble(queryOf(impression), itemIds, pool);
        const before = replayed.get(impressionId)!;
        itemIds.forEach((_, i) =>
          expect([...served.values.subarray(i * pool.length, (i + 1) * pool.length)]).toEqual(
            columns.map((column) => before.values[i * definitions.length + column]),
          ),
        );
        compared++;
      }
      known.add(impression);
    }
    expect(compared).toBe(replayed.size);
  }, 600_000);

  test('a planted event changes no feature before it is known', async () => {
    let plantedAt = Infinity;
    const planted: Dataset = {
      ...dataset,
      async *impressions(split) {
        let position = 0;
        for await (const impression of dataset.impressions(split)) {
          if (impression.at > plantedAt + 12 * lagMs) return;
          yield impression;
          if (++position !== 8000) continue;
          plantedAt = impression.at;
          for (let i = 0; i < 200; i++) {
            const { itemIds } = impression;
            const outcome = { dwellMs: 1, scrollPercentage: 3 };
            const planting = { clickedIds: [itemIds[0]!], impressionId: -i - 1, outcome };
            yield { ...impression, ...planting };
          }
        }
      },
    };
    const { catalog, feed } = await makeFeed(planted);
    let position = 0;
    const changed = { before: 0, after: 0 };
    let compared = 0;
    await replay({
      dataset: planted,
      catalog,
      feed,
      split: 'train',
      lagMs,
      async onImpression(impression) {
        if (Number(impression.impressionId) < 0) return;
        if (position++ % every !== every - 1) return;
        const found = await feed.assemble(queryOf(impression), impression.itemIds, definitions);
        const isSame = Buffer.compare(
          Buffer.from(found.values.buffer),
          Buffer.from(replayed.get(impression.impressionId)!.values.buffer),
        );
        const isBefore = impression.at < plantedAt + lagMs;
        if (isBefore) compared++;
        if (isSame !== 0) changed[isBefore ? 'before' : 'after']++;
      },
    });
    expect(compared).toBeGreaterThan(90);
    expect(changed.before).toBe(0);
    expect(changed.after).toBeGreaterThan(0);
  }, 600_000);
});
