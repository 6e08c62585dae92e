import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { FeedrankError } from '../errors';
import { findDataFolder } from './data-folder';
import { compareImpressions } from './dataset';
import type {
  Dataset,
  DatasetImpression,
  DatasetItem,
  HistoryRead,
  MalformedRows,
  ReaderHistory,
} from './dataset';
import { ParquetTable } from './parquet-table';
import { RowReader } from './row-reader';
import { RowValues } from './row-values';

export interface EbnerdOptions {
  /**
   * What becomes of a malformed row: `fail` throws `DATA_MALFORMED`, `skip` leaves it out and
   * counts it. Defaults to `fail`.
   */
  readonly malformed?: MalformedRows;
}

const splitNames = ['train', 'validation'] as const;

const articleColumns = ['article_id', 'published_time', 'premium', 'body_length', 'topics'];
const requiredArticleColumns = ['article_id', 'published_time'];

const requiredColumns = [
  'impression_id',
  'impression_time',
  'user_id',
  'article_ids_inview',
  'article_ids_clicked',
];
const optionalColumns = [
  'article_id',
  'device_type',
  'is_subscriber',
  'next_read_time',
  'next_scroll_percentage',
  'read_time',
  'scroll_percentage',
];

const requiredHistoryColumns = ['user_id', 'article_id_fixed', 'impression_time_fixed'];
const optionalHistoryColumns = ['read_time_fixed', 'scroll_percentage_fixed'];

/** The owner's codes; 0 stands for unknown. */
const devices: Readonly<Record<number, string>> = { 1: 'desktop', 2: 'mobile', 3: 'tablet' };

/**
 * Opens the Ekstra Bladet News Recommendation Dataset (Kruse et al. 2024, RecSys Challenge): a
 * folder with `articles.parquet` and `{train,validation}/behaviors.parquet` in the owner's schema,
 * or the folder that holds it as `ebnerd`. A `history.parquet` beside the behaviors is read where it is
 * there. One split at a time is held in memory, because the files are not in order of time.
 *
 * Every item has the columns `premium` (0 or 1) and `body_length` and the label `premium` where the
 * file has them. The context of an impression: `device` (the owner's code), `subscriber` (0 or 1),
 * `front_page` (0 or 1), `hour` (of the day in UTC), `list_length`, and of the page that the list
 * was on `page_dwell` (in seconds) and `page_scroll` (0 to 100). Segments: `device` (`desktop`,
 * `mobile`, `tablet`) and `surface` (`front` for the front page, `article` for an article's own).
 *
 * @throws {FeedrankError} `DATA_MISSING`, `DATA_MALFORMED`; both name the file.
 */
export async function openEbnerd(directory: string, options: EbnerdOptions = {}): Promise<Dataset> {
  const root = findDataFolder(directory, 'ebnerd', 'articles.parquet');
  const articles = await ParquetTable.open(
    join(root, 'articles.parquet'),
    'articles.parquet',
    requiredArticleColumns,
  );
  const behaviors = new Map<string, ParquetTable>();
  for (const split of splitNames) {
    const label = `${split}/behaviors.parquet`;
    behaviors.set(split, await ParquetTable.open(join(root, label), label, requiredColumns));
  }
  const histories = new Map<string, ParquetTable>();
  for (const split of splitNames) {
    const label = `${split}/history.parquet`;
    const path = join(root, label);
    // The log alone is enough to replay it.
    if (!existsSync(path)) continue;
    histories.set(split, await ParquetTable.open(path, label, requiredHistoryColumns));
  }
  const tables = { articles, behaviors, histories };
  const dataset = new EbnerdDataset(tables, options.malformed ?? 'fail');
  await dataset.readArticles();
  return dataset;
}

interface EbnerdTables {
  readonly articles: ParquetTable;
  /** By split. */
  readonly behaviors: ReadonlyMap<string, ParquetTable>;
  /** By split, where there are any. */
  readonly histories: ReadonlyMap<string, ParquetTable>;
}

