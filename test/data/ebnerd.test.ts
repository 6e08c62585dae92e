import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, it } from '@jest/globals';

import type { Dataset, DatasetImpression, ReaderHistory } from '../../src/data/dataset';
import { openEbnerd } from '../../src/data/ebnerd';
import { describeWithEbnerd } from './data-folders';
import { behavior, micros, millis, writeEbnerd } from './ebnerd-fixture';
import type { EbnerdFixture, Row } from './ebnerd-fixture';

async function read(dataset: Dataset, split: string): Promise<DatasetImpression[]> {
  const impressions: DatasetImpression[] = [];
  for await (const impression of dataset.impressions(split)) impressions.push(impression);
  return impressions;
}

async function readFixture(
  fixture: EbnerdFixture,
  malformed?: 'fail' | 'skip',
): Promise<{ dataset: Dataset; train: DatasetImpression[] }> {
  const folder = await writeEbnerd(fixture);
  try {
    const dataset = await openEbnerd(folder, malformed ? { malformed } : {});
    return { dataset, train: await read(dataset, 'train') };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe('openEbnerd on sound files', () => {
  it('reads every field, in the units of the dataset', async () => {
    const row = behavior(5, {
      article_id: 3,
      device_type: 2,
      is_subscriber: true,
      next_read_time: 12.5,
      next_scroll_percentage: 40,
      read_time: 7.5,
      scroll_percentage: 80,
    });
    const { dataset, train } = await readFixture({
      train: [row],
      articles: [
        { article_id: 9, published_time: micros(1), premium: true, body_length: 120 },
        { article_id: 4, published_time: micros(0), premium: null, body_length: null },
      ],
    });
    expect(train).toEqual([
      {
        impressionId: 5,
        userId: 7,
        at: millis(5),
        itemIds: [1, 2, 3],
        clickedIds: [2],
        context: {
          ...{ device: 2, subscriber: 1, front_page: 0, hour: 0, list_length: 3 },
          ...{ page_dwell: 7.5, page_scroll: 80 },
        },
        segments: { device: 'mobile', surface: 'article' },
        currentItemId: 3,
        userSlices: { device: 'mobile', subscriber: 'yes' },
        outcome: { dwellMs: 12_500, scrollPercentage: 40 },
        split: 'train',
      },
    ]);
    expect(dataset.items).toEqual([
      { id: 4, publishTime: millis(0), columns: {} },
      {
        id: 9,
        publishTime: millis(1),
        labels: { premium: 'yes' },
        columns: { premium: 1, body_length: 120 },
      },
    ]);
    expect(dataset.labels).toEqual(['premium']);
    expect(dataset.userSlices).toEqual(['device', 'subscriber']);
    expect(dataset.segments).toEqual({
      device: ['desktop', 'mobile', 'tablet'],
      surface: ['front', 'article'],
    });
    expect(dataset.splits).toEqual([
      { name: 'train', impressions: 1 },
      { name: 'validation', impressions: 1 },
    ]);
  });

  it('does without the optional columns', async () => {
    const { dataset, train } = await readFixture({ train: [behavior(1)] });
    expect(train[0]).toMatchObject({ context: { hour: 0, list_length: 3 }, userSlices: {} });
    expect(Object.keys(train[0]?.context ?? {})).toEqual(['hour', 'list_length']);
    expect(dataset.labels).toEqual([]);
    expect(dataset.userSlices).toEqual([]);
    expect(dataset.segments).toEqual({});
    expect(train[0]).toMatchObject({ segments: {} });
    expect(train[0]).not.toHaveProperty('currentItemId');
    for await (const history of dataset.history?.('train') ?? []) expect(history).toBeNull();
  });

  it('tells a front page from a file that does not know', async () => {
    const { train } = await readFixture({
      train: [behavior(1, { article_id: null }), behavior(2, { article_id: 9 })],
    });
    expect(train.map(({ context }) => context['front_page'])).toEqual([1, 0]);
    expect(train.map(({ segments }) => segments)).toEqual([
      { surface: 'front' },
      { surface: 'article' },
    ]);
    expect(train.map(({ currentItemId }) => currentItemId)).toEqual([undefined, 9]);
  });

  it('orders by time and then impression id, across row groups', async () => {
    const rows = [
      behavior(30, { impression_time: micros(2) }),
      behavior(4, { impression_time: micros(9) }),
      behavior(20, { impression_time: micros(2) }),
      behavior(5, { impression_time: micros(1) }),
    ];
    const { train } = await readFixture({ train: rows, rowGroupSize: 2 });
    expect(train.map(({ impressionId }) => impressionId)).toEqual([5, 20, 30, 4]);
  });

  it('takes a repeated item once', async () => {
    const row = behavior(1, { article_ids_inview: [1, 2, 1], article_ids_clicked: [2, 2] });
    const { train } = await readFixture({ train: [row] });
    expect(train[0]).toMatchObject({ itemIds: [1, 2], clickedIds: [2] });
  });

  it('opens the folder that holds the dataset as ebnerd', async () => {
    const folder = await writeEbnerd({});
    const parent = mkdtempSync(join(tmpdir(), 'feedrank-data-'));
    const { renameSync } = await import('node:fs');
    renameSync(folder, join(parent, 'ebnerd'));
    expect((await openEbnerd(parent)).items).toHaveLength(3);
    rmSync(parent, { recursive: true });
  });
});

describe("openEbnerd's histories", () => {
  const history = (changes: Row = {}): Row => ({
    user_id: 7,
    article_id_fixed: [3, 1, 3],
    impression_time_fixed: [micros(-5), micros(-9), micros(-1)],
    read_time_fixed: [2.5, null, 4],
    scroll_percentage_fixed: [null, 50, 100],
    ...changes,
  });
  async function readHistory(
    rows: readonly Row[],
    malformed: 'fail' | 'skip' = 'fail',
  ): Promise<{ histories: ReaderHistory[]; dataset: Dataset }> {
    const folder = await writeEbnerd({ histories: { train: rows } });
    try {
      const dataset = await openEbnerd(folder, { malformed });
      const histories: ReaderHistory[] = [];
      for await (const entry of dataset.history?.('train') ?? []) histories.push(entry);
      return { histories, dataset };
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  it('gives reads oldest first, an item as often as it was read', async () => {
    const { histories } = await readHistory([history()]);
    expect(histories).toEqual([
      {
        userId: 7,
        reads: [
          { itemId: 1, at: millis(-9), scrollPercentage: 50 },
          { itemId: 3, at: millis(-5), dwellMs: 2500 },
          { itemId: 3, at: millis(-1), dwellMs: 4000, scrollPercentage: 100 },
        ],
      },
    ]);
  });

  it('does without lengths of reads', async () => {
    const row = history();
    delete row['read_time_fixed'];
    delete row['scroll_percentage_fixed'];
    const { histories } = await readHistory([row]);
    expect(histories[0]?.reads[0]).toEqual({ itemId: 1, at: millis(-9) });
  });

  it.each([
    [{ user_id: null }, 'user_id is null'],
    [{ article_id_fixed: [3, null, 1] }, 'article_id_fixed holds null at 1'],
    [{ impression_time_fixed: [micros(1)] }, 'impression_time_fixed holds 1 values for 3 articles'],
    [{ read_time_fixed: [1, -2, 3] }, 'read_time_fixed holds -2 at 1'],
    [{ read_time_fixed: [1, 2] }, 'read_time_fixed holds 2 values for 3 articles'],
    [{ user_id: 1 }, 'user_id 1 is there already'],
  ])('names or skips a row with %j', async (changes, message) => {
    const rows = [history({ user_id: 1 }), history(changes)];
    await expect(readHistory(rows)).rejects.toMatchObject({
      code: 'DATA_MALFORMED',
      message: expect.stringContaining(`train/history.parquet row 1: ${message}`),
    });
    const { histories, dataset } = await readHistory(rows, 'skip');
    expect(histories.map(({ userId }) => userId)).toEqual([1]);
    expect(dataset.malformedRows).toBe(1);
  });

  it('names a missing column', async () => {
    const row = history();
    delete row['impression_time_fixed'];
    await expect(readHistory([row])).rejects.toThrow(
      /train\/history.parquet has no column impression_time_fixed/,
    );
  });
});

describe('openEbnerd on malformed rows', () => {
  const sound = behavior(1);
  const cases: readonly (readonly [string, Row, string])[] = [
    ['a null list in view', { article_ids_inview: null }, 'article_ids_inview is null'],
    ['an empty list in view', { article_ids_inview: [] }, 'article_ids_inview is empty'],
    ['a null list of clicks', { article_ids_clicked: null }, 'article_ids_clicked is null'],
    ['a null in a list', { article_ids_inview: [1, null, 2] }, 'holds null at 1'],
    ['a click out of view', { article_ids_clicked: [9] }, 'holds 9, which was not in view'],
    ['no time', { impression_time: null }, 'impression_time is null'],
    ['a time before 1970', { impression_time: -1_000_000n }, 'impression_time is'],
    ['no impression id', { impression_id: null }, 'impression_id is null'],
    ['an impression id twice', { impression_id: 1 }, 'impression_id 1 is there already'],
    ['no user', { user_id: null }, 'user_id is null'],
    ['a negative reading time', { next_read_time: -1 }, 'next_read_time is -1'],
    ['a negative time on the page', { read_time: -3 }, 'read_time is -3'],
    ['an infinite reading time', { next_read_time: Infinity }, 'next_read_time is Infinity'],
  ];

  it.each(cases)('names the file and the row of %s', async (_, changes, message) => {
    const rows = [{ next_read_time: 1, ...sound }, behavior(2, changes)];
    await expect(readFixture({ train: rows })).rejects.toMatchObject({
      code: 'DATA_MALFORMED',
      message: expect.stringContaining('train/behaviors.parquet row 1: '),
    });
    await expect(readFixture({ train: rows })).rejects.toThrow(message);
  });

  it.each(cases)('skips and counts %s where told', async (_, changes) => {
    const rows = [{ next_read_time: 1, ...sound }, behavior(2, changes), behavior(3)];
    const { dataset, train } = await readFixture({ train: rows }, 'skip');
    expect(train.map(({ impressionId }) => impressionId)).toEqual([1, 3]);
    expect(dataset.malformedRows).toBe(1);
    // Reading once more counts the same rows, not more of them.
    const again = await writeEbnerd({ train: rows });
    const reopened = await openEbnerd(again, { malformed: 'skip' });
    await read(reopened, 'train');
    await read(reopened, 'train');
    expect(reopened.malformedRows).toBe(1);
    rmSync(again, { recursive: true });
  });

  it('names a malformed article', async () => {
    const rows = [{ article_id: 1, published_time: null }];
    await expect(readFixture({ articles: rows })).rejects.toMatchObject({
      code: 'DATA_MALFORMED',
      argument: 'articles.parquet[0].published_time',
    });
    const twice = [1, 1].map((id) => ({ article_id: id, published_time: micros(0) }));
    await expect(readFixture({ articles: twice })).rejects.toThrow(/articles.parquet row 1/);
  });
});

describe('openEbnerd on files that are not there', () => {
  it('names the folder', async () => {
    await expect(openEbnerd('/no/such/folder')).rejects.toMatchObject({
      code: 'DATA_MISSING',
      message: expect.stringContaining('/no/such/folder'),
    });
  });

  it('names the file', async () => {
    const folder = await writeEbnerd({});
    rmSync(join(folder, 'validation/behaviors.parquet'));
    await expect(openEbnerd(folder)).rejects.toMatchObject({
      code: 'DATA_MISSING',
      message: expect.stringContaining('validation/behaviors.parquet'),
    });
    rmSync(folder, { recursive: true });
  });

  it('names a missing column', async () => {
    const row = { ...behavior(1) };
    delete row['article_ids_clicked'];
    await expect(readFixture({ train: [row] })).rejects.toMatchObject({
      code: 'DATA_MALFORMED',
      message: expect.stringMatching(/train\/behaviors.parquet has no column article_ids_clicked/),
    });
  });

  it('names a file that is not parquet', async () => {
    const folder = await writeEbnerd({});
    writeFileSync(join(folder, 'articles.parquet'), 'id,time\n1,2\n');
    await expect(openEbnerd(folder)).rejects.toMatchObject({
      code: 'DATA_MALFORMED',
      message: expect.stringContaining('articles.parquet cannot be read as parquet'),
    });
    rmSync(folder, { recursive: true });
  });
});

describeWithEbnerd('openEbnerd on the real data', (folder) => {
  it('reads the whole log', async () => {
    const dataset = await openEbnerd(folder);
    expect(dataset.items).toHaveLength(6459);
    const train = await read(dataset, 'train');
    const validation = await read(dataset, 'validation');
    expect([train.length, validation.length]).toEqual([24_724, 13_558]);
    // Timestamps have no zone; the documented boundary between the splits says that they are UTC.
    const boundary = Date.UTC(2023, 4, 25, 7);
    expect(train.every(({ at }) => at < boundary)).toBe(true);
    expect(validation.every(({ at }) => at >= boundary)).toBe(true);
    expect(new Set(train.map(({ userId }) => userId)).size).toBe(1590);
    const all = [...train, ...validation];
    expect(all.every(({ at }, i) => i === 0 || at >= (all[i - 1]?.at ?? 0))).toBe(true);
    expect(train.reduce((sum, { itemIds }) => sum + itemIds.length, 0)).toBe(278_139);
    expect(train.filter(({ segments }) => segments?.['surface'] === 'front')).toHaveLength(17_346);
    expect(validation.filter(({ currentItemId }) => currentItemId === undefined)).toHaveLength(
      9780,
    );
  });

  it('reads histories that end where the splits begin', async () => {
    const dataset = await openEbnerd(folder);
    const ends = { train: Date.UTC(2023, 4, 18, 7), validation: Date.UTC(2023, 4, 25, 7) };
    const counts: Record<string, number> = {};
    for (const [split, end] of Object.entries(ends)) {
      counts[split] = 0;
      for await (const { reads } of dataset.history?.(split) ?? []) {
        counts[split] += reads.length;
        expect(reads.every(({ at }, i) => i === 0 || (at ?? 0) >= (reads[i - 1]?.at ?? 0))).toBe(
          true,
        );
        expect(reads.at(-1)?.at).toBeLessThan(end);
      }
    }
    expect(counts).toEqual({ train: 258_318, validation: 240_058 });
  });
});
