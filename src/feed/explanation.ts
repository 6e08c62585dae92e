/** Where in a generator's own list an item stood. */
export interface SourcePosition {
  /** Name of the generator. */
  readonly generator: string;
  /** The generator's own score; comparable only within the generator. */
  readonly score: number;
  /** 0 for the generator's best. */
  readonly position: number;
}

/** Where an item stood among the candidates once a stage had run; 0 for the first. */
export interface StagePosition {
  /**
   * Name of the stage; `merge` for the merged lists of the generators and `list` for a given list.
   * A ranker moves nothing: its position is the place by score.
   */
  readonly stage: string;
  /** Before the stage; missing for the first, which made the list. */
  readonly before?: number;
  readonly after: number;
}

/**
 * How an item came to be where it is in a slate. Its score and what that is made of stand beside it,
 * in {@link SlateItem}.
 */
export interface Explanation {
  /** Every generator that found the item; empty for `rerank`. */
  readonly sources: readonly SourcePosition[];
  /** What the ranker could read of the item, by name, as it read it: float32. */
  readonly features: Readonly<Record<string, number>>;
  /** What a model put out for the item, by head, before the heads are weighted; empty for others. */
  readonly outputs: Readonly<Record<string, number>>;
  /**
   * What the selector weighed beside the score when it took the item, by name; empty for selectors
   * that weigh nothing else. `diversity` is −w · the greatest similarity to what stood before it
   * (MMR), or w · the logarithm of what that left of it (DPP), beside (1 − w) · ŝ (see `mmr`);
   * `exposure` is what a slate by score alone would have to add to the ŝ of the item's groups for
   * them to get their shares. Negative where it held the item back.
   */
  readonly penalties: Readonly<Record<string, number>>;
  /** From the first list of candidates to the slate, in order. */
  readonly positions: readonly StagePosition[];
}
