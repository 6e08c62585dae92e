/** How well one impression's clicked items were ranked. Each lies between 0 and 1. */
export interface ImpressionMetrics {
  /** Share of pairs of a clicked and an unclicked item with the clicked one scored higher. */
  readonly auc: number;
  /** 1 / position of the first clicked item, the first position being 1. */
  readonly mrr: number;
  readonly ndcg5: number;
  readonly ndcg10: number;
}

/** Names of the metrics, in the order in which they are reported. */
export const metricNames = ['auc', 'mrr', 'ndcg5', 'ndcg10'] as const;

/** How many pairs of a clicked and an unclicked item there are, and how many are in order. */
export interface PairCount {
  readonly pairs: number;
  /** A tie counts half. */
  readonly ordered: number;
}

/** Counts the pairs of one score of `higher` and one of `lower`, and those in that order. */
export function countOrderedPairs(higher: ArrayLike<number>, lower: ArrayLike<number>): PairCount {
  let ordered = 0;
  for (let i = 0; i < higher.length; i += 1) {
    const score = higher[i] as number;
    for (let j = 0; j < lower.length; j += 1) {
      const other = lower[j] as number;
      if (score > other) ordered += 1;
      else if (score === other) ordered += 0.5;
    }
  }
  return { pairs: higher.length * lower.length, ordered };
}

/**
 * Normalised discounted cumulative gain of the first `depth` positions with gains 0 and 1
 * (Järvelin and Kekäläinen 2002), for at least one clicked item.
 */
export function ndcg(clicked: ArrayLike<boolean>, depth: number): number {
  let gain = 0;
  let ideal = 0;
  let clicks = 0;
  for (let i = 0; i < clicked.length; i += 1) {
    if (!clicked[i]) continue;
    if (i < depth) gain += 1 / Math.log2(i + 2);
    if (clicks < depth) ideal += 1 / Math.log2(clicks + 2);
    clicks += 1;
  }
  return gain / ideal;
}

/**
 * The metrics of one impression, whose items are given in the order of the slate. AUC looks at
 * scores alone and counts a tie half; the others look at positions alone, so equal scores count in
 * the order that the slate gave them.
 *
 * @param scores one an item, best position first
 * @param clicked one an item; at least one clicked and one unclicked
 */
export function impressionMetrics(
  scores: ArrayLike<number>,
  clicked: ArrayLike<boolean>,
): ImpressionMetrics {
  const higher: number[] = [];
  const lower: number[] = [];
  let first = -1;
  for (let i = 0; i < clicked.length; i += 1) {
    (clicked[i] ? higher : lower).push(scores[i] as number);
    if (clicked[i] && first < 0) first = i;
  }
  const { pairs, ordered } = countOrderedPairs(higher, lower);
  return {
    auc: ordered / pairs,
    mrr: 1 / (first + 1),
    ndcg5: ndcg(clicked, 5),
    ndcg10: ndcg(clicked, 10),
  };
}

/**
 * Normalised discounted cumulative gain with graded gains (Järvelin and Kekäläinen 2002) of the
 * first `depth` positions.
 * @param gains one an item of the slate, at least 0, best position first
 * @param pool gains of everything that could have been shown, the slate's own included
 */
export function gradedNdcg(
  gains: readonly number[],
  pool: readonly number[],
  depth: number,
): number {
  const ideal = [...pool].sort((a, b) => b - a);
  return discountedGain(gains, depth) / discountedGain(ideal, depth);
}

function discountedGain(gains: readonly number[], depth: number): number {
  return gains.slice(0, depth).reduce((sum, gain, i) => sum + gain / Math.log2(i + 2), 0);
}
