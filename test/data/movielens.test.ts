import { rmSync } from 'node:fs';

import { afterEach, describe, expect, it } from '@jest/globals';

import { openMovielens } from '../../src/data/movielens';
import { evaluate } from '../../src/evaluation/evaluate';
import { describeWithData } from './data-folders';
import { readAll, writeFiles } from './text-files';
import type { FileContent } from './text-files';

function movie(id: number, released: string, genres: readonly number[]): string {
  const flags = Array.from({ length: 19 }, (_, i) => Number(genres.includes(i)));
  return `${id}|Les Misérables (1995)|${released}||http://example.org|${flags.join('|')}`;
}

const items = Buffer.from(
  [movie(1, '01-Jan-1995', [5, 3]), movie(2, '14-Feb-1922', [8]), movie(3, '', [0])].join('\n'),
  'latin1',
);
const users = ['1|29|M|writer|85711', '2|30|F|other|94043'];
const start = 880_000_000;

function rating(user: number, item: number, seconds: number, value = 4): string {
  return `${user}\t${item}\t${value}\t${start + seconds}`;
}

const data = [
  ...Array.from({ length: 5 }, (_, i) => rating(1, 10 - i, 60 * i, i + 1)),
  rating(2, 1, 90, 5),
];

let folder = '';
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(files: Readonly<Record<string, FileContent>> = {}): string {
  return (folder = writeFiles({ 'u.item': items, 'u.user': users, 'u.data': data, ...files }));
}

describe('openMovielens on sound files', () => {
  it('reads items: genres, the first genre, the release date', async () => {
    const dataset = await openMovielens(write());
    expect(dataset.items).toEqual([
      {
        id: 2,
        topics: ['Drama'],
        labels: { genre: 'Drama' },
        publishTime: 0,
        columns: { release_year: 1922 },
      },
      {
        id: 1,
        topics: ['Animation', 'Comedy'],
        labels: { genre: 'Animation' },
        publishTime: Date.UTC(1995, 0, 1),
        columns: { release_year: 1995 },
      },
      { id: 3, topics: ['unknown'], labels: { genre: 'unknown' } },
    ]);
  });

  it("sets each reader's last fifth aside, at the time of its last rating", async () => {
    const dataset = await openMovielens(write());
    const second = (seconds: number): number => (start + seconds) * 1000;
    expect(await readAll(dataset, 'train')).toEqual([
      {
        impressionId: 1,
        userId: 1,
        at: second(180),
        itemIds: [10, 9, 8, 7],
        clickedIds: [7],
        context: { hour: 4, list_length: 4 },
        userSlices: { gender: 'M', age: 'under 30' },
        split: 'train',
      },
    ]);
    expect(await readAll(dataset, 'validation')).toMatchObject([
      { userId: 2, at: second(90), itemIds: [1], userSlices: { gender: 'F', age: 'over 30' } },
      { userId: 1, at: second(240), itemIds: [6], clickedIds: [6] },
    ]);
    expect(dataset.splits).toEqual([
      { name: 'train', impressions: 1 },
      { name: 'validation', impressions: 2 },
    ]);
  });

  it('orders ratings of one time by item id, as numbers', async () => {
    const rows = [12, 9, 100, 11, 10].map((item) => rating(1, item, 0));
    const dataset = await openMovielens(write({ 'u.data': rows }));
    expect((await readAll(dataset, 'train'))[0]?.itemIds).toEqual([9, 10, 11, 12]);
    expect((await readAll(dataset, 'validation'))[0]?.itemIds).toEqual([100]);
  });

  it('ends a list before a pause of over half an hour, and after 20 ratings', async () => {
    const rows = [
      ...Array.from({ length: 25 }, (_, i) => rating(1, i + 1, i)),
      rating(1, 30, 24 + 1800),
      rating(1, 31, 24 + 1800 + 1801),
      ...Array.from({ length: 6 }, (_, i) => rating(1, 40 + i, 10_000 + i)),
    ];
    const dataset = await openMovielens(write({ 'u.data': rows }));
    const lengths = (await readAll(dataset, 'train')).map(({ itemIds }) => itemIds.length);
    // 26 of 33 ratings: 20 without a pause, then 6, the last of them after a pause of 30 minutes.
    expect(lengths).toEqual([20, 6]);
    const longer = [...rows, ...Array.from({ length: 4 }, (_, i) => rating(1, 60 + i, 11_000 + i))];
    rmSync(folder, { recursive: true });
    const further = await openMovielens(write({ 'u.data': longer }));
    expect((await readAll(further, 'train')).map(({ itemIds }) => itemIds.length)).toEqual([
      20, 6, 1, 2,
    ]);
  });

  it('keeps ratings of readers and items that are not listed', async () => {
    const dataset = await openMovielens(write({ 'u.data': [rating(7, 99, 0)] }));
    expect(await readAll(dataset, 'validation')).toMatchObject([
      { userId: 7, itemIds: [99], userSlices: {} },
    ]);
  });
});

