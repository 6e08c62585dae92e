import { rmSync } from 'node:fs';

import { afterEach, describe, expect, it } from '@jest/globals';

import { openMind } from '../../src/data/mind';
import { evaluate } from '../../src/evaluation/evaluate';
import { describeWithData } from './data-folders';
import { readAll, readHistories, writeFiles } from './text-files';
import type { FileContent } from './text-files';

const news = [
  'N1\tnews\tworld\tA title\tAn abstract\thttps://example.org\t[]\t[]',
  'N2\tsports\tsports\tÆble\t\t\t[]\t[]',
];

function behavior(
  id: number | string,
  time = '11/15/2019 10:22:32 AM',
  history = 'N1 N9 N1',
  impressions = 'N1-0 N2-1 N7-0',
): string {
  return `${id}\tU${id}\t${time}\t${history}\t${impressions}`;
}

const ten = Array.from({ length: 10 }, (_, i) => behavior(20 - i, `11/1${i}/2019 1:00:00 PM`));

let folder = '';
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(files: Readonly<Record<string, FileContent>> = {}): string {
  return (folder = writeFiles({ 'news.tsv': news, 'behaviors.tsv': ten, ...files }));
}

describe('openMind on sound files', () => {
  it('reads every field', async () => {
    const dataset = await openMind(
      write({ 'behaviors.tsv': [behavior(3), behavior(4, '1/2/2020 12:00:00 AM', '')] }),
    );
    expect(dataset.items).toEqual([
      { id: 'N1', topics: ['news', 'world'], labels: { category: 'news' } },
      { id: 'N2', topics: ['sports'], labels: { category: 'sports' } },
    ]);
    expect(await readAll(dataset, 'train')).toEqual([
      {
        impressionId: 3,
        userId: 'U3',
        at: Date.UTC(2019, 10, 15, 10, 22, 32),
        itemIds: ['N1', 'N2', 'N7'],
        clickedIds: ['N2'],
        context: { hour: 10, list_length: 3 },
        userSlices: {},
        split: 'train',
      },
    ]);
    const [second] = await readAll(dataset, 'validation');
    expect(second?.at).toBe(Date.UTC(2020, 0, 2));
    expect(await readHistories(dataset, 'train')).toEqual([
      { userId: 'U3', reads: [{ itemId: 'N1' }, { itemId: 'N9' }, { itemId: 'N1' }] },
    ]);
    expect(await readHistories(dataset, 'validation')).toEqual([]);
  });

  it('cuts one folder after four fifths of the impressions by time', async () => {
    const dataset = await openMind(write({ 'behaviors.tsv': [...ten].reverse() }));
    expect(dataset.splits).toEqual([
      { name: 'train', impressions: 8 },
      { name: 'validation', impressions: 2 },
    ]);
    const ids = async (split: string): Promise<unknown[]> =>
      (await readAll(dataset, split)).map(({ impressionId }) => impressionId);
    expect(await ids('train')).toEqual([20, 19, 18, 17, 16, 15, 14, 13]);
    expect(await ids('validation')).toEqual([12, 11]);
  });

  it("takes the owner's folders as splits, and news of both", async () => {
    folder = writeFiles({
      'train/news.tsv': [news[0] as string],
      'train/behaviors.tsv': [behavior(1)],
      'dev/news.tsv': news,
      'dev/behaviors.tsv': [behavior(1, '11/16/2019 11:59:59 PM'), behavior(2)],
    });
    const dataset = await openMind(folder);
    expect(dataset.items.map(({ id }) => id)).toEqual(['N1', 'N2']);
    expect(dataset.splits.map(({ impressions }) => impressions)).toEqual([1, 2]);
    expect((await readAll(dataset, 'validation')).map(({ impressionId }) => impressionId)).toEqual([
      2, 1,
    ]);
    expect((await readHistories(dataset, 'validation')).map(({ userId }) => userId)).toEqual([
      'U2',
      'U1',
    ]);
  });

  it('takes lines that end as on Windows, the last one unended', async () => {
    const bytes = Buffer.from(ten.join('\r\n'));
    const dataset = await openMind(write({ 'behaviors.tsv': bytes }));
    const last = (await readAll(dataset, 'validation')).at(-1);
    expect(last?.itemIds).toEqual(['N1', 'N2', 'N7']);
  });

  it('takes a repeated item once, as clicked where it was clicked once', async () => {
    const rows = [behavior(1, undefined, '', 'N1-0 N2-0 N1-1'), behavior(2)];
    const dataset = await openMind(write({ 'behaviors.tsv': rows }));
    expect((await readAll(dataset, 'train'))[0]).toMatchObject({
      itemIds: ['N1', 'N2'],
      clickedIds: ['N1'],
    });
  });

  it('noon and midnight are twelve', async () => {
    const rows = [behavior(1, '11/15/2019 12:30:00 PM'), behavior(2, '11/15/2019 12:30:00 AM')];
    const dataset = await openMind(write({ 'behaviors.tsv': rows }));
    const [midnight] = await readAll(dataset, 'train');
    const [noon] = await readAll(dataset, 'validation');
    expect([midnight?.context['hour'], noon?.context['hour']]).toEqual([0, 12]);
  });
});

