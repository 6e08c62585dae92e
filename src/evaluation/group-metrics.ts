import type { ItemId } from '../identity';
import { Bootstrap } from './bootstrap';
import type { MeanInterval } from './bootstrap';
import { extremes, itemGroupParts, sliceParts } from './compared-groups';
import type { ComparedImpression, GroupPart } from './compared-groups';
import { disparityByChance, type ChanceLevel } from './disparity-by-chance';
import { impressionMetrics } from './metrics';
import type { PairCount } from './metrics';

/** One impression as a ranker ordered it. */
export interface RankedImpression extends ComparedImpression {
  /** First items of the slate, which holds others than those in view where it ranks the catalog. */
  readonly slateIds: readonly ItemId[];
  /** How long the one clicked item was read, in milliseconds; `undefined` where it is not known. */
  readonly dwellMs?: number;
  /** How likely a click on each item was, as the ranker says; not for items that it did not find. */
  readonly probabilities?: readonly number[];
  /** How likely a click on each item truly was; there where the dataset knows. */
  readonly utilities?: readonly number[];
}

/** How well one group fares. */
export interface GroupValueMetrics {
  /**
   * For a slice of readers: its impressions. For a group of items: impressions in which one of the
   * group was clicked.
   */
  readonly impressions: number;
  /**
   * Mean over those impressions. For a group of items, its clicked items stand against all
   * unclicked items; clicked items of other groups are left out. `null` without impressions.
   */
  readonly auc: number | null;
  /** Mean over the same impressions, of the same items. */
  readonly ndcg10: number | null;
  /** Mean score of the slice's lists, or of the group's items in all lists. */
  readonly meanScore: number | null;
}

/** Differences between groups. Each is `null` where fewer than two groups can be compared. */
export interface GroupMetrics {
  /** By value of the label or slice; rows without a value belong to no group. */
  readonly values: Readonly<Record<string, GroupValueMetrics>>;
  /**
   * |mean score of A − mean score of B| / pooled standard deviation, for the two groups whose mean
   * scores lie furthest apart. `null` also where the scores do not vary within them.
   */
  readonly scoreDisparity: number | null;
  /**
   * For slices of readers: how large `scoreDisparity` is where the slices mean nothing, over 1,000
   * random divisions of the same readers into slices of the same sizes. There is nothing to even
   * out where the disparity is no larger than that.
   */
  readonly scoreDisparityChance?: ChanceLevel | null;
  /**
   * For groups of items: inter-group pairwise accuracy (Beutel et al. 2019, "Fairness in
   * recommendation ranking through pairwise comparisons") is the share of pairs of a clicked item
   * of the group and an unclicked item of another group, shown in one impression, that the ranker
   * puts in order; a tie counts half. A slice of readers has no pairs across groups, because a list
   * has one reader: there it is the share of all pairs of a clicked and an unclicked item. The gap
   * is the highest accuracy minus the lowest.
   */
  readonly pairwiseGap: number | null;
  /**
   * Mean nDCG@10 of the best group minus that of the worst, with the 95% interval of a bootstrap
   * over impressions.
   */
  readonly ndcgGap: MeanInterval | null;
}

/** What is gathered of one group. */
class GroupTally {
  readonly scores: number[] = [];
  readonly #auc: Float64Array;
  readonly #ndcg10: Float64Array;
  #pairs = 0;
  #ordered = 0;

  constructor(impressions: number) {
    this.#auc = new Float64Array(impressions).fill(NaN);
    this.#ndcg10 = new Float64Array(impressions).fill(NaN);
  }

  get ndcg10(): Float64Array {
    return this.#ndcg10;
  }

  get pairwiseAccuracy(): number {
    return this.#ordered / this.#pairs;
  }

  addImpression(index: number, scores: readonly number[], clicked: readonly boolean[]): void {
    const { auc, ndcg10 } = impressionMetrics(scores, clicked);
    this.#auc[index] = auc;
    this.#ndcg10[index] = ndcg10;
  }

