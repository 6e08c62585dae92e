/** What one stage did for one request. */
export interface StageTrace {
  readonly name: string;
  readonly kind: 'encoder' | 'generator' | 'merge' | 'filter' | 'enricher' | 'ranker' | 'selector';
  /** Milliseconds of the stage itself. */
  readonly ms: number;
  /** Candidates before and after. */
  readonly in: number;
  readonly out: number;
  /** Why the stage did not take part, where it did not: `budget`, `deadline`, an error's code and message, … */
  readonly skipped?: string;
  /** What the stage could not do in full although it took part, such as an exposure target that it missed. */
  readonly shortfalls: readonly string[];
  /** What else there is to say about what the stage did, such as a target that it could not meet. */
  readonly notes: readonly string[];
}

/** What a request's budget was spent on. */
export interface BudgetTrace {
  /** Milliseconds that were promised, for this percentage of requests. */
  readonly budgetMs: number;
  readonly percentile: number;
  /**
   * The quality factor when the request began, 0.2 to 1: the share of its budget that a request may
   * plan to spend. It falls with every request of the profile that misses its budget.
   */
  readonly quality: number;
  /** Requests and writes that waited for a native thread when this one got its own. */
  readonly waiting: number;
  /** Most candidates that were to be kept after merging. */
  readonly candidates: number;
  /** What ranked them: the feed's own ranker, the profile's `smallerBundle`, decayed dot, or nothing. */
  readonly tier: 'full' | 'smaller' | 'decayed-dot' | 'merged-order';
  /** Candidates that it ranked. */
  readonly ranked: number;
  /** From the call to the answer: expected when the tier was chosen, and spent in the end. */
  readonly predictedMs: number;
  readonly spentMs: number;
}
