import { setImmediate } from 'node:timers/promises';

import { binding } from '../binding';
import { Catalog } from '../catalog/catalog';
import { splitsUpTo } from '../data/dataset';
import type { Dataset, DatasetImpression } from '../data/dataset';
import { FeedrankError } from '../errors';
import { queryOf } from '../evaluation/impression-query';
import { replay, replayCatalogOptions, replayFeedOptions } from '../evaluation/replay';
import type { FeatureDefinition } from '../features/feature';
import { Feed } from '../feed/feed';
import type { ItemId } from '../identity';
import { fresh } from '../stages/native-generators';
import { weightedSum } from '../stages/native-stages';
import type { NativeRankingLists } from '../training-binding';
import { DataFingerprint, type Fingerprint } from './data-fingerprint';
import { throwIfAborted } from './throw-if-aborted';

/** A row that belongs to no group. */
export const noGroup = 255;

/** What to gather of a log. */
export interface TrainingDataOptions {
  readonly dataset: Dataset;
  readonly features: readonly (string | FeatureDefinition)[];
  /** The last part of the log that is replayed, and the only one that is gathered. */
  readonly split: string;
  readonly lagMs: number;
  /** An item label or a user slice. */
  readonly group?: string;
  readonly signal?: AbortSignal | undefined;
  /** Called for each list that is gathered, in order. */
  readonly onList?: (impression: DatasetImpression) => void;
  readonly onProgress?: (impressions: number, total: number) => void;
}

/** One list, without its feature rows. */
export interface TrainingList {
  readonly at: number;
  readonly clicked: readonly boolean[];
  /** How long the one clicked item was read; NaN where it is not known. */
  readonly dwellSeconds: number;
}

/** Lists in the order of time, with the features as they would have been served. */
export interface TrainingData {
  /** Of the columns of `rows`, resolved. */
  readonly features: readonly FeatureDefinition[];
  readonly lists: readonly TrainingList[];
  /** One a list: its rows, row-major. */
  readonly rows: readonly Float32Array[];
  /** One a list and row: the code of its group, or {@link noGroup}. */
  readonly groups: readonly Uint8Array[];
  /** Values of the group by code. */
  readonly groupValues: readonly string[];
  /** Lists that nothing can be learnt from, because nothing or everything was clicked. */
  readonly skipped: number;
  readonly fingerprint: Fingerprint;
}

/**
 * Replays a log causally and gathers what a ranker would have seen of each list, by the code that
 * serves.
 *
 * @throws {FeedrankError} `DATA_MALFORMED` where no list has both a clicked and an unclicked item,
 * `UNKNOWN_GROUP`, `UNKNOWN_FEATURE`, `ABORTED`, `INVALID_ARGUMENT`.
 */
export async function gatherTrainingData(options: TrainingDataOptions): Promise<TrainingData> {
  const { dataset, split, signal } = options;
  const groupOf = makeGroupOf(dataset, options.group);
  const codes = new Map<string, number>();
  const fingerprint = new DataFingerprint(dataset.name, split);
  const lists: TrainingList[] = [];
  const rows: Float32Array[] = [];
  const groups: Uint8Array[] = [];
  let skipped = 0;
  const total = splitsUpTo(dataset, split).reduce((sum, part) => sum + part.impressions, 0);
  const catalog = await Catalog.create(replayCatalogOptions(dataset));
  const feed = await Feed.create({
    catalog,
    generators: [fresh()],
    ranker: weightedSum({ age: -1 }),
    ...replayFeedOptions(dataset),
  });
  try {
    const features = feed.define(options.features);
    await replay({
      dataset,
      catalog,
      feed,
      split,
      lagMs: options.lagMs,
      async onImpression(impression) {
        throwIfAborted(signal);
        const { itemIds, clickedIds, outcome } = impression;
        if (impression.split !== split) return;
        if (clickedIds.length === 0 || clickedIds.length === itemIds.length) {
          skipped += 1;
          return;
        }
        const { values } = await feed.assemble(queryOf(feed, impression), itemIds, features);
        const clicked = new Set(clickedIds);
        const stray = clickedIds.find((id) => !itemIds.includes(id));
        if (stray !== undefined) throw strayClick(impression, stray);
        lists.push({
          at: impression.at,
          clicked: itemIds.map((id) => clicked.has(id)),
          // The outcome does not say which of several clicked items it belongs to.
          dwellSeconds: clicked.size === 1 ? (outcome?.dwellMs ?? NaN) / 1000 : NaN,
        });
        rows.push(values);
        const ofRows = Uint8Array.from(itemIds, (id) => codeOf(codes, groupOf(impression, id)));
        groups.push(ofRows);
        fingerprint.add(impression, values, ofRows);
        options.onList?.(impression);
      },
      onProgress: (done) => options.onProgress?.(done, total),
    });
    if (lists.length === 0) throw nothingToLearn(dataset, split, skipped);
    if (options.group !== undefined && codes.size < 2) {
      throw oneGroup(options.group, [...codes.keys()]);
    }
    return {
      features,
      lists,
      rows,
      groups,
      groupValues: [...codes.keys()],
      skipped,
      fingerprint: fingerprint.digest(lists.length),
    };
  } finally {
    feed.dispose();
    catalog.dispose();
  }
}

