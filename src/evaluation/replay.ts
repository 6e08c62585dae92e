import type { Catalog, CatalogOptions } from '../catalog/catalog';
import type { ItemId } from '../identity';
import { splitsUpTo } from '../data/dataset';
import type { Dataset, DatasetImpression, DatasetItem } from '../data/dataset';
import { FeedrankError } from '../errors';
import type { FeedEvent } from '../feed/event';
import type { Feed } from '../feed/feed';
import { KnowledgeQueue } from './knowledge-queue';

export interface ReplayOptions {
  readonly dataset: Dataset;
  /** Empty, and of the dataset's id kind, columns, labels and spaces; see {@link replayCatalogOptions}. */
  readonly catalog: Catalog;
  /** A feed on the catalog; see {@link replayLatenessMs} for its lateness bound. */
  readonly feed: Feed;
  /** The last split to replay; those before it are replayed first. */
  readonly split: string;
  /** How old an event is when it becomes known, in milliseconds. Defaults to `600000`. */
  readonly lagMs?: number;
  /**
   * Called for each impression when catalog and feed hold what was known at its time, and nothing
   * else. The replay waits for it.
   */
  readonly onImpression?: (impression: DatasetImpression) => void | Promise<void>;
  /** Called after each impression with how many there have been. */
  readonly onProgress?: (impressions: number) => void;
}

export interface ReplaySummary {
  readonly impressions: number;
  /** Events that were recorded; those still younger than the lag at the end are not. */
  readonly events: number;
  /** Different items that were shown although the dataset does not list them. */
  readonly unknownItems: number;
  /** Time of the last impression, in epoch milliseconds; 0 where there was none. */
  readonly endedAt: number;
}

/**
 * Lateness bound of a replay's feed. Events reach it in the order of their times, so none is ever
 * late; the bound only has to be wider than a quiet stretch of the log.
 */
export const replayLatenessMs = 365 * 86_400_000;

/** The catalog that a dataset's items fit in. */
export function replayCatalogOptions({ ids, spaces, columns, labels }: Dataset): CatalogOptions {
  return { ids, spaces, columns, labels };
}

/**
 * Plays a log through one feed in the order of time, as it would have gone live. An item enters the
 * catalog at its publish time or at its first sight, whichever comes first; one that the dataset
 * does not list is published at first sight. What readers did is recorded once it is `lagMs` old;
 * a read is known when it has ended. Nothing later than that is ever visible.
 *
 * @throws {FeedrankError} `INVALID_ARGUMENT` for an unknown split, `DATA_MALFORMED` where the log
 * goes back in time, and whatever `onImpression` throws.
 */
export async function replay(options: ReplayOptions): Promise<ReplaySummary> {
  const { dataset, catalog, feed, lagMs = 600_000 } = options;
  const publication = new Publication(dataset);
  const queue = new KnowledgeQueue();
  let impressions = 0;
  let events = 0;
  let now = 0;

  for (const split of splitsUpTo(dataset, options.split)) {
    for await (const impression of dataset.impressions(split.name)) {
      if (impression.at < now) throw backInTime(dataset, impression);
      now = impression.at;

      const items = publication.itemsFor(impression);
      if (items.length > 0) await catalog.upsert(items);
      const known = queue.takeUpTo(now - lagMs);
      if (known.length > 0) events += await record(feed, known, now);

      await options.onImpression?.(impression);

      queue.add(now, shownAndClicked(impression));
      const read = readOf(impression);
      if (read) queue.add(read.at, [read]);
      impressions += 1;
      options.onProgress?.(impressions);
    }
  }
  return { impressions, events, unknownItems: publication.unknownItems, endedAt: now };
}

async function record(feed: Feed, events: readonly FeedEvent[], now: number): Promise<number> {
  const { recorded } = await feed.record(events, { now });
  if (recorded !== events.length) {
    throw new FeedrankError(
      'INTERNAL',
      `a replay recorded ${recorded} of ${events.length} events, so its counters are wrong`,
    );
  }
  return recorded;
}

function shownAndClicked({ at, userId, itemIds, clickedIds }: DatasetImpression): FeedEvent[] {
  return [
    ...itemIds.map((itemId) => ({ type: 'impression', userId, itemId, at })),
    ...clickedIds.map((itemId) => ({ type: 'click', userId, itemId, at })),
  ];
}

/** The outcome does not say which of several clicked items it belongs to, so it is dropped then. */
function readOf(
  impression: DatasetImpression,
): (FeedEvent & { readonly at: number; readonly dwellMs: number }) | undefined {
  const { at, userId, clickedIds, outcome } = impression;
  const [itemId] = clickedIds;
  const dwellMs = outcome?.dwellMs;
  if (itemId === undefined || clickedIds.length !== 1 || dwellMs === undefined) return undefined;
  return { type: 'dwell', userId, itemId, at: at + dwellMs, dwellMs };
}

function backInTime(dataset: Dataset, impression: DatasetImpression): FeedrankError {
  return new FeedrankError(
    'DATA_MALFORMED',
    `${dataset.name}: impression ${impression.impressionId} of split ${impression.split} is ` +
      'earlier than the one before it',
    'dataset',
  );
}

/** Says which items come into being when. */
class Publication {
  unknownItems = 0;
  readonly #items: readonly DatasetItem[];
  readonly #listed: ReadonlyMap<ItemId, DatasetItem>;
  readonly #published = new Set<ItemId>();
  #next = 0;

  constructor(dataset: Dataset) {
    this.#items = dataset.items;
    this.#listed = new Map(dataset.items.map((item) => [item.id, item]));
  }

  /** Items not handed out before that are published by the impression's time or shown in it. */
  itemsFor({ at, itemIds }: DatasetImpression): DatasetItem[] {
    const items: DatasetItem[] = [];
    let item = this.#items[this.#next];
    while (item !== undefined && item.publishTime <= at) {
      if (!this.#published.has(item.id)) items.push(item);
      this.#published.add(item.id);
      this.#next += 1;
      item = this.#items[this.#next];
    }
    for (const id of itemIds) {
      if (this.#published.has(id)) continue;
      const listed = this.#listed.get(id);
      if (!listed) this.unknownItems += 1;
      // A listed time that is still to come would tell the future.
      items.push({ ...listed, id, publishTime: at });
      this.#published.add(id);
    }
    return items;
  }
}
