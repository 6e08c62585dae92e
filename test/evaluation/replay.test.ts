import { describe, expect, it } from '@jest/globals';

import { Catalog } from '../../src/catalog/catalog';
import type { Dataset } from '../../src/data/dataset';
import { replay, replayCatalogOptions, replayFeedOptions } from '../../src/evaluation/replay';
import type { ReplaySummary } from '../../src/evaluation/replay';
import { Feed } from '../../src/feed/feed';
import { weightedSum } from '../../src/stages/native-stages';
import { datasetOf, impression, minute, start } from './planted-dataset';

interface Seen {
  /** Scores by item of each impression, in the order of the replay. */
  readonly scores: readonly Readonly<Record<string, number>>[];
  readonly sizes: readonly number[];
  readonly summary: ReplaySummary;
}

/** Replays with a ranker that shows its counters, and keeps what each impression saw. */
async function observe(
  dataset: Dataset,
  feature: string,
  options: { lagMs?: number; split?: string } = {},
): Promise<Seen> {
  const catalog = await Catalog.create(replayCatalogOptions(dataset));
  const feed = await Feed.create({
    catalog,
    ranker: weightedSum({ [feature]: 1 }, { failClosed: true }),
    // A busy machine must not make a stage run out of time.
    profile: { budgetMs: 600_000 },
    ...replayFeedOptions(dataset),
  });
  const scores: Record<string, number>[] = [];
  const sizes: number[] = [];
  try {
    const summary = await replay({
      dataset,
      catalog,
      feed,
      split: 'train',
      ...options,
      async onImpression({ userId, at: now, itemIds }) {
        const slate = await feed.rerank({ userId, now }, itemIds);
        scores.push(Object.fromEntries(slate.items.map(({ id, score }) => [id, score])));
        sizes.push(catalog.size);
      },
    });
    return { scores, sizes, summary };
  } finally {
    feed.dispose();
    catalog.dispose();
  }
}

describe('replay', () => {
  it('knows a click when it is as old as the lag, and not before', async () => {
    const dataset = datasetOf([
      impression(1, 0, [1, 2], [1]),
      impression(2, 9.99, [1, 2], []),
      impression(3, 10, [1, 2], []),
    ]);
    const { scores } = await observe(dataset, 'clicks_3h');
    expect(scores.map((row) => (row['1'] ?? 0) > 0)).toEqual([false, false, true]);
    expect(scores.every((row) => row['2'] === 0)).toBe(true);
  });

  it('takes another lag, down to none; an impression never sees its own events', async () => {
    const dataset = datasetOf([impression(1, 0, [1, 2], [1]), impression(2, 0, [1, 2], [])]);
    const { scores } = await observe(dataset, 'clicks_3h', { lagMs: 0 });
    expect(scores.map((row) => (row['1'] ?? 0) > 0)).toEqual([false, true]);
  });

  it('knows a read when it has ended and then is as old as the lag', async () => {
    const dataset = datasetOf([
      impression(1, 0, [1, 2], [1], { outcome: { dwellMs: 5 * minute } }),
      impression(2, 14.99, [1, 2], []),
      impression(3, 15, [1, 2], []),
    ]);
    const { scores, summary } = await observe(dataset, 'dwell_3h');
    expect(scores.map((row) => (row['1'] ?? 0) > 0)).toEqual([false, false, true]);
    expect(summary.events).toBe(4);
  });

  it('drops an outcome that may belong to several clicks', async () => {
    const dataset = datasetOf([
      impression(1, 0, [1, 2], [1, 2], { outcome: { dwellMs: minute } }),
      impression(2, 60, [1, 2], []),
    ]);
    const { scores } = await observe(dataset, 'dwell_3h');
    expect(scores[1]).toEqual({ '1': 0, '2': 0 });
  });

  it('never looks ahead: a planted future changes nothing before it', async () => {
    const past = Array.from({ length: 40 }, (_, i) =>
      impression(i + 1, i, [1, 2, 3], [1 + (i % 3)], { outcome: { dwellMs: i * 20_000 } }),
    );
    const future = impression(99, 45, [1, 2, 3, 77], [77], { outcome: { dwellMs: 1 } });
    const listed = { id: 88, publishTime: start + 45 * minute };
    const items = [1, 2, 3].map((id) => ({ id, publishTime: start }));
    for (const feature of ['clicks_0.5h', 'dwell_3h', 'ctr_12h', 'time_since_first_seen']) {
      const without = await observe(datasetOf(past, items), feature);
      const planted = await observe(datasetOf([...past, future], [...items, listed]), feature);
      expect(planted.scores.slice(0, past.length)).toEqual(without.scores);
      expect(planted.sizes.slice(0, past.length)).toEqual(without.sizes);
    }
  });

  it('publishes an item at its time, or at first sight where that is earlier', async () => {
    const items = [1, 2, 3].map((id) => ({ id, publishTime: start + (id - 1) * 60 * minute }));
    const dataset = datasetOf(
      [
        impression(1, 0, [1], []),
        impression(2, 30, [1, 3], []),
        impression(3, 90, [1, 3], []),
        impression(4, 130, [1, 2, 3], []),
      ],
      items,
    );
    const { sizes, scores, summary } = await observe(dataset, 'age');
    expect(sizes).toEqual([1, 2, 3, 3]);
    // The third was listed for 120 minutes but seen after 30, so it is an hour old after 90.
    expect(scores[2]?.['3']).toBeCloseTo(Math.log1p(1), 5);
    expect(scores[3]?.['3']).toBeCloseTo(Math.log1p(100 / 60), 5);
    expect(summary.unknownItems).toBe(0);
  });

  it('keeps items that the dataset does not list, counted once each', async () => {
    const dataset = datasetOf([impression(1, 0, [1, 50], [50]), impression(2, 60, [50, 51], [])]);
    const { scores, summary } = await observe(dataset, 'age');
    expect(summary.unknownItems).toBe(2);
    expect(scores[0]?.['50']).toBe(0);
    expect(scores[1]?.['50']).toBeCloseTo(Math.log1p(1), 5);
  });

  it('replays the splits before the measured one, and none after it', async () => {
    const dataset = datasetOf([
      impression(1, 0, [1, 2], [1]),
      impression(2, 60, [1, 2], [], { split: 'validation' }),
    ]);
    const train = await observe(dataset, 'clicks_3h', { split: 'train' });
    expect(train.summary.impressions).toBe(1);
    const validation = await observe(dataset, 'clicks_3h', { split: 'validation' });
    expect(validation.summary.impressions).toBe(2);
    expect(validation.scores[1]?.['1']).toBeGreaterThan(0);
  });

  it('refuses a log that goes back in time', async () => {
    const dataset = datasetOf([impression(1, 5, [1, 2], [1]), impression(2, 4, [1, 2], [1])]);
    await expect(observe(dataset, 'age')).rejects.toMatchObject({ code: 'DATA_MALFORMED' });
  });

  it('refuses a split that the dataset does not have', async () => {
    await expect(observe(datasetOf([]), 'age', { split: 'test' })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      argument: 'split',
    });
  });
});