class EbnerdDataset implements Dataset {
  readonly name = 'ebnerd';
  readonly ids = 'integer';
  readonly spaces = {};
  readonly columns: readonly string[];
  readonly labels: readonly string[];
  readonly userSlices: readonly string[];
  readonly segments: Dataset['segments'];
  readonly splits: Dataset['splits'];
  items: readonly DatasetItem[] = [];
  readonly #tables: EbnerdTables;
  readonly #reader: RowReader;

  constructor(tables: EbnerdTables, malformed: MalformedRows) {
    const { articles, behaviors } = tables;
    this.#tables = tables;
    this.#reader = new RowReader(malformed);
    const has = (column: string): boolean =>
      [...behaviors.values()].some((table) => table.columns.has(column));
    this.columns = ['premium', 'body_length'].filter((column) => articles.columns.has(column));
    this.labels = articles.columns.has('premium') ? ['premium'] : [];
    this.userSlices = [
      ...(has('device_type') ? ['device'] : []),
      ...(has('is_subscriber') ? ['subscriber'] : []),
    ];
    this.segments = {
      ...(has('device_type') ? { device: Object.values(devices) } : {}),
      ...(has('article_id') ? { surface: ['front', 'article'] } : {}),
    };
    this.splits = [...behaviors].map(([name, table]) => ({ name, impressions: table.rowCount }));
  }

  get malformedRows(): number {
    return this.#reader.malformedRows;
  }

  async readArticles(): Promise<void> {
    const ids = new Set<number>();
    const items = await this.#read(this.#tables.articles, articleColumns, (row) => {
      const item = toItem(row);
      if (ids.has(item.id)) throw row.malformed('article_id', `${item.id} is there already`);
      ids.add(item.id);
      return item;
    });
    this.items = items.sort((a, b) => a.publishTime - b.publishTime || a.id - b.id);
  }

  async *impressions(split: string): AsyncGenerator<DatasetImpression> {
    const table = this.#tables.behaviors.get(split);
    if (!table) throw new FeedrankError('DATA_MISSING', `there is no split ${split}`, 'split');
    const ids = new Set<number>();
    const impressions = await this.#read(table, [...requiredColumns, ...optionalColumns], (row) => {
      const impression = toImpression(row, split);
      if (ids.has(impression.impressionId)) {
        throw row.malformed('impression_id', `${impression.impressionId} is there already`);
      }
      ids.add(impression.impressionId);
      return impression;
    });
    yield* impressions.sort(compareImpressions);
  }

  async *history(split: string): AsyncGenerator<ReaderHistory> {
    const table = this.#tables.histories.get(split);
    if (!table) return;
    const users = new Set<number>();
    const columns = [...requiredHistoryColumns, ...optionalHistoryColumns];
    yield* await this.#read(table, columns, (row) => {
      const userId = row.integer('user_id');
      if (users.has(userId)) throw row.malformed('user_id', `${userId} is there already`);
      users.add(userId);
      return { userId, reads: toReads(row) };
    });
  }

  #read<T>(
    table: ParquetTable,
    columns: readonly string[],
    convert: (row: RowValues) => T,
  ): Promise<T[]> {
    return this.#reader.read(table.label, table.rows(columns), ({ row, values }) =>
      convert(new RowValues(table.label, row, values)),
    );
  }
}

function toItem(
  row: RowValues,
): DatasetItem & { readonly id: number; readonly publishTime: number } {
  const premium = row.optionalBoolean('premium');
  const bodyLength = row.optionalNumber('body_length');
  const topics = row.optionalStrings('topics');
  return {
    id: row.integer('article_id'),
    publishTime: row.instant('published_time'),
    ...(topics ? { topics } : {}),
    ...(premium === undefined ? {} : { labels: { premium: premium ? 'yes' : 'no' } }),
    columns: {
      ...(premium === undefined ? {} : { premium: Number(premium) }),
      ...(bodyLength === undefined ? {} : { body_length: bodyLength }),
    },
  };
}

