import { describe, expect, it } from '@jest/globals';

import { Catalog } from '../../src/catalog/catalog';
import type { Dataset, HistoryRead, ReaderHistory } from '../../src/data/dataset';
import { queryOf } from '../../src/evaluation/impression-query';
import { replay, replayCatalogOptions, replayFeedOptions } from '../../src/evaluation/replay';
import type { ReplaySummary } from '../../src/evaluation/replay';
import { Feed } from '../../src/feed/feed';
import type { FeedSettings } from '../../src/feed/feed-options';
import type { FeedStages } from '../../src/feed/plan';
import { seen } from '../../src/stages/native-filters';
import { fresh } from '../../src/stages/native-generators';
import { weightedSum } from '../../src/stages/native-stages';
import { datasetOf, impression, minute, start } from './planted-dataset';

/** What each impression's reader had not read by then, and the clicks that were counted. */
interface Observed {
  readonly unread: readonly (readonly unknown[])[];
  readonly clicks: number;
  readonly summary: ReplaySummary;
}

async function observe(
  dataset: Dataset,
  split = 'train',
  options: Partial<FeedSettings & FeedStages> = {},
): Promise<Observed> {
  const catalog = await Catalog.create(replayCatalogOptions(dataset));
  const feed = await Feed.create({
    ...replayFeedOptions(dataset),
    catalog,
    generators: [fresh()],
    filters: [seen()],
    ranker: weightedSum({ clicks_3h: 1, impressions_3h: 1 }, { failClosed: true }),
    profile: { budgetMs: 600_000 },
    ...options,
  });
  const unread: unknown[][] = [];
  let clicks = 0;
  try {
    const summary = await replay({
      ...{ dataset, catalog, feed, split },
      async onImpression(shown) {
        const { items } = await feed.rank(queryOf(feed, shown));
        unread.push(items.map(({ id }) => id).sort());
        clicks = Math.max(clicks, ...items.map(({ score }) => score));
      },
    });
    return { unread, clicks, summary };
  } finally {
    feed.dispose();
    catalog.dispose();
  }
}

function withHistory(
  dataset: Dataset,
  histories: Readonly<Record<string, readonly HistoryRead[]>>,
): Dataset {
  return {
    ...dataset,
    async *history(split): AsyncGenerator<ReaderHistory> {
      const reads = histories[split];
      if (reads) yield { userId: 1, reads };
    },
  };
}

function at(minutes: number): number {
  return start + minutes * minute;
}

