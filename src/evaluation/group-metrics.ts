import type { ItemId, UserId } from '../identity';
import { Bootstrap } from './bootstrap';
import type { MeanInterval } from './bootstrap';
import { disparityByChance, type ChanceLevel } from './disparity-by-chance';
import { countOrderedPairs, impressionMetrics } from './metrics';
import type { PairCount } from './metrics';

/** One impression as a ranker ordered it: position i of each array is position i of the slate. */
export interface RankedImpression {
  readonly itemIds: readonly ItemId[];
  /** −∞ for an item that the ranker was never asked about. */
  readonly scores: readonly number[];
  readonly clicked: readonly boolean[];
  readonly userSlices: Readonly<Record<string, string>>;
  readonly userId: UserId;
  /** First items of the slate, which holds others than those in view where it ranks the catalog. */
  readonly slateIds: readonly ItemId[];
  /** How long the one clicked item was read, in milliseconds; `undefined` where it is not known. */
  readonly dwellMs?: number;
  /** How likely a click on each item was, as the ranker says; not for items that it did not find. */
  readonly probabilities?: readonly number[];
  /** How likely a click on each item truly was; there where the dataset knows. */
  readonly utilities?: readonly number[];
}

/** What a comparison of groups looks at. */
export type ComparedImpression = Pick<
  RankedImpression,
  'itemIds' | 'scores' | 'clicked' | 'userSlices' | 'userId'
>;

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
  const tallies = new Map<string, GroupTally>();
  for (const [index, { scores, clicked, userSlices }] of impressions.entries()) {
    const value = userSlices[slice];
    if (value === undefined) continue;
    const tally = tallyOf(tallies, value, impressions.length);
    tally.addImpression(index, scores, clicked);
    scores.forEach((score) => tally.addScore(score));
    tally.addPairs(
      countOrderedPairs(
        scores.filter((_, i) => clicked[i]),
        scores.filter((_, i) => !clicked[i]),
      ),
    );
  }
  return {
    ...compare(tallies),
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
  const tallies = new Map<string, GroupTally>();
  for (const [index, { itemIds, scores, clicked }] of impressions.entries()) {
    const groups = itemIds.map(groupOf);
    for (const value of new Set(groups)) {
      if (value === undefined) continue;
      const tally = tallyOf(tallies, value, impressions.length);
      scores.forEach((score, i) => groups[i] === value && tally.addScore(score));
      const clickedScores = scores.filter((_, i) => clicked[i] && groups[i] === value);
      if (clickedScores.length === 0) continue;
      const kept = (i: number): boolean => !clicked[i] || groups[i] === value;
      tally.addImpression(
        index,
        scores.filter((_, i) => kept(i)),
        clicked.filter((_, i) => kept(i)),
      );
      const otherScores = scores.filter(
        (_, i) => !clicked[i] && groups[i] !== undefined && groups[i] !== value,
      );
      tally.addPairs(countOrderedPairs(clickedScores, otherScores));
    }
  }
  return compare(tallies);
}

function tallyOf(tallies: Map<string, GroupTally>, value: string, size: number): GroupTally {
  let tally = tallies.get(value);
  if (!tally) tallies.set(value, (tally = new GroupTally(size)));
  return tally;
}

function compare(tallies: ReadonlyMap<string, GroupTally>): GroupMetrics {
  const sorted = [...tallies].sort(([a], [b]) => (a < b ? -1 : 1));
  const groups = sorted.map(([, tally]) => tally);
  const byScore = extremes(groups, ({ scores }) => meanOf(scores));
  const byAccuracy = extremes(groups, ({ pairwiseAccuracy }) => pairwiseAccuracy);
  const byNdcg = extremes(groups, ({ ndcg10 }) => meanOf(ndcg10));
  return {
    values: Object.fromEntries(sorted.map(([value, tally]) => [value, tally.summary()])),
    scoreDisparity: byScore && orNull(standardisedDifference(byScore[0].scores, byScore[1].scores)),
    pairwiseGap: byAccuracy && byAccuracy[0].pairwiseAccuracy - byAccuracy[1].pairwiseAccuracy,
    ndcgGap: byNdcg && new Bootstrap([byNdcg[0].ndcg10, byNdcg[1].ndcg10]).difference(0, 1),
  };
}

/** The groups with the highest and the lowest value, of those that have one. */
function extremes(
  groups: readonly GroupTally[],
  valueOf: (group: GroupTally) => number,
): [highest: GroupTally, lowest: GroupTally] | null {
  const ranked = groups
    .map((group) => ({ group, value: valueOf(group) }))
    .filter(({ value }) => !Number.isNaN(value))
    .sort((a, b) => b.value - a.value);
  const highest = ranked[0];
  const lowest = ranked.at(-1);
  return highest && lowest && ranked.length > 1 ? [highest.group, lowest.group] : null;
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