describe('openMovielens on malformed rows', () => {
  const rows: readonly (readonly [string, string, string])[] = [
    ['u.data', '1\t2\t3', 'timestamp is missing'],
    ['u.data', '1 2 3 4', 'item_id is missing'],
    ['u.data', rating(1, 2, 0, 6), 'rating is 6'],
    ['u.data', '1\t-2\t3\t4', 'item_id is "-2"'],
    ['u.data', '1\t2\t3\t880000000.5', 'timestamp is "880000000.5"'],
    ['u.data', '1\t2\t3\t999999999999999', 'timestamp is 999999999999999'],
    ['u.data', rating(2, 1, 90, 3), 'user_id 2 with item 1 is there already'],
    ['u.user', '3|24|X|writer|1', 'gender is "X"'],
    ['u.user', '3|young|F|writer|1', 'age is "young"'],
    ['u.user', '3|24', 'gender is missing'],
    ['u.item', movie(4, '1995-01-01', [1]), 'release_date is "1995-01-01"'],
    ['u.item', movie(4, '31-Feb-1995', [1]), 'release_date is "31-Feb-1995"'],
    ['u.item', movie(4, '01-Jan-1995', [1]).replace(/0$/, '2'), 'Western is "2"'],
    ['u.item', '4|title|01-Jan-1995||url|0|1', 'Adventure is missing'],
  ];
  const sound: Readonly<Record<string, readonly string[]>> = {
    'u.data': data,
    'u.user': users,
    'u.item': items.toString('latin1').split('\n'),
  };

  it.each(rows)('names the row of %s: %s', async (file, row, message) => {
    const lines = sound[file] as readonly string[];
    const content = Buffer.from([...lines, row].join('\n'), 'latin1');
    await expect(openMovielens(write({ [file]: content }))).rejects.toMatchObject({
      code: 'DATA_MALFORMED',
      message: expect.stringContaining(`${file} row ${lines.length}: `),
    });
    await expect(openMovielens(folder)).rejects.toThrow(message);
    const dataset = await openMovielens(folder, { malformed: 'skip' });
    expect(dataset.malformedRows).toBe(1);
    expect(dataset.items).toHaveLength(3);
  });

  it('names what is not there, and what is empty', async () => {
    await expect(openMovielens('/no/such/folder')).rejects.toMatchObject({ code: 'DATA_MISSING' });
    folder = writeFiles({ 'u.data': data, 'u.item': items });
    await expect(openMovielens(folder)).rejects.toMatchObject({
      code: 'DATA_MISSING',
      message: expect.stringContaining('u.user'),
    });
    rmSync(folder, { recursive: true });
    await expect(openMovielens(write({ 'u.user': Buffer.alloc(0) }))).rejects.toMatchObject({
      code: 'DATA_MALFORMED',
      message: expect.stringContaining('u.user is empty'),
    });
  });
});

describeWithData('ml-100k', 'MovieLens 100K, the first 80,000 ratings', (real) => {
  it('is read whole', async () => {
    const dataset = await openMovielens(real);
    expect(dataset.items).toHaveLength(1682);
    const validation = await readAll(dataset, 'validation');
    const train = await readAll(dataset, 'train');
    expect(validation).toHaveLength(751);
    const ratings = [...train, ...validation].reduce((sum, { itemIds }) => sum + itemIds.length, 0);
    expect(ratings).toBe(80_000);
    expect(train.every(({ itemIds }) => itemIds.length <= 20)).toBe(true);
    expect(validation.every(({ userSlices }) => Object.keys(userSlices).length === 2)).toBe(true);
  });

  it('is evaluated with its groups: random near 0.5, popularity well above it', async () => {
    const run = (ranker: string) =>
      evaluate({ dataset: 'movielens', data: real, ranker, groups: ['gender', 'age'] });
    const random = await run('random');
    const popularity = await run('popularity');
    expect(Math.abs(random.metrics.auc.mean - 0.5)).toBeLessThan(0.03);
    expect(popularity.metrics.auc.mean).toBeGreaterThan(0.58);
    expect(popularity.unknownItems).toBe(0);
    expect(Object.keys(popularity.groups['gender']?.values ?? {})).toEqual(['F', 'M']);
    expect(Object.keys(popularity.groups['age']?.values ?? {})).toEqual(['over 30', 'under 30']);
  });
});
