import type { ItemId } from '../identity';
import type { StageTrace } from '../stage-trace';

/** Where a candidate came from. */
export interface CandidateSource {
  /** Name of the generator. */
  readonly generator: string;
  /** The generator's own score; comparable only within the generator. */
  readonly score: number;
}

/** One ranked item. */
export interface SlateItem {
  readonly id: ItemId;
  /** 0 for the first. */
  readonly position: number;
  readonly score: number;
  /** Every generator that found the item; empty for `rerank`. */
  readonly sources: readonly CandidateSource[];
  /**
   * What the score is made of, by name. A model's heads and a weighted sum's features add up to
   * the score; `dot` and `decay` of a decayed dot product multiply to it.
   */
  readonly terms: Readonly<Record<string, number>>;
}

/** What happened to a request. */
export interface Trace {
  /** From the call to the answer. */
  readonly totalMs: number;
  /** Waiting for a native thread. */
  readonly queueMs: number;
  /** Inside native code, off the event loop. */
  readonly nativeMs: number;
  /** How often the request crossed into native code: 1 where every stage is native. */
  readonly nativeCalls: number;
  readonly stages: readonly StageTrace[];
  /** Ids of a given list, or of a user's generator, that are not items of the catalog. */
  readonly unknownIds: number;
  /** Candidates that left the catalog while the request ran, and so were dropped. */
  readonly removedMeanwhile: number;
}

/** A stage that did not take part in an answer, and why. */
export interface Degradation {
  readonly stage: string;
  readonly reason: string;
}

/** The answer to a query: items in order, with reasons. */
export interface Slate {
  readonly items: readonly SlateItem[];
  /** The instant the ranking is as of, in epoch milliseconds. */
  readonly now: number;
  /** Name of the profile that was used. */
  readonly profile: string;
  /** The catalog's epoch that the request saw. */
  readonly epoch: number;
  /** Stages that were skipped for want of time or because they failed; empty for a full answer. */
  readonly degraded: readonly Degradation[];
  readonly trace: Trace;
}
