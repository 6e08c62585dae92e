import type { Catalog, CatalogOptions } from '../catalog/catalog';
import { splitsUpTo } from '../data/dataset';
import type { Dataset, DatasetImpression } from '../data/dataset';
import { FeedrankError } from '../errors';
import type { FeedEvent } from '../feed/event';
import type { Feed } from '../feed/feed';
import type { FeedOptions } from '../feed/feed-options';
import type { Towers } from '../models/towers';
import { knownSegments } from './impression-query';
import { impressionsInOrder } from './impressions-in-order';
import { KnowledgeQueue } from './knowledge-queue';
import { LivePool } from './live-pool';
import { Publication } from './publication';
import { ReadHistory } from './read-history';

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
   * With it, the catalog holds just what somebody was shown, or what was published, at most this
   * many milliseconds and at least the lag ago: the live pool that candidates come from. Defaults
   * to everything that has been published or shown so far.
   */
  readonly poolMs?: number;
  /** Give items their vectors as they enter the catalog, which must have the space. Defaults to none. */
  readonly towers?: Towers;
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
  /** Events of the log that were recorded; those still younger than the lag at the end are not. */
  readonly events: number;
  /** Reads of the readers' histories that were recorded, of those that the log does not repeat. */
  readonly reads: number;
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

/** What a feed needs besides its stages to take a dataset's events. */
export function replayFeedOptions({
  segments,
  halfLivesMs,
}: Dataset): Pick<FeedOptions, 'segments' | 'halfLivesMs' | 'latenessMs'> {
  return { segments, latenessMs: replayLatenessMs, ...(halfLivesMs ? { halfLivesMs } : {}) };
}

/** The catalog that a dataset's items fit in, with the space of towers where there are any. */
export function replayCatalogOptions(
  { ids, spaces, columns, labels }: Dataset,
  towers?: Towers,
): CatalogOptions {
  if (towers === undefined) return { ids, spaces, columns, labels };
  const { name, dimensions, version } = towers.space;
  return { ids, spaces: { ...spaces, [name]: { dimensions, version } }, columns, labels };
}

/**
 * Plays a log through one feed in the order of time, as it would have gone live. An item enters the
 * catalog at its publish time or at its first sight, whichever comes first; one that the dataset
 * does not list is published at first sight. What readers did is recorded once it is `lagMs` old;
 * a read is known when it has ended. Nothing later than that is ever visible. What readers
 * read beside the log becomes known in the same way, as events of type `read`, which leave item
 * counters alone; where the log has the same read as a click, it is left out.
 *
 * @throws {FeedrankError} `INVALID_ARGUMENT` for an unknown split, `DATA_MALFORMED` where the log
 * goes back in time, and whatever `onImpression` throws.
 */
export async function replay(options: ReplayOptions): Promise<ReplaySummary> {
  const { dataset, catalog, feed, lagMs = 600_000 } = options;
  const stock =
    options.poolMs === undefined
      ? new Publication(dataset)
      : new LivePool(dataset, options.poolMs, lagMs);
  const splits = splitsUpTo(dataset, options.split);
  const history = await ReadHistory.load(dataset, splits, lagMs);
  const queue = new KnowledgeQueue();
  let impressions = 0;
  let events = 0;
  let reads = 0;
  let now = 0;

  for await (const impression of impressionsInOrder(dataset, splits)) {
    if (impression.at < now) throw backInTime(dataset, impression);
    now = impression.at;

    const entering = stock.entering(impression);
    if (entering.length > 0)
      await catalog.upsert((await options.towers?.embed(entering)) ?? entering);
    if (stock.leaving.length > 0) await catalog.remove(stock.leaving);
    // What was known before the last instant of the features' pool is part of the pool, as it is
    // where events are recorded when they become known.
    for (const instant of [Math.floor(now / feed.poolGridMs) * feed.poolGridMs - 1, now]) {
      const known = queue.takeUpTo(instant - lagMs).filter(({ itemId }) => stock.has(itemId));
      if (known.length > 0) events += await record(feed, known, instant);
    }
    const read = history.takeUpTo(now, stock, entering, impression.split);
    if (read.length > 0) reads += await record(feed, read, now);

    await options.onImpression?.(impression);

    queue.add(now, shownAndClicked(impression, feed));
    const ended = readOf(impression, feed);
    if (ended) queue.add(ended.at, [ended]);
    history.addClicks(impression);
    impressions += 1;
    options.onProgress?.(impressions);
  }
  return { impressions, events, reads, unknownItems: stock.unknownItems, endedAt: now };
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

function shownAndClicked(impression: DatasetImpression, feed: Feed): FeedEvent[] {
  const { at, userId, itemIds, clickedIds } = impression;
  const where = whereShown(impression, feed);
  return [
    ...itemIds.map((itemId) => ({ type: 'impression', userId, itemId, at, ...where })),
    ...clickedIds.map((itemId) => ({ type: 'click', userId, itemId, at, ...where })),
  ];
}

/** Where the list was shown, as far as the feed's own segments tell. */
function whereShown(
  { segments = {}, currentItemId }: DatasetImpression,
  feed: Feed,
): Pick<FeedEvent, 'segments' | 'fromItemId'> {
  return {
    segments: knownSegments(segments, feed),
    ...(currentItemId === undefined ? {} : { fromItemId: currentItemId }),
  };
}

/** The outcome does not say which of several clicked items it belongs to, so it is dropped then. */
function readOf(
  impression: DatasetImpression,
  feed: Feed,
): (FeedEvent & { readonly at: number; readonly dwellMs: number }) | undefined {
  const { at, userId, clickedIds, outcome } = impression;
  const [itemId] = clickedIds;
  const { dwellMs, scrollPercentage } = outcome ?? {};
  if (itemId === undefined || clickedIds.length !== 1 || dwellMs === undefined) return undefined;
  return {
    type: 'dwell',
    userId,
    itemId,
    at: at + dwellMs,
    dwellMs,
    ...(scrollPercentage === undefined ? {} : { scrollPercentage }),
    ...whereShown(impression, feed),
  };
}

function backInTime(dataset: Dataset, impression: DatasetImpression): FeedrankError {
  return new FeedrankError(
    'DATA_MALFORMED',
    `${dataset.name}: impression ${impression.impressionId} of split ${impression.split} is ` +
      'earlier than the one before it',
    'dataset',
  );
}