describe('openMind on malformed rows', () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ['too few columns', '2\tU2\t11/15/2019 10:22:32 AM\tN1', 'impressions is missing'],
    ['an empty line', '', 'user_id is missing'],
    ['an id that is no number', behavior('x'), 'impression_id is "x"'],
    ['an id twice', behavior(1), 'impression_id 1 is there already'],
    ['no user', '2\t\t11/15/2019 10:22:32 AM\t\tN1-1', 'user_id is ""'],
    ['an ISO time', behavior(2, '2019-11-15T10:22:32Z'), 'time is "2019-11-15T10:22:32Z"'],
    ['a thirteenth month', behavior(2, '13/15/2019 10:22:32 AM'), 'time is'],
    ['31 November', behavior(2, '11/31/2019 10:22:32 AM'), 'time is'],
    ['13 o’clock', behavior(2, '11/15/2019 13:22:32 AM'), 'time is'],
    ['minute 60', behavior(2, '11/15/2019 10:60:32 AM'), 'time is'],
    ['no impressions', behavior(2, undefined, '', ''), 'impressions is empty'],
    ['an item without a label', behavior(2, undefined, '', 'N1-0 N2'), 'impressions holds "N2"'],
    ['a label of 2', behavior(2, undefined, '', 'N1-2'), 'impressions holds "N1-2"'],
  ];

  it.each(cases)('names the file and the row of %s', async (_, row, message) => {
    const dataset = await openMind(write({ 'behaviors.tsv': [behavior(1), row, behavior(3)] }));
    await expect(readAll(dataset, 'train')).rejects.toMatchObject({
      code: 'DATA_MALFORMED',
      message: expect.stringContaining(`behaviors.tsv row 1: ${message}`),
    });
  });

  it.each(cases)('skips and counts %s where told', async (_, row) => {
    const files = { 'behaviors.tsv': [behavior(1), row, behavior(3), behavior(4)] };
    const dataset = await openMind(write(files), { malformed: 'skip' });
    const train = await readAll(dataset, 'train');
    const validation = await readAll(dataset, 'validation');
    expect([train.length, validation.length]).toEqual([2, 1]);
    // Both splits are read from the one file, whose malformed row counts once.
    expect(dataset.malformedRows).toBe(1);
  });

  it('names a row that is not UTF-8, and a file that is UTF-16', async () => {
    const latin = Buffer.concat([Buffer.from(`${behavior(1)}\n2\tU\xe6`, 'latin1')]);
    const dataset = await openMind(write({ 'behaviors.tsv': latin }));
    await expect(readAll(dataset, 'train')).rejects.toThrow(/behaviors.tsv row 1: .* not UTF-8/);
    rmSync(folder, { recursive: true });
    const wide = Buffer.from(news.join('\n'), 'utf16le');
    await expect(openMind(write({ 'news.tsv': wide }))).rejects.toMatchObject({
      code: 'DATA_MALFORMED',
      message: expect.stringContaining('news.tsv row 0'),
    });
  });

  it('names malformed news', async () => {
    const twice = write({ 'news.tsv': [...news, news[0] as string] });
    await expect(openMind(twice)).rejects.toThrow(/news.tsv row 2: news_id N1 is there already/);
    rmSync(folder, { recursive: true });
    const short = write({ 'news.tsv': ['N1\tnews'] });
    await expect(openMind(short)).rejects.toThrow(/news.tsv row 0: subcategory is missing/);
  });
});

describe('openMind on files that are not there', () => {
  it('names the folder, the file, and a file that is empty', async () => {
    await expect(openMind('/no/such/folder')).rejects.toMatchObject({
      code: 'DATA_MISSING',
      message: expect.stringContaining('/no/such/folder'),
    });
    folder = writeFiles({ 'behaviors.tsv': ten });
    await expect(openMind(folder)).rejects.toMatchObject({
      code: 'DATA_MISSING',
      message: expect.stringContaining('news.tsv'),
    });
    rmSync(folder, { recursive: true });
    folder = writeFiles({ 'train/behaviors.tsv': ten, 'train/news.tsv': news });
    await expect(openMind(folder)).rejects.toThrow(/there is no file .*dev.news.tsv/);
    rmSync(folder, { recursive: true });
    await expect(openMind(write({ 'news.tsv': Buffer.alloc(0) }))).rejects.toMatchObject({
      code: 'DATA_MALFORMED',
      message: expect.stringContaining('news.tsv is empty'),
    });
  });
});

describeWithData('mind_sample', 'MIND, the real sample', (data) => {
  it('is read whole', async () => {
    const dataset = await openMind(data);
    expect(dataset.items).toHaveLength(2000);
    const train = await readAll(dataset, 'train');
    const validation = await readAll(dataset, 'validation');
    expect([train.length, validation.length]).toEqual([4000, 1000]);
    const all = [...train, ...validation];
    expect(all.every(({ at }, i) => i === 0 || at >= (all[i - 1]?.at ?? 0))).toBe(true);
    expect(all.reduce((sum, { itemIds }) => sum + itemIds.length, 0)).toBe(189_359);
    const shown = new Set(all.flatMap(({ itemIds }) => itemIds));
    const listed = dataset.items.filter(({ id }) => shown.has(id));
    expect([shown.size, listed.length]).toEqual([7457, 284]);
  });

  it('is evaluated: random near 0.5, popularity above it', async () => {
    const auc = async (ranker: string): Promise<number> => {
      const evaluation = await evaluate({ dataset: 'mind', data, ranker });
      expect(evaluation).toMatchObject({ impressions: 1000, unknownItems: 7173 });
      return evaluation.metrics.auc.mean;
    };
    expect(Math.abs((await auc('random')) - 0.5)).toBeLessThan(0.03);
    expect(await auc('popularity')).toBeGreaterThan(0.52);
  });
});
