import type { Price, TradeoffRow } from './report';

type Compared = Pick<TradeoffRow, 'id' | 'mode' | 'metrics' | 'latencyMs'>;

/**
 * Median time of a request for so many candidates, in milliseconds; undefined where it was not
 * measured, and for rows of the whole pipeline, which stand for other lists and readers.
 */
export function timeOf(row: Compared, candidates: string): number | undefined {
  if (row.mode !== 'rerank' || !Object.hasOwn(row.latencyMs, candidates)) return undefined;
  return row.latencyMs[candidates]!.p50;
}

/**
 * The rows that no other beats: none has as much AUC for as little time, with more of the one or
 * less of the other. Fastest first.
 */
export function paretoFront<T extends Compared>(rows: readonly T[], candidates: string): T[] {
  const front: T[] = [];
  const time = (row: T): number => timeOf(row, candidates)!;
  const auc = (row: T): number => row.metrics.auc.mean;
  const placed = rows.filter((row) => timeOf(row, candidates) !== undefined);
  for (const row of placed.sort((a, b) => time(a) - time(b) || auc(b) - auc(a))) {
    if (front.length === 0 || auc(row) > auc(front.at(-1)!)) front.push(row);
  }
  return front;
}

/** What each step along a front costs. */
export function pricesAlong(front: readonly Compared[], candidates: string): Price[] {
  return front.slice(1).map((to, i) => {
    const from = front[i]!;
    const auc = to.metrics.auc.mean - from.metrics.auc.mean;
    const ms = timeOf(to, candidates)! - timeOf(from, candidates)!;
    return { from: from.id, to: to.id, auc, ms, msPerThousandthOfAuc: (ms / auc) * 0.001 };
  });
}