type GroupOf = (impression: DatasetImpression, id: ItemId) => string | undefined;

function makeGroupOf(dataset: Dataset, group: string | undefined): GroupOf {
  if (group === undefined) return () => undefined;
  if (dataset.labels.includes(group)) {
    const values = new Map(dataset.items.map((item) => [item.id, item.labels?.[group]]));
    return (_, id) => values.get(id);
  }
  if (dataset.userSlices.includes(group)) return ({ userSlices }) => userSlices[group];
  const known = [...dataset.labels, ...dataset.userSlices].join(', ') || 'none';
  throw new FeedrankError(
    'UNKNOWN_GROUP',
    `fairness.group: dataset ${dataset.name} has no group ${JSON.stringify(group)}, only ${known}`,
    'fairness.group',
  );
}

function codeOf(codes: Map<string, number>, value: string | undefined): number {
  if (value === undefined) return noGroup;
  const known = codes.get(value);
  if (known !== undefined) return known;
  if (codes.size === noGroup) return noGroup;
  codes.set(value, codes.size);
  return codes.size - 1;
}

function strayClick({ impressionId }: DatasetImpression, id: ItemId): FeedrankError {
  return new FeedrankError(
    'DATA_MALFORMED',
    `dataset: impression ${impressionId} has a click on ${JSON.stringify(id)}, which was not in view`,
    'dataset',
  );
}

function oneGroup(group: string, values: readonly string[]): FeedrankError {
  return new FeedrankError(
    'UNKNOWN_GROUP',
    `fairness.group: ${JSON.stringify(group)} needs two values to be evened out; the lists hold ` +
      (values[0] === undefined ? 'none' : `only ${JSON.stringify(values[0])}`),
    'fairness.group',
  );
}

function nothingToLearn({ name }: Dataset, split: string, skipped: number): FeedrankError {
  return new FeedrankError(
    'DATA_MALFORMED',
    `dataset: split ${split} of ${name} has no list with a clicked and an unclicked item` +
      (skipped > 0 ? `; in ${skipped} nothing or everything was clicked` : ''),
    'dataset',
  );
}

/** Positions of the features whose values differ somewhere in the data. */
export function varyingFeatures({ features, rows }: TrainingData): number[] {
  const width = features.length;
  const first = rows[0]!;
  const varies = new Uint8Array(width);
  for (const values of rows) {
    for (let i = 0; i < values.length; i += width) {
      for (let f = 0; f < width; f += 1) {
        if (values[i + f] !== first[f]) varies[f] = 1;
      }
    }
  }
  return [...varies.keys()].filter((f) => varies[f] === 1);
}

/** Hands the chosen columns to the native core, a little at a time. @internal */
export async function toNativeLists(
  data: TrainingData,
  columns: readonly number[],
): Promise<NativeRankingLists> {
  if (columns.length === 0) {
    throw new FeedrankError(
      'INVALID_ARGUMENT',
      'features: expected one whose values vary in the data, got none',
      'features',
    );
  }
  const native = new (binding().RankingLists)(columns.length);
  const width = data.features.length;
  // Few enough that requests of the same process hardly wait for the event loop.
  const chunk = 64;
  for (let begin = 0; begin < data.lists.length; begin += chunk) {
    const lists = data.lists.slice(begin, begin + chunk);
    const lengths = Uint32Array.from(lists, ({ clicked }) => clicked.length);
    const count = lengths.reduce((sum, length) => sum + length, 0);
    const rows = new Float32Array(count * columns.length);
    const clicked = new Uint8Array(count);
    const groups = new Uint8Array(count);
    let row = 0;
    lists.forEach((list, i) => {
      const values = data.rows[begin + i]!;
      groups.set(data.groups[begin + i]!, row);
      for (const [k, isClicked] of list.clicked.entries()) {
        clicked[row] = Number(isClicked);
        for (let c = 0; c < columns.length; c += 1) {
          rows[row * columns.length + c] = values[k * width + columns[c]!]!;
        }
        row += 1;
      }
    });
    try {
      native.append({
        rows,
        lengths,
        clicked,
        dwellSeconds: Float32Array.from(lists, ({ dwellSeconds }) => dwellSeconds),
        groups,
      });
    } catch (error) {
      throw namingFeature(error, data, columns);
    }
    await setImmediate();
  }
  return native;
}

/** The core knows a column by its place alone. */
function namingFeature(
  error: unknown,
  { features }: TrainingData,
  columns: readonly number[],
): unknown {
  const { argument, message } = error as Partial<FeedrankError>;
  const place = /^features\[(\d+)\]$/.exec(argument ?? '')?.[1];
  if (place === undefined) return error;
  const { name } = features[columns[Number(place)]!]!;
  return new FeedrankError(
    'INVALID_ARGUMENT',
    `features: ${JSON.stringify(name)}${(message ?? '').slice((argument ?? '').length)}`,
    'features',
    { cause: error },
  );
}
