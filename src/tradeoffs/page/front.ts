import type { TradeoffRow } from '../report';

/**
 * The rows to which no other is better both in AUC and in time at a number of candidates, the
 * fastest first. Of rows that are equal in both, all.
 */
export function paretoFront(rows: readonly TradeoffRow[], candidates: string): TradeoffRow[] {
  const placed = rows.filter((row) => timeOf(row, candidates) !== undefined);
  const time = (row: TradeoffRow): number => timeOf(row, candidates)!;
  const auc = (row: TradeoffRow): number => row.metrics.auc.mean;
  return placed
    .filter((row) => !placed.some((other) => auc(other) > auc(row) && time(other) < time(row)))
    .sort((a, b) => time(a) - time(b) || auc(a) - auc(b));
}

/** Median time of a request, in milliseconds; undefined where it was not measured. */
export function timeOf(row: TradeoffRow, candidates: string): number | undefined {
  return Object.hasOwn(row.latencyMs, candidates) ? row.latencyMs[candidates]!.p50 : undefined;
}

/** The numbers of candidates that times were measured at, descending. */
export function measuredCounts(rows: readonly TradeoffRow[]): string[] {
  const counts = new Set(rows.flatMap((row) => Object.keys(row.latencyMs)));
  return [...counts].sort((a, b) => Number(b) - Number(a));
}
