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
