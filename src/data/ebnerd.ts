import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { FeedrankError } from '../errors';
import { compareImpressions } from './dataset';
import type { Dataset, DatasetImpression, DatasetItem, MalformedRows } from './dataset';
import { ParquetTable } from './parquet-table';
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
];

/** The owner's codes; 0 stands for unknown. */
const devices: Readonly<Record<number, string>> = { 1: 'desktop', 2: 'mobile', 3: 'tablet' };

/**
 * Opens the Ekstra Bladet News Recommendation Dataset (Kruse et al. 2024, RecSys Challenge): a
 * folder with `articles.parquet` and `{train,validation}/behaviors.parquet` in the owner's schema,
 * or the folder that holds it as `ebnerd`. Histories are not read: they repeat the train week's
 * clicks. One split at a time is held in memory, because the files are not in order of time.
 *
 * Every item has the columns `premium` (0 or 1) and `body_length` and the label `premium` where the
 * file has them. The context of an impression: `device` (the owner's code), `subscriber` (0 or 1),
 * `front_page` (0 or 1), `hour` (of the day in UTC), `list_length`.
 *
 * @throws {FeedrankError} `DATA_MISSING`, `DATA_MALFORMED`; both name the file.
 */
export async function openEbnerd(directory: string, options: EbnerdOptions = {}): Promise<Dataset> {
  const root = findRoot(directory);
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
  const dataset = new EbnerdDataset(articles, behaviors, options.malformed ?? 'fail');
  await dataset.readArticles();
  return dataset;
}

function findRoot(directory: string): string {
  if (!existsSync(directory) || !statSync(directory).isDirectory()) {
    throw new FeedrankError('DATA_MISSING', `there is no folder ${directory}`, 'data');
  }
  const inside = join(directory, 'ebnerd');
  const isParent =
    !existsSync(join(directory, 'articles.parquet')) &&
    existsSync(join(inside, 'articles.parquet'));
  return isParent ? inside : directory;
}

class EbnerdDataset implements Dataset {
  readonly name = 'ebnerd';
  readonly ids = 'integer';
  readonly spaces = {};
  readonly columns: readonly string[];
  readonly labels: readonly string[];
  readonly userSlices: readonly string[];
  readonly splits: Dataset['splits'];
  items: readonly DatasetItem[] = [];
  readonly #articles: ParquetTable;
  readonly #behaviors: ReadonlyMap<string, ParquetTable>;
  readonly #malformed: MalformedRows;
  readonly #malformedRows = new Map<string, number>();

  constructor(
    articles: ParquetTable,
    behaviors: ReadonlyMap<string, ParquetTable>,
    malformed: MalformedRows,
  ) {
    this.#articles = articles;
    this.#behaviors = behaviors;
    this.#malformed = malformed;
    const has = (column: string): boolean =>
      [...behaviors.values()].some((table) => table.columns.has(column));
    this.columns = ['premium', 'body_length'].filter((column) => articles.columns.has(column));
    this.labels = articles.columns.has('premium') ? ['premium'] : [];
    this.userSlices = [
      ...(has('device_type') ? ['device'] : []),
      ...(has('is_subscriber') ? ['subscriber'] : []),
    ];
    this.splits = [...behaviors].map(([name, table]) => ({ name, impressions: table.rowCount }));
  }

  get malformedRows(): number {
    return [...this.#malformedRows.values()].reduce((sum, count) => sum + count, 0);
  }

  async readArticles(): Promise<void> {
    const ids = new Set<number>();
    const items = await this.#read(this.#articles, articleColumns, (row) => {
      const item = toItem(row);
      if (ids.has(item.id)) throw row.malformed('article_id', `${item.id} is there already`);
      ids.add(item.id);
      return item;
    });
    this.items = items.sort((a, b) => a.publishTime - b.publishTime || a.id - b.id);
  }

  async *impressions(split: string): AsyncGenerator<DatasetImpression> {
    const table = this.#behaviors.get(split);
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

  async #read<T>(
    table: ParquetTable,
    columns: readonly string[],
    convert: (row: RowValues) => T,
  ): Promise<T[]> {
    const converted: T[] = [];
    this.#malformedRows.set(table.label, 0);
    for await (const { row, values } of table.rows(columns)) {
      try {
        converted.push(convert(new RowValues(table.label, row, values)));
      } catch (error) {
        const isRow = error instanceof FeedrankError && error.code === 'DATA_MALFORMED';
        if (!isRow || this.#malformed === 'fail') throw error;
        this.#malformedRows.set(table.label, (this.#malformedRows.get(table.label) ?? 0) + 1);
      }
    }
    return converted;
  }
}

function toItem(row: RowValues): DatasetItem & { readonly id: number } {
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
  const itemIds = row.integers('article_ids_inview');
  if (itemIds.length === 0) throw row.malformed('article_ids_inview', 'is empty');
  const clickedIds = row.integers('article_ids_clicked');
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
  const readSeconds = row.optionalNumber('next_read_time');
  const scrolled = row.optionalNumber('next_scroll_percentage');
  if (readSeconds !== undefined && readSeconds < 0) {
    throw row.malformed('next_read_time', `is ${readSeconds}, not a duration`);
  }
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
    },
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