function toImpression(
  row: RowValues,
  split: string,
): DatasetImpression & { readonly impressionId: number } {
  const itemIds = row.distinctIntegers('article_ids_inview');
  if (itemIds.length === 0) throw row.malformed('article_ids_inview', 'is empty');
  const clickedIds = row.distinctIntegers('article_ids_clicked');
  const stray = clickedIds.find((id) => !itemIds.includes(id));
  if (stray !== undefined) {
    throw row.malformed('article_ids_clicked', `holds ${stray}, which was not in view`);
  }
  const at = row.instant('impression_time');
  const deviceCode = row.optionalNumber('device_type');
  const device = deviceCode === undefined ? undefined : devices[deviceCode];
  const subscriber = row.optionalBoolean('is_subscriber');
  // An impression on an article's page names that article; one on the front page names none.
  const isFrontPage = row.optionalNumber('article_id') === undefined;
  const currentItemId = isFrontPage ? undefined : row.integer('article_id');
  const readSeconds = optionalSeconds(row, 'next_read_time');
  const scrolled = row.optionalNumber('next_scroll_percentage');
  const pageSeconds = optionalSeconds(row, 'read_time');
  const pageScrolled = row.optionalNumber('scroll_percentage');
  return {
    impressionId: row.integer('impression_id'),
    userId: row.integer('user_id'),
    at,
    itemIds,
    clickedIds,
    context: {
      ...(deviceCode === undefined ? {} : { device: deviceCode }),
      ...(subscriber === undefined ? {} : { subscriber: Number(subscriber) }),
      ...(row.has('article_id') ? { front_page: isFrontPage ? 1 : 0 } : {}),
      hour: new Date(at).getUTCHours(),
      list_length: itemIds.length,
      ...(pageSeconds === undefined ? {} : { page_dwell: pageSeconds }),
      ...(pageScrolled === undefined ? {} : { page_scroll: pageScrolled }),
    },
    segments: {
      ...(device === undefined ? {} : { device }),
      ...(row.has('article_id') ? { surface: isFrontPage ? 'front' : 'article' } : {}),
    },
    ...(currentItemId === undefined ? {} : { currentItemId }),
    userSlices: {
      ...(device === undefined ? {} : { device }),
      ...(subscriber === undefined ? {} : { subscriber: subscriber ? 'yes' : 'no' }),
    },
    outcome: {
      ...(readSeconds === undefined ? {} : { dwellMs: Math.round(readSeconds * 1000) }),
      ...(scrolled === undefined ? {} : { scrollPercentage: scrolled }),
    },
    split,
  };
}

function optionalSeconds(row: RowValues, column: string): number | undefined {
  const seconds = row.optionalNumber(column);
  if (seconds !== undefined && seconds < 0) {
    throw row.malformed(column, `is ${seconds}, not a duration`);
  }
  return seconds;
}

function toReads(row: RowValues): HistoryRead[] {
  const itemIds = row.integers('article_id_fixed');
  const columns = {
    impression_time_fixed: row.instants('impression_time_fixed'),
    ...optionalList(row, 'read_time_fixed'),
    ...optionalList(row, 'scroll_percentage_fixed'),
  };
  for (const [column, { length }] of Object.entries(columns)) {
    if (length === itemIds.length) continue;
    throw row.malformed(column, `holds ${length} values for ${itemIds.length} articles`);
  }
  const times = columns.impression_time_fixed;
  return itemIds
    .map((itemId, index): HistoryRead & { readonly at: number } => {
      const seconds = columns.read_time_fixed?.[index];
      const scrollPercentage = columns.scroll_percentage_fixed?.[index];
      if (seconds !== undefined && seconds < 0) {
        throw row.malformed('read_time_fixed', `holds ${seconds} at ${index}, not a duration`);
      }
      return {
        itemId,
        at: times[index] as number,
        ...(seconds === undefined ? {} : { dwellMs: Math.round(seconds * 1000) }),
        ...(scrollPercentage === undefined ? {} : { scrollPercentage }),
      };
    })
    .sort((a, b) => a.at - b.at);
}

function optionalList<C extends string>(
  row: RowValues,
  column: C,
): Partial<Record<C, (number | undefined)[]>> {
  if (!row.has(column)) return {};
  return { [column]: row.optionalNumbers(column) } as Record<C, (number | undefined)[]>;
}
