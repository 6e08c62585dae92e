import type { ItemId, UserId } from '../identity';
import type { Instant } from '../instant';

/** What a reader did with an item. */
export interface FeedEvent {
  /** `impression`, `click` and `dwell` feed counters; others are accepted and only de-duplicated. */
  readonly type: 'impression' | 'click' | 'dwell' | 'hide' | 'report' | (string & {});
  readonly userId: UserId;
  readonly itemId: ItemId;
  readonly at: Instant;
  /** The same `eventId` twice counts once. */
  readonly eventId?: string;
  /** How long the item was read, in milliseconds; required for `dwell`. */
  readonly dwellMs?: number;
}

/** What became of a batch of events. */
export interface RecordResult {
  readonly recorded: number;
  /** Events whose `eventId` had been counted. */
  readonly duplicates: number;
  /** Events older than the lateness bound; dropped. */
  readonly late: number;
  /** Events on items that the catalog does not have; dropped. */
  readonly unknownItems: number;
}
