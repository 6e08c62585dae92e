import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { FeedrankError } from '../errors';
import { findDataFolder } from './data-folder';
import { compareImpressions } from './dataset';
import type {
  Dataset,
  DatasetImpression,
  DatasetItem,
  MalformedRows,
  ReaderHistory,
} from './dataset';
import { RowReader } from './row-reader';
import { TextTable } from './text-table';
import type { TextLayout, TextRow } from './text-table';

export interface MindOptions {
  /**
   * What becomes of a malformed row: `fail` throws `DATA_MALFORMED`, `skip` leaves it out and
   * counts it. Defaults to `fail`.
   */
  readonly malformed?: MalformedRows;
}

const newsLayout: TextLayout = {
  separator: '\t',
  encoding: 'utf-8',
  columns: ['news_id', 'category', 'subcategory'],
};

const behaviorsLayout: TextLayout = {
  separator: '\t',
  encoding: 'utf-8',
  columns: ['impression_id', 'user_id', 'time', 'history', 'impressions'],
};

/** Share of the impressions of a folder without parts that comes before the cut. */
const trainShare = 0.8;

/** The rows of one split: a file, or the part of one on one side of the cut. */
interface Part {
  readonly name: 'train' | 'validation';
  readonly behaviors: TextTable;
  readonly keep: 'all' | 'before the cut' | 'from the cut on';
  readonly impressions: number;
}

/**
 * Opens the Microsoft News Dataset (Wu et al. 2020, "MIND: A Large-scale Dataset for News
 * Recommendation"): a folder with the owner's `train/` and `dev/`, whose splits are `train` and
 * `validation`; or one folder with `behaviors.tsv` and `news.tsv`, where the first 80% of the
 * impressions by time and then impression id are `train` and the others `validation`.
 *
 * Ids are strings. An item's topics are its category and its subcategory, its label `category`. News
 * have no publish time, so they are published at first sight; items that `news.tsv` does not list
 * are kept. Times are taken as UTC. The context of an impression: `hour` (of the day in UTC),
 * `list_length`. A reader's history is that of the first impression in the split: it has no times.
 *
 * @throws {FeedrankError} `DATA_MISSING`, `DATA_MALFORMED`; both name the file.
 */
export async function openMind(directory: string, options: MindOptions = {}): Promise<Dataset> {
  const root = findDataFolder(directory, 'mind', 'behaviors.tsv');
  const folders = findFolders(root);
  const news = folders.map((folder) =>
    TextTable.open(join(root, folder, 'news.tsv'), join(folder, 'news.tsv'), newsLayout),
  );
  const behaviors = folders.map((folder) =>
    TextTable.open(
      join(root, folder, 'behaviors.tsv'),
      join(folder, 'behaviors.tsv'),
      behaviorsLayout,
    ),
  );
  const dataset = new MindDataset(await toParts(behaviors), options.malformed ?? 'fail');
  await dataset.readNews(news);
  return dataset;
}

/** The folders of the train and the validation part, or the one folder that holds both. */
function findFolders(root: string): readonly string[] {
  const isWhole = existsSync(join(root, 'behaviors.tsv')) || existsSync(join(root, 'news.tsv'));
  const hasParts = existsSync(join(root, 'train')) || existsSync(join(root, 'dev'));
  return hasParts && !isWhole ? ['train', 'dev'] : [''];
}

async function toParts(behaviors: readonly TextTable[]): Promise<readonly Part[]> {
  const [first, second] = behaviors as [TextTable, TextTable | undefined];
  const rows = await first.countLines();
  if (second) {
    return [
      { name: 'train', behaviors: first, keep: 'all', impressions: rows },
      {
        name: 'validation',
        behaviors: second,
        keep: 'all',
        impressions: await second.countLines(),
      },
    ];
  }
  const train = cutOf(rows);
  return [
    { name: 'train', behaviors: first, keep: 'before the cut', impressions: train },
    { name: 'validation', behaviors: first, keep: 'from the cut on', impressions: rows - train },
  ];
}

function cutOf(impressions: number): number {
  return Math.floor(trainShare * impressions);
}

interface Row {
  readonly impression: DatasetImpression & { readonly userId: string };
  readonly history: readonly string[];
}

class MindDataset implements Dataset {
  readonly name = 'mind';
  readonly ids = 'string';
  readonly spaces = {};
  readonly columns = [];
  readonly labels = ['category'];
  readonly userSlices = [];
  readonly segments = {};
  readonly splits: Dataset['splits'];
  items: readonly DatasetItem[] = [];
  readonly #parts: readonly Part[];
  readonly #reader: RowReader;

  constructor(parts: readonly Part[], malformed: MalformedRows) {
    this.#parts = parts;
    this.#reader = new RowReader(malformed);
    this.splits = parts.map(({ name, impressions }) => ({ name, impressions }));
  }

