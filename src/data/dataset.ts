import type { Item } from '../catalog/item';
import type { ItemId, UserId } from '../identity';
import { FeedrankError } from '../errors';
import type { UserVector } from '../user-vector';

/** An item of a dataset. */
export interface DatasetItem extends Omit<Item, 'publishTime'> {
  /** In epoch milliseconds. An item without one is published when it is first shown. */
  readonly publishTime?: number;
}

/** What the reader did with the clicked item, known only once it has ended. */
export interface ImpressionOutcome {
  /** How long the clicked item was read, in milliseconds. */
  readonly dwellMs?: number;
  /** How much of the clicked item was scrolled through, 0 to 100. */
  readonly scrollPercentage?: number;
}

/** A list of items that one reader had in view at one time, and which of them were clicked. */
export interface DatasetImpression {
  /** Unique within its split. */
  readonly impressionId: number | string;
  readonly userId: UserId;
  /** When the list was shown, in epoch milliseconds. */
  readonly at: number;
  /** The items in view, each once, in the order shown where the data knows it. */
  readonly itemIds: readonly ItemId[];
  /** Those of `itemIds` that were clicked, each once. */
  readonly clickedIds: readonly ItemId[];
  /** Numbers known when the list was shown, for features whose source is the query's context. */
  readonly context: Readonly<Record<string, number>>;
  /** Where the list was shown: values of the dataset's segments, where they are known. */
  readonly segments?: Readonly<Record<string, string>>;
  /** The item on whose own page the list was shown. */
  readonly currentItemId?: ItemId;
  /** The reader's value for each of the dataset's user slices, where it is known. */
  readonly userSlices: Readonly<Record<string, string>>;
  /** The reader in the dataset's embedding spaces, as known before this impression. */
  readonly userVectors?: readonly UserVector[];
  /** A label, never a feature of the same impression. */
  readonly outcome?: ImpressionOutcome;
  readonly split: string;
}

/** One item that a reader read before the log, or beside it. */
export interface HistoryRead {
  readonly itemId: ItemId;
  /** When the read began, in epoch milliseconds. Without it, all that is known is the order. */
  readonly at?: number;
  readonly dwellMs?: number;
  /** How much of the item was scrolled through, 0 to 100. */
  readonly scrollPercentage?: number;
}

/** What one reader read before a split's log begins. */
export interface ReaderHistory {
  readonly userId: UserId;
  /** Oldest first; an item may come again. */
  readonly reads: readonly HistoryRead[];
}

/**
 * An interaction log in the one shape that replay, evaluation and training read. Readers of files
 * and simulators alike are functions that return one.
 */
export interface Dataset {
  readonly name: string;
  readonly ids: 'integer' | 'string';
  /** Embedding spaces of the items; empty where the data has no embeddings. */
  readonly spaces: Readonly<Record<string, { readonly dimensions: number }>>;
  /** Names of the items' numeric columns. */
  readonly columns: readonly string[];
  /** Names of the items' labels: groups of items. */
  readonly labels: readonly string[];
  /** Names of the groups of readers. */
  readonly userSlices: readonly string[];
  /** Where lists are shown, such as devices and kinds of pages: the values of each segment. */
  readonly segments: Readonly<Record<string, readonly string[]>>;
  /** Half-lives of the counters that suit the log, as a feed's. Defaults to those of a feed. */
  readonly halfLivesMs?: readonly number[];
  /**
   * The parts of the log, in order of time, and how many impressions each holds at most. What is
   * measured in a part may be known from all parts before it.
   */
  readonly splits: readonly { readonly name: string; readonly impressions: number }[];
  /**
   * Whether a part begins before the part before it ends, as where every reader's last actions are
   * set aside. A replay then plays the parts side by side. Defaults to `false`.
   */
  readonly overlapping?: boolean;
  /** The items that are listed, by publish time, those without one last. Impressions may show others. */
  readonly items: readonly DatasetItem[];
  /** Rows that were left out because they are malformed; grows while impressions are read. */
  readonly malformedRows: number;
  /** The impressions of one split, by time and then impression id. */
  impressions(split: string): AsyncIterable<DatasetImpression>;
  /**
   * What the readers of one split read before its log begins, where the data says so. It may repeat
   * clicks of the splits before, so it never counts as popularity.
   */
  history?(split: string): AsyncIterable<ReaderHistory>;
  /**
   * The truth behind a simulated log: how likely this reader is to click this item at this time in
   * the first position, 0 to 1. NaN for readers and items that are not of the dataset.
   */
  readonly utility?: (userId: UserId, itemId: ItemId, at: number) => number;
}

/** What a reader does with a row that it cannot make sense of. */
export type MalformedRows = 'fail' | 'skip';

/**
 * The dataset's splits up to and including the named one.
 * @throws {FeedrankError} `INVALID_ARGUMENT` where the dataset has no such split.
 */
export function splitsUpTo(dataset: Dataset, split: string): Dataset['splits'] {
  const index = dataset.splits.findIndex(({ name }) => name === split);
  if (index < 0) {
    const names = dataset.splits.map(({ name }) => name).join(', ');
    throw new FeedrankError(
      'INVALID_ARGUMENT',
      `split: dataset ${dataset.name} has no split ${JSON.stringify(split)}, only ${names}`,
      'split',
    );
  }
  return dataset.splits.slice(0, index + 1);
}

/** Orders impressions by time, and those of one time by impression id. */
export function compareImpressions(a: DatasetImpression, b: DatasetImpression): number {
  if (a.at !== b.at) return a.at - b.at;
  if (a.impressionId === b.impressionId) return 0;
  return a.impressionId < b.impressionId ? -1 : 1;
}
