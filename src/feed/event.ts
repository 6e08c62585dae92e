import type { ItemId, UserId } from '../identity';
import type { Instant } from '../instant';

/** What a reader did with an item. */
export interface FeedEvent {
  /**
   * `impression`, `click`, `dwell`, `hide` and `report` are counted for the item and remembered of
   * the reader. `read` says that the reader has read the item, such as before the service began to
   * record: it is remembered of the reader and counts for co-reads, but not for the item. Events of
   * other types are only de-duplicated.
   */
  readonly type: 'impression' | 'click' | 'dwell' | 'hide' | 'report' | 'read' | (string & {});
  readonly userId: UserId;
  readonly itemId: ItemId;
  readonly at: Instant;
  /** The same `eventId` twice counts once. */
  readonly eventId?: string;
  /** How long the item was read, in milliseconds; required for `dwell`, possible for `read`. */
  readonly dwellMs?: number;
  /** How much of the item was scrolled through, 0 to 100; for `dwell` and `read`. */
  readonly scrollPercentage?: number;
  /** The item on whose page this item was clicked; an id that is no item says nothing. */
  readonly fromItemId?: ItemId;
  /** The reader's or the place's value of some of the feed's segments. */
  readonly segments?: Readonly<Record<string, string>>;
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