describe("replay of readers' histories", () => {
  it('knows a read when it has ended and is as old as the lag, and never counts it', async () => {
    const log = datasetOf([
      impression(1, 0, [9], []),
      impression(2, 14.99, [9], []),
      impression(3, 15, [9], []),
    ]);
    const read = { itemId: 1, at: at(0), dwellMs: 5 * minute, scrollPercentage: 40 };
    const { unread, clicks, summary } = await observe(
      withHistory(log, { train: [read] }),
      'train',
      {
        ranker: weightedSum({ clicks_3h: 1 }, { failClosed: true }),
      },
    );
    expect(unread).toEqual([
      [1, 2, 3, 9],
      [1, 2, 3, 9],
      [2, 3, 9],
    ]);
    expect(clicks).toBe(0);
    expect(summary).toMatchObject({ reads: 1, events: 1 });
  });

  it('leaves out what the log has as a click, but not what was read again later', async () => {
    const log = datasetOf([
      impression(1, 0, [1, 2], [1]),
      impression(2, 30, [1, 2], []),
      impression(3, 600, [1, 2], []),
    ]);
    const click = { itemId: 1, at: at(0.1), dwellMs: 1000 };
    const again = { itemId: 1, at: at(120) };
    expect((await observe(withHistory(log, { train: [click] }))).summary.reads).toBe(0);
    expect((await observe(withHistory(log, { train: [again] }))).summary.reads).toBe(1);
    const earlier = { itemId: 1, at: at(-5) };
    expect((await observe(withHistory(log, { train: [earlier] }))).summary.reads).toBe(1);
  });

  it('takes the same read of two histories once, and only those of the splits replayed', async () => {
    const log = datasetOf([
      impression(1, 0, [1], []),
      impression(2, 60, [1], [], { split: 'validation' }),
    ]);
    const both = { itemId: 1, at: at(-20) };
    const later = { itemId: 2, at: at(20) };
    const dataset = withHistory(log, { train: [both], validation: [both, later] });
    expect((await observe(dataset, 'train')).summary.reads).toBe(1);
    const { unread, summary } = await observe(dataset, 'validation');
    expect(summary.reads).toBe(2);
    expect(unread).toEqual([[2, 3], [3]]);
  });

  it('knows reads without times from the start of their split', async () => {
    const log = datasetOf([
      impression(1, 0, [1], []),
      impression(2, 60, [1], [], { split: 'validation' }),
    ]);
    const dataset = withHistory(log, {
      train: [{ itemId: 2 }],
      validation: [{ itemId: 2 }, { itemId: 3 }],
    });
    const { unread, summary } = await observe(dataset, 'validation');
    expect(unread).toEqual([[1, 3], [1]]);
    expect(summary.reads).toBe(2);
  });

  it('keeps a read until its item is there', async () => {
    const items = [1, 2].map((id) => ({ id, publishTime: at(60 * (id - 1)) }));
    const log = datasetOf([impression(1, 0, [1], []), impression(2, 90, [1], [])], items);
    const reads = [
      { itemId: 2, at: at(-20) },
      { itemId: 77, at: at(-20) },
    ];
    const { unread, summary } = await observe(withHistory(log, { train: reads }));
    expect(unread).toEqual([[1], [1]]);
    expect(summary.reads).toBe(1);
  });

  it('never looks ahead: a planted future read changes nothing before it', async () => {
    const log = datasetOf(
      Array.from({ length: 20 }, (_, i) => impression(i + 1, 5 * i, [1, 2, 3], i === 3 ? [2] : [])),
    );
    const past = { itemId: 1, at: at(10) };
    const without = await observe(withHistory(log, { train: [past] }));
    const planted = await observe(withHistory(log, { train: [past, { itemId: 3, at: at(86) }] }));
    expect(planted).toEqual(without);
    const known = await observe(withHistory(log, { train: [past, { itemId: 3, at: at(80) }] }));
    expect(known.unread.slice(0, 18)).toEqual(without.unread.slice(0, 18));
    expect(known.unread[18]).not.toEqual(without.unread[18]);
  });
});

describe('replay of where lists are shown', () => {
  const shown = { segments: { device: 'tablet', surface: 'front' }, currentItemId: 3 };

  it('tells a feed of the segments that it has', async () => {
    const log = datasetOf(
      [impression(1, 0, [1, 2], [1], shown), impression(2, 60, [1, 2], [], shown)],
      undefined,
      {
        segments: { device: ['tablet', 'mobile'], surface: ['front'] },
      },
    );
    expect(replayFeedOptions(log).segments).toEqual(log.segments);
    expect((await observe(log)).summary.events).toBe(3);
    for (const segments of [{}, { device: ['mobile'] }, { surface: ['front'] }]) {
      // A value that the feed does not know would be refused.
      expect((await observe(log, 'train', { segments })).summary.events).toBe(3);
    }
  });
});

describe('replay of splits that overlap', () => {
  const validation = { split: 'validation' };
  const log = [
    impression(1, 0, [1, 2], [1]),
    impression(2, 40, [1, 2], []),
    impression(1, 20, [1, 2], [2], validation),
    impression(2, 40, [1, 2], [], validation),
  ];

  it('plays them side by side, the earlier split first', async () => {
    const dataset = datasetOf(log, undefined, { overlapping: true });
    const catalog = await Catalog.create(replayCatalogOptions(dataset));
    const feed = await Feed.create({
      ...replayFeedOptions(dataset),
      ...{ catalog, ranker: weightedSum({ clicks_3h: 1 }) },
    });
    const seenOrder: string[] = [];
    await replay({
      ...{ dataset, catalog, feed, split: 'validation' },
      onImpression: ({ split, impressionId }) => void seenOrder.push(`${split} ${impressionId}`),
    });
    feed.dispose();
    catalog.dispose();
    expect(seenOrder).toEqual(['train 1', 'validation 1', 'train 2', 'validation 2']);
  });

  it('refuses them where the dataset does not say so', async () => {
    await expect(observe(datasetOf(log), 'validation')).rejects.toMatchObject({
      code: 'DATA_MALFORMED',
    });
  });
});
