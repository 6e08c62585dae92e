import type { NativeSliceComparison, NativeSlices } from '../binding';

/**
 * What a slice of readers, or a group of items, got. Counts are decayed; `null` stands where there
 * is nothing to divide by.
 */
export interface SliceFigures {
  readonly impressions: number;
  readonly clicks: number;
  /** Clicks per impression, both as recorded. */
  readonly clickThroughRate: number | null;
  /** Σ 1 / log2(position + 2) over the items of answered slates, the first at position 0. */
  readonly exposure: number;
  /** Of the exposure of all slates, items without a value of the label among them. */
  readonly exposureShare: number | null;
  /** Of the items of answered slates; slates whose ranker was skipped are left out. */
  readonly meanScore: number | null;
  /** Standard deviation of the scores around it. */
  readonly scoreDeviation: number | null;
}

/** Highest minus lowest; `null` where fewer than two values of the slice have one. */
export interface SliceGaps {
  readonly clickThroughRate: number | null;
  readonly exposureShare: number | null;
  readonly meanScore: number | null;
  /**
   * |mean score of A − mean score of B| / pooled standard deviation, for the two whose means lie
   * furthest apart; `null` also where the scores do not vary within them. Pooled over decayed
   * weights, without the correction for degrees of freedom that `evaluate` makes.
   */
  readonly scoreDisparity: number | null;
}

/** The values of one segment or of one label beside one another. */
export interface SliceComparison {
  /** By value, in order of the names. */
  readonly values: Readonly<Record<string, SliceFigures>>;
  /** Of `values`. */
  readonly gaps: SliceGaps;
}

/** A label's values beside one another. */
export interface GroupComparison extends SliceComparison {
  /** All values beyond the 64 that came first; in no gap. */
  readonly other: SliceFigures;
}

/** How slices of readers and groups of items fare. */
export interface Slices {
  /** The instant that the figures are as of: `now`, or the latest that was recorded, if later. */
  readonly now: number;
  /** Whatever the slice or group. */
  readonly all: SliceFigures;
  /** By the feed's segments, such as `device`. */
  readonly segments: Readonly<Record<string, SliceComparison>>;
  /** By the catalog's labels, such as `creator`. */
  readonly groups: Readonly<Record<string, GroupComparison>>;
  /**
   * Slates left out because their query's `now` was more than a half-life ahead both of the clock
   * and of what was recorded: counted as they say, they would make all before them fade away.
   */
  readonly slatesAhead: number;
}

/** @internal */
export function decodeSlices(native: NativeSlices): Slices {
  return {
    now: native.asOf,
    all: figuresOf(native.all, 0),
    segments: Object.fromEntries(
      native.segments.map((comparison) => [comparison.name, comparisonOf(comparison)]),
    ),
    groups: Object.fromEntries(
      native.groups.map((comparison) => [
        comparison.name,
        { ...comparisonOf(comparison), other: figuresOf(comparison.other, 0) },
      ]),
    ),
    slatesAhead: native.slatesAhead,
  };
}

function comparisonOf({ values, figures, gaps }: NativeSliceComparison): SliceComparison {
  const byName = values.map((value, i) => [value, figuresOf(figures, i)] as const);
  byName.sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    values: Object.fromEntries(byName),
    gaps: {
      clickThroughRate: orNull(gaps[0]!),
      exposureShare: orNull(gaps[1]!),
      meanScore: orNull(gaps[2]!),
      scoreDisparity: orNull(gaps[3]!),
    },
  };
}

/** Row `index` of the native core's figures. */
function figuresOf(figures: Float64Array, index: number): SliceFigures {
  const row = figures.subarray(index * 7);
  return {
    impressions: row[0]!,
    clicks: row[1]!,
    clickThroughRate: orNull(row[2]!),
    exposure: row[3]!,
    exposureShare: orNull(row[4]!),
    meanScore: orNull(row[5]!),
    scoreDeviation: orNull(row[6]!),
  };
}

function orNull(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}