  get malformedRows(): number {
    return this.#reader.malformedRows;
  }

  async readNews(tables: readonly TextTable[]): Promise<void> {
    const items = new Map<string, DatasetItem>();
    for (const table of tables) {
      const ids = new Set<string>();
      const listed = await this.#reader.read(table.label, table.lines(), (line) => {
        const row = table.parse(line);
        const item = toItem(row);
        if (ids.has(item.id)) throw row.malformed('news_id', `${item.id} is there already`);
        ids.add(item.id);
        return item;
      });
      // Both parts list what both show.
      for (const item of listed) if (!items.has(item.id)) items.set(item.id, item);
    }
    this.items = [...items.values()];
  }

  async *impressions(split: string): AsyncGenerator<DatasetImpression> {
    for (const { impression } of await this.#rows(split)) yield impression;
  }

  async *history(split: string): AsyncGenerator<ReaderHistory> {
    const users = new Set<string>();
    for (const { impression, history } of await this.#rows(split)) {
      if (users.has(impression.userId)) continue;
      users.add(impression.userId);
      const reads = history.map((itemId) => ({ itemId }));
      if (reads.length > 0) yield { userId: impression.userId, reads };
    }
  }

  async #rows(split: string): Promise<Row[]> {
    const part = this.#parts.find(({ name }) => name === split);
    if (!part) throw new FeedrankError('DATA_MISSING', `there is no split ${split}`, 'split');
    const { behaviors, keep } = part;
    const ids = new Set<number | string>();
    const rows = await this.#reader.read(behaviors.label, behaviors.lines(), (line) => {
      const row = behaviors.parse(line);
      const read = toRow(row, split);
      const { impressionId } = read.impression;
      if (ids.has(impressionId)) {
        throw row.malformed('impression_id', `${impressionId} is there already`);
      }
      ids.add(impressionId);
      return read;
    });
    rows.sort((a, b) => compareImpressions(a.impression, b.impression));
    if (keep === 'all') return rows;
    const cut = cutOf(rows.length);
    return keep === 'before the cut' ? rows.slice(0, cut) : rows.slice(cut);
  }
}

function toItem(row: TextRow): DatasetItem & { readonly id: string } {
  const category = row.word('category');
  const subcategory = row.word('subcategory');
  return {
    id: row.word('news_id'),
    topics: [...new Set([category, subcategory])],
    labels: { category },
  };
}

function toRow(row: TextRow, split: string): Row {
  const at = toInstant(row);
  const shown = new Map<string, boolean>();
  for (const word of row.words('impressions')) {
    const [, id, label] = /^(\S{1,256})-([01])$/.exec(word) ?? [];
    if (id === undefined) {
      throw row.malformed('impressions', `holds ${JSON.stringify(word)}, not ID-0 or ID-1`);
    }
    shown.set(id, (shown.get(id) ?? false) || label === '1');
  }
  if (shown.size === 0) throw row.malformed('impressions', 'is empty');
  const itemIds = [...shown.keys()];
  return {
    impression: {
      impressionId: row.wholeNumber('impression_id'),
      userId: row.word('user_id'),
      at,
      itemIds,
      clickedIds: itemIds.filter((id) => shown.get(id)),
      context: { hour: new Date(at).getUTCHours(), list_length: itemIds.length },
      userSlices: {},
      split,
    },
    history: row.words('history'),
  };
}

const time = /^(\d{1,2})\/(\d{1,2})\/(\d{4}) (\d{1,2}):(\d{2}):(\d{2}) ([AP])M$/;

/** Such as `11/15/2019 10:22:32 AM`: month first, 12 AM being midnight. */
function toInstant(row: TextRow): number {
  const text = row.text('time');
  const match = time.exec(text);
  const [month, day, year, hour, minute, second] = (match?.slice(1, 7) ?? []).map(Number);
  const hours = ((hour ?? NaN) % 12) + (match?.[7] === 'P' ? 12 : 0);
  const date = new Date(
    Date.UTC(year ?? NaN, (month ?? NaN) - 1, day ?? NaN, hours, minute ?? NaN, second ?? NaN),
  );
  // A date that does not exist, such as 31 November, would be taken for the next one.
  const isReal =
    date.getUTCMonth() + 1 === month &&
    date.getUTCDate() === day &&
    (hour ?? 0) >= 1 &&
    (hour ?? 13) <= 12 &&
    date.getUTCMinutes() === minute &&
    date.getUTCSeconds() === second &&
    (year ?? 0) >= 1970;
  if (!isReal) {
    throw row.malformed('time', `is ${JSON.stringify(text)}, not like 11/15/2019 10:22:32 AM`);
  }
  return date.getTime();
}
