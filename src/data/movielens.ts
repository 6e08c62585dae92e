import { join } from 'node:path';

import { FeedrankError } from '../errors';
import { defaultHalfLivesMs, lastingHalfLivesMs } from '../features/half-lives';
import { findDataFolder } from './data-folder';
import type { Dataset, DatasetImpression, DatasetItem, MalformedRows } from './dataset';
import { RowReader } from './row-reader';
import { TextTable } from './text-table';
import type { TextLayout, TextRow } from './text-table';

export interface MovielensOptions {
  /**
   * What becomes of a malformed row: `fail` throws `DATA_MALFORMED`, `skip` leaves it out and
   * counts it. Defaults to `fail`.
   */
  readonly malformed?: MalformedRows;
}

/** The owner's genres, in the order of the columns of `u.item`. */
const genres = [
  ...['unknown', 'Action', 'Adventure', 'Animation', "Children's", 'Comedy', 'Crime'],
  ...['Documentary', 'Drama', 'Fantasy', 'Film-Noir', 'Horror', 'Musical', 'Mystery', 'Romance'],
  ...['Sci-Fi', 'Thriller', 'War', 'Western'],
];

const layouts = {
  'u.data': layout('\t', ['user_id', 'item_id', 'rating', 'timestamp']),
  'u.item': layout('|', ['movie_id', 'title', 'release_date', 'video_date', 'url', ...genres]),
  'u.user': layout('|', ['user_id', 'age', 'gender']),
};

function layout(separator: string, columns: readonly string[]): TextLayout {
  return { separator, encoding: 'latin1', columns };
}

const clickedFrom = 4;
/** A list of the train part ends after so many ratings, or before a pause. */
const longestList = 20;
const pauseMs = 30 * 60_000;

interface Rating {
  readonly userId: number;
  readonly itemId: number;
  readonly rating: number;
  readonly at: number;
}

/**
 * Opens MovieLens 100K (Harper and Konstan 2015, "The MovieLens Datasets: History and Context"): a
 * folder with the owner's `u.data`, `u.item` and `u.user`, or the folder that holds it as `ml-100k`.
 *
 * Ratings stand in for impressions, and those of 4 or 5 for clicks. Of each reader's ratings by time
 * and then item id, the last 20% (rounded up) are one impression of the split `validation`, at the
 * time of the last of them. The earlier ones are the split `train`, cut into lists of at most 20
 * ratings without a pause of over 30 minutes between two; each list is an impression at the time of
 * its last rating, so nothing in it is known before it happened. The two splits overlap in time.
 *
 * An item's topics are its genres, its label `genre` the first of them, its column `release_year`.
 * It is published on its release date, before 1970 on 1 January 1970, and without a date at first
 * sight. User slices: `gender` (`F`, `M`) and `age` (`under 30`, `over 30`, which includes 30). The
 * context of an impression: `hour` (of the day in UTC), `list_length`.
 *
 * @throws {FeedrankError} `DATA_MISSING`, `DATA_MALFORMED`; both name the file.
 */
