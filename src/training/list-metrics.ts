import { Bootstrap, type MeanInterval } from '../evaluation/bootstrap';
import { impressionMetrics, metricNames, type ImpressionMetrics } from '../evaluation/metrics';

/** Lists whose rows' scores are given one after another. */
type Lists = readonly { readonly clicked: readonly boolean[] }[];

/** Means over the lists. */
export function meanMetrics(lists: Lists, scores: Float64Array): { auc: number; ndcg10: number } {
  const rows = perList(lists, scores);
  const mean = (name: 'auc' | 'ndcg10'): number =>
    rows.reduce((sum, metrics) => sum + metrics[name], 0) / rows.length;
  return { auc: mean('auc'), ndcg10: mean('ndcg10') };
}

/** Means with 95% intervals of 1,000 bootstrap resamples of lists. */
export function intervalMetrics(
  lists: Lists,
  scores: Float64Array,
): Record<(typeof metricNames)[number], MeanInterval> {
  const rows = perList(lists, scores);
  const bootstrap = new Bootstrap(
    metricNames.map((name) => Float64Array.from(rows, (metrics) => metrics[name])),
  );
  return Object.fromEntries(metricNames.map((name, i) => [name, bootstrap.interval(i)])) as Record<
    (typeof metricNames)[number],
    MeanInterval
  >;
}

function perList(lists: Lists, scores: Float64Array): ImpressionMetrics[] {
  let row = 0;
  return lists.map(({ clicked }) => {
    const own = scores.subarray(row, (row += clicked.length));
    const order = [...own.keys()].sort((a, b) => own[b]! - own[a]!);
    return impressionMetrics(
      order.map((i) => own[i]!),
      order.map((i) => clicked[i]!),
    );
  });
}
