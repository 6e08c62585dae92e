import type { ItemId, UserId } from '../identity';
import type { Instant } from '../instant';
import type { RankProfile } from '../profile/rank-profile';
import type { UserVector } from '../user-vector';

/** Names of authors and topics, up to 1,000 each; those that no item has are allowed. */
export interface AuthorsAndTopics {
  readonly authors?: readonly string[];
  readonly topics?: readonly string[];
}

/** One request: what should this reader see now? */
export interface Query {
  /** Lets the seen filter know what this reader was shown. */
  readonly userId?: UserId;
  readonly userVector?: UserVector | readonly UserVector[];
  /** Defaults to the clock. With it, every ranking can be replayed. */
  readonly now?: Instant;
  /** How many items the slate holds, 1 to 10,000. Defaults to the profile's `limit`. */
  readonly limit?: number;
  /** Numbers for features whose source is the query's context. */
  readonly context?: Readonly<Record<string, number>>;
  /** The reader's and the place's values of some of the feed's segments. */
  readonly segments?: Readonly<Record<string, string>>;
  /** The item on whose page the slate will stand; an id that is no item says nothing. */
  readonly currentItemId?: ItemId;
  /** Authors and topics that this reader follows, for the followed generator. */
  readonly follows?: AuthorsAndTopics;
  /** Authors and topics that this reader must not be shown, for the blocked filter. */
  readonly blocked?: AuthorsAndTopics;
  /** Authors and topics that this reader would rather not be shown, for the muted filter. */
  readonly muted?: AuthorsAndTopics;
  /** Items that this reader knows already, beside those that were recorded. */
  readonly seen?: readonly ItemId[];
  /** The name of one of the feed's profiles, or settings on top of the feed's default profile. */
  readonly profile?: string | RankProfile;
  /** Milliseconds for the whole request, above 0. Defaults to the profile's `budgetMs`. */
  readonly budgetMs?: number;
  /**
   * Percentage of such requests that are to be answered within the budget, 50 to 99.9. Defaults to
   * the profile's `budgetPercentile`.
   */
  readonly budgetPercentile?: number;
  /**
   * Whether each item of the slate says how it came to be where it is. Costs the ordering of the
   * candidates once more and some microseconds an item. Defaults to `false`.
   */
  readonly explain?: boolean;
  /**
   * A safe integer, handed to stages of your own for whatever they draw at random; the slate says it.
   * Native stages draw nothing. Defaults to 0.
   */
  readonly seed?: number;
  /** Aborts the request: it rejects with `ABORTED`. A forward pass that runs is not interrupted. */
  readonly signal?: AbortSignal;
}