export async function openMovielens(
  directory: string,
  options: MovielensOptions = {},
): Promise<Dataset> {
  const root = findDataFolder(directory, 'ml-100k', 'u.data');
  const reader = new RowReader(options.malformed ?? 'fail');
  const read = <T>(
    name: keyof typeof layouts,
    key: (value: T) => string,
    convert: (row: TextRow) => T,
  ): Promise<T[]> => {
    const table = TextTable.open(join(root, name), name, layouts[name]);
    const keys = new Set<string>();
    return reader.read(name, table.lines(), (line) => {
      const row = table.parse(line);
      const value = convert(row);
      if (keys.has(key(value))) {
        throw row.malformed(layouts[name].columns[0] as string, `${key(value)} is there already`);
      }
      keys.add(key(value));
      return value;
    });
  };
  const items = await read('u.item', ({ id }) => String(id), toItem);
  const users = await read('u.user', ([id]) => String(id), toUser);
  const ratings = await read(
    'u.data',
    ({ userId, itemId }) => `${userId} with item ${itemId}`,
    toRating,
  );
  const splits = toSplits(ratings, new Map(users));
  return {
    name: 'movielens',
    ids: 'integer',
    spaces: {},
    columns: ['release_year'],
    labels: ['genre'],
    userSlices: ['gender', 'age'],
    segments: {},
    halfLivesMs: [...defaultHalfLivesMs, ...lastingHalfLivesMs],
    splits: [...splits].map(([name, { length }]) => ({ name, impressions: length })),
    overlapping: true,
    items: items.sort(
      (a, b) => (a.publishTime ?? Infinity) - (b.publishTime ?? Infinity) || a.id - b.id || 0,
    ),
    malformedRows: reader.malformedRows,
    // eslint-disable-next-line @typescript-eslint/require-await
    async *impressions(split: string): AsyncGenerator<DatasetImpression> {
      const impressions = splits.get(split);
      if (!impressions) {
        throw new FeedrankError('DATA_MISSING', `there is no split ${split}`, 'split');
      }
      yield* impressions;
    },
  };
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

function toItem(row: TextRow): DatasetItem & { readonly id: number } {
  const topics = genres.filter((genre) => {
    const flag = row.text(genre);
    if (flag !== '0' && flag !== '1') {
      throw row.malformed(genre, `is ${JSON.stringify(flag)}, not 0 or 1`);
    }
    return flag === '1';
  });
  const [first] = topics;
  const released = toReleaseDate(row);
  return {
    id: row.wholeNumber('movie_id'),
    topics,
    ...(first === undefined ? {} : { labels: { genre: first } }),
    ...(released
      ? {
          publishTime: Math.max(0, released.getTime()),
          columns: { release_year: released.getUTCFullYear() },
        }
      : {}),
  };
}

/** Such as `01-Jan-1995`, or nothing. */
function toReleaseDate(row: TextRow): Date | undefined {
  const text = row.text('release_date');
  if (text === '') return undefined;
  const [, day, month, year] = /^(\d{1,2})-([A-Z][a-z]{2})-(\d{4})$/.exec(text) ?? [];
  const date = new Date(Date.UTC(Number(year), months.indexOf(month ?? ''), Number(day)));
  if (Number.isNaN(date.getTime()) || date.getUTCDate() !== Number(day)) {
    throw row.malformed('release_date', `is ${JSON.stringify(text)}, not like 01-Jan-1995`);
  }
  return date;
}

function toUser(row: TextRow): [number, Readonly<Record<string, string>>] {
  const gender = row.text('gender');
  if (gender !== 'F' && gender !== 'M') {
    throw row.malformed('gender', `is ${JSON.stringify(gender)}, not F or M`);
  }
  const age = row.wholeNumber('age') < 30 ? 'under 30' : 'over 30';
  return [row.wholeNumber('user_id'), { gender, age }];
}

function toRating(row: TextRow): Rating {
  const rating = row.wholeNumber('rating');
  if (rating < 1 || rating > 5) throw row.malformed('rating', `is ${rating}, not 1 to 5`);
  const seconds = row.wholeNumber('timestamp');
  if (seconds > 253_402_300_799) {
    throw row.malformed('timestamp', `is ${seconds}, not seconds before the year 10000`);
  }
  return {
    userId: row.wholeNumber('user_id'),
    itemId: row.wholeNumber('item_id'),
    rating,
    at: seconds * 1000,
  };
}

function toSplits(
  ratings: Rating[],
  users: ReadonlyMap<number, Readonly<Record<string, string>>>,
): ReadonlyMap<string, readonly DatasetImpression[]> {
  const ofUser = new Map<number, Rating[]>();
  for (const rating of ratings.sort((a, b) => a.at - b.at || a.itemId - b.itemId)) {
    const earlier = ofUser.get(rating.userId);
    if (earlier) earlier.push(rating);
    else ofUser.set(rating.userId, [rating]);
  }
  const lists: Record<string, Rating[][]> = { train: [], validation: [] };
  for (const own of ofUser.values()) {
    const cut = Math.floor((own.length * 4) / 5);
    lists['train']?.push(...cutIntoLists(own.slice(0, cut)));
    lists['validation']?.push(own.slice(cut));
  }
  return new Map(
    Object.entries(lists).map(([split, entries]) => [
      split,
      entries
        .map((list) => ({ list, last: list.at(-1) as Rating }))
        .sort((a, b) => a.last.at - b.last.at || a.last.userId - b.last.userId)
        .map(({ list, last: { userId, at } }, index) => ({
          impressionId: index + 1,
          userId,
          at,
          itemIds: list.map(({ itemId }) => itemId),
          clickedIds: list
            .filter(({ rating }) => rating >= clickedFrom)
            .map(({ itemId }) => itemId),
          context: { hour: new Date(at).getUTCHours(), list_length: list.length },
          userSlices: users.get(userId) ?? {},
          split,
        })),
    ]),
  );
}

function cutIntoLists(ratings: readonly Rating[]): Rating[][] {
  const lists: Rating[][] = [];
  for (const rating of ratings) {
    const list = lists.at(-1);
    const before = list?.at(-1);
    const isNext = before !== undefined && rating.at - before.at <= pauseMs;
    if (isNext && list && list.length < longestList) list.push(rating);
    else lists.push([rating]);
  }
  return lists;
}
