import type { ItemId } from '../identity';
import type { Precision } from '../models/precision';
import type { BudgetTrace, StageTrace } from '../stage-trace';
import type { Explanation } from './explanation';

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
  /** How the item came to be where it is; only where the query asks for it with `explain`. */
  readonly explanation?: Explanation;
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
  readonly budget: BudgetTrace;
  /** Ids of a given list, or of a user's generator, that are not items of the catalog. */
  readonly unknownIds: number;
  /** Candidates that left the catalog while the request ran, and so were dropped. */
  readonly removedMeanwhile: number;
}

/** A stage that did not take part in an answer, or not in full, and why. */
export interface Degradation {
  readonly stage: string;
  readonly reason: string;
}

/** A bundle by what it holds, wherever its folder stands. */
export interface SlateBundle {
  /** The SHA-256 by which its manifest vouches for it. */
  readonly checksum: string;
  /** What its ranker multiplied in. */
  readonly precision: Precision;
}

/** What `JSON.stringify(slate)` writes, its keys in this order. */
export interface SlateJson {
  /** Raised when a key changes its name or its meaning; keys may be added under the same version. */
  readonly formatVersion: 1;
  readonly epoch: number;
  readonly now: number;
  /** Only where an earlier ranking answered. */
  readonly answerAgeMs?: number;
  readonly seed: number;
  readonly profile: string;
  /** Only where a bundle's ranker gave the scores. */
  readonly bundle?: SlateBundle;
  readonly degraded: readonly Degradation[];
  readonly items: readonly SlateItem[];
}

type SlateFields = Pick<
  Slate,
  'items' | 'now' | 'answerAgeMs' | 'seed' | 'profile' | 'bundle' | 'epoch' | 'degraded' | 'trace'
>;

/** The answer to a query: items in order, with reasons. */
export class Slate {
  readonly items: readonly SlateItem[];
  /** The instant the ranking is as of, in epoch milliseconds. */
  readonly now: number;
  /**
   * Where the profile's `maxAnswerAgeMs` let an earlier ranking answer: its age in milliseconds at the
   * query's `now`. The stages and the budget of `trace` are then what they were for that ranking.
   * Undefined where the ranking was computed for this request.
   */
  readonly answerAgeMs: number | undefined;
  /** The query's seed. */
  readonly seed: number;
  /** Name of the profile that was used. */
  readonly profile: string;
  /**
   * The bundle whose ranker gave all the scores and terms: the feed's own, or the profile's
   * `smallerBundle` where the budget said so. Undefined where no bundle's ranker did.
   */
  readonly bundle: SlateBundle | undefined;
  /** The catalog's epoch that the request saw. */
  readonly epoch: number;
  /**
   * Stages that were skipped for want of time or because they failed, and targets that a stage
   * missed; empty for a full answer.
   */
  readonly degraded: readonly Degradation[];
  readonly trace: Trace;

  private constructor(fields: SlateFields) {
    this.items = fields.items;
    this.now = fields.now;
    this.answerAgeMs = fields.answerAgeMs;
    this.seed = fields.seed;
    this.profile = fields.profile;
    this.bundle = fields.bundle;
    this.epoch = fields.epoch;
    this.degraded = fields.degraded;
    this.trace = fields.trace;
  }

  /** @internal */
  static of(fields: SlateFields): Slate {
    return new Slate(fields);
  }

  /**
   * What the slate says, without what it took: timings are in `trace`, which has a JSON of its own.
   * The same query with the same `now`, `seed` and profile, asked at the same `epoch`, with the same
   * events recorded, in time for its budget, gives the same bytes. An epoch that differs says that
   * the catalog was written to in between; requests see the newest state, so an earlier epoch cannot
   * be asked for again.
   */
  toJSON(): SlateJson {
    return {
      formatVersion: 1,
      epoch: this.epoch,
      now: this.now,
      ...(this.answerAgeMs === undefined ? {} : { answerAgeMs: this.answerAgeMs }),
      seed: this.seed,
      profile: this.profile,
      ...(this.bundle === undefined ? {} : { bundle: { ...this.bundle } }),
      degraded: this.degraded.map(({ stage, reason }) => ({ stage, reason })),
      items: this.items.map(({ id, position, score, sources, terms, explanation }) => ({
        id,
        position,
        score,
        sources: sources.map(({ generator, score }) => ({ generator, score })),
        terms,
        ...(explanation === undefined ? {} : { explanation }),
      })),
    };
  }
}