  addPairs({ pairs, ordered }: PairCount): void {
    this.#pairs += pairs;
    this.#ordered += ordered;
  }

  addScore(score: number): void {
    if (Number.isFinite(score)) this.scores.push(score);
  }

  summary(): GroupValueMetrics {
    return {
      impressions: this.#auc.filter((value) => !Number.isNaN(value)).length,
      auc: orNull(meanOf(this.#auc)),
      ndcg10: orNull(meanOf(this.#ndcg10)),
      meanScore: orNull(meanOf(this.scores)),
    };
  }
}

/** Compares slices of readers, such as those of different devices. */
export function userSliceMetrics(
  impressions: readonly ComparedImpression[],
  slice: string,
): GroupMetrics {
  return {
    ...compare(impressions, (impression) => sliceParts(impression, slice)),
    scoreDisparityChance: disparityByChance(
      impressions.flatMap(({ userId, userSlices, scores }) => {
        const value = userSlices[slice];
        return value === undefined ? [] : [{ userId, value, scores }];
      }),
    ),
  };
}

/**
 * Compares groups of items, such as those of different kinds of creators.
 * @param groupOf the item's group, `undefined` where it has none
 */
export function itemGroupMetrics(
  impressions: readonly ComparedImpression[],
  groupOf: (itemId: ItemId) => string | undefined,
): GroupMetrics {
  return compare(impressions, (impression) => itemGroupParts(impression, groupOf));
}

function compare(
  impressions: readonly ComparedImpression[],
  partsOf: (impression: ComparedImpression) => readonly GroupPart[],
): GroupMetrics {
  const tallies = new Map<string, GroupTally>();
  for (const [index, impression] of impressions.entries()) {
    for (const { value, scores, pairs, list } of partsOf(impression)) {
      const tally = tallies.get(value) ?? new GroupTally(impressions.length);
      tallies.set(value, tally);
      scores.forEach((score) => tally.addScore(score));
      tally.addPairs(pairs);
      if (list.clicked.includes(true)) tally.addImpression(index, list.scores, list.clicked);
    }
  }
  const ofExtremes = <T>(
    valueOf: (tally: GroupTally) => number,
    compareTwo: (highest: GroupTally, lowest: GroupTally) => T,
  ): T | null => {
    const names = extremes(tallies, valueOf);
    return names && compareTwo(tallies.get(names[0])!, tallies.get(names[1])!);
  };
  const sorted = [...tallies].sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    values: Object.fromEntries(sorted.map(([value, tally]) => [value, tally.summary()])),
    scoreDisparity: ofExtremes(
      ({ scores }) => meanOf(scores),
      (a, b) => orNull(standardisedDifference(a.scores, b.scores)),
    ),
    pairwiseGap: ofExtremes(
      ({ pairwiseAccuracy }) => pairwiseAccuracy,
      (a, b) => a.pairwiseAccuracy - b.pairwiseAccuracy,
    ),
    ndcgGap: ofExtremes(
      ({ ndcg10 }) => meanOf(ndcg10),
      (a, b) => new Bootstrap([a.ndcg10, b.ndcg10]).difference(0, 1),
    ),
  };
}

function standardisedDifference(a: readonly number[], b: readonly number[]): number {
  const meanA = meanOf(a);
  const meanB = meanOf(b);
  const squares =
    a.reduce((sum, value) => sum + (value - meanA) ** 2, 0) +
    b.reduce((sum, value) => sum + (value - meanB) ** 2, 0);
  return Math.abs(meanA - meanB) / Math.sqrt(squares / (a.length + b.length - 2));
}

/** The mean of the values that are there; NaN where there are none. */
function meanOf(values: ArrayLike<number>): number {
  let sum = 0;
  let count = 0;
  for (let i = 0; i < values.length; i += 1) {
    const value = values[i] as number;
    if (Number.isNaN(value)) continue;
    sum += value;
    count += 1;
  }
  return sum / count;
}

function orNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
