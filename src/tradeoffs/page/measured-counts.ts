import type { TradeoffRow } from '../report';

/** The numbers of candidates that rows which compare were timed at, descending. */
export function measuredCounts(rows: readonly TradeoffRow[]): string[] {
  const compared = rows.filter(({ mode }) => mode === 'rerank');
  const counts = new Set(compared.flatMap((row) => Object.keys(row.latencyMs)));
  return [...counts].sort((a, b) => Number(b) - Number(a));
}
