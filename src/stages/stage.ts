import type { ItemId, UserId } from '../identity';
import type { AuthorsAndTopics } from '../feed/query';
import type { UserVector } from '../user-vector';
import type { RankSettings } from '../profile/rank-settings';
import type { CandidateBatch } from './candidate-batch';

type MaybePromise<T> = T | Promise<T>;

/** What a stage is told of the request. */
export interface StageContext {
  readonly userId: UserId | undefined;
  readonly userVectors: readonly UserVector[];
  /** Epoch milliseconds. */
  readonly now: number;
  readonly limit: number;
  readonly context: Readonly<Record<string, number>>;
  /** The query's values of the feed's segments. */
  readonly segments: Readonly<Record<string, string>>;
  readonly currentItemId: ItemId | undefined;
  readonly follows: Required<AuthorsAndTopics>;
  readonly blocked: Required<AuthorsAndTopics>;
  readonly muted: Required<AuthorsAndTopics>;
  readonly seen: readonly ItemId[];
  /** The query's seed: what a stage draws at random must depend on nothing else. */
  readonly seed: number;
  /** The settings in force: request over profile over defaults. */
  readonly settings: RankSettings;
  /** Aborted when the stage's time is up or the caller gave up. */
  readonly signal: AbortSignal;
}

interface StageBase {
  /** Unique within the feed. */
  readonly name: string;
  /**
   * Whether a failure of this stage fails the request with `STAGE_FAILED`. Otherwise the stage is
   * skipped, which the trace and `degraded` say. Defaults to `false`.
   */
  readonly failClosed?: boolean;
}

/** Candidates by their external ids, best first, with scores where there are any. */
export interface GeneratedCandidates {
  readonly ids: readonly ItemId[];
  /** One an id, finite. Defaults to descending ranks. */
  readonly scores?: ArrayLike<number>;
}

/**
 * Produces candidates. Moves click-through by what it can find at all; costs its own latency, in
 * parallel with other generators.
 */
export interface CandidateGenerator extends StageBase {
  generate(context: StageContext): MaybePromise<GeneratedCandidates>;
}

/** Only drops candidates. Moves community health and time spent; costs little. */
export interface Filter extends StageBase {
  /** One entry a candidate: `true` or 1 keeps it. */
  filter(
    batch: CandidateBatch,
    context: StageContext,
  ): MaybePromise<readonly boolean[] | Uint8Array>;
}

/** Only adds features; never drops, never reorders. Moves click-through through the ranker. */
export interface FeatureEnricher extends StageBase {
  /** Names of the columns that it adds. */
  readonly features: readonly string[];
  /** [candidate × feature], row-major, finite. */
  enrich(batch: CandidateBatch, context: StageContext): MaybePromise<ArrayLike<number>>;
}

/** Scores, and the named terms that they are made of. */
export interface RankedCandidates {
  /** One a candidate, finite; higher is better. */
  readonly scores: ArrayLike<number>;
  /** By name, one value a candidate. Defaults to the score itself. */
  readonly terms?: Readonly<Record<string, ArrayLike<number>>>;
}

/** Only sets scores, each from the candidate's own features. Moves click-through and time spent. */
export interface Ranker extends StageBase {
  rank(batch: CandidateBatch, context: StageContext): MaybePromise<RankedCandidates>;
}

/** Chooses and orders the slate. Moves diversity and creator exposure. */
export interface Selector extends StageBase {
  /** Positions of candidates, best first, without repetition; cut at the query's limit. */
  select(batch: CandidateBatch, context: StageContext): MaybePromise<ArrayLike<number>>;
}
