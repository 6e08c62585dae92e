import type { TradeoffReport, TradeoffRow } from '../report';
import { paretoFront, timeOf } from '../pareto';
import { measuredCounts } from './measured-counts';
import { formatChange, formatCount, formatMeasure, formatMs } from './numbers';

/** Of the reference's AUC, how much a row must keep to stand for it. */
const kept = 0.995;

/** What the report found, in a sentence or two. */
export interface Finding {
  readonly headline: string;
  readonly detail: string;
}

/** The fastest row that gives nearly as much as the reference, and what it gives and takes. */
export function findingOf(report: TradeoffReport): Finding {
  const { rows } = report;
  const reference = rows.find((row) => row.id === report.reference);
  const counts = measuredCounts(rows);
  const count = counts.includes('2000') ? '2000' : counts[0];
  if (reference === undefined || count === undefined) return bestOf(rows);
  const time = timeOf(reference, count);
  if (time === undefined) return bestOf(rows);
  const auc = reference.metrics.auc.mean;
  const whole = `${formatMeasure(auc)} of ${reference.id}`;
  const chosen = paretoFront(rows, count).find((row) => row.metrics.auc.mean >= kept * auc);
  if (chosen === undefined || chosen === reference || timeOf(chosen, count)! >= time) {
    return {
      headline: `Nothing that is faster than ${reference.id} keeps ${kept * 100}% of its AUC`,
      detail: `It has an AUC of ${formatMeasure(auc)} and takes ${formatMs(time)} for ${formatCount(Number(count))} candidates.`,
    };
  }
  const share = `${((chosen.metrics.auc.mean / auc) * 100).toFixed(1)}%`;
  const faster = timeOf(chosen, count)!;
  const change = chosen.aucChange;
  const difference =
    change === null
      ? ''
      : ` The difference is ${formatChange(change.mean)} (95% interval ${formatChange(change.low)} to ${formatChange(change.high)}).`;
  return {
    headline: `${chosen.id} keeps ${share} of the AUC of ${reference.id} at ${(faster / time).toFixed(2)} of its time`,
    detail:
      `AUC ${formatMeasure(chosen.metrics.auc.mean)} against ${whole}, and ${formatMs(faster)} against ` +
      `${formatMs(time)} for ${formatCount(Number(count))} candidates.${difference}`,
  };
}

function bestOf(rows: readonly TradeoffRow[]): Finding {
  const [first, ...others] = rows;
  if (first === undefined) return { headline: 'Nothing was measured', detail: '' };
  const best = others.reduce((a, b) => (b.metrics.auc.mean > a.metrics.auc.mean ? b : a), first);
  return {
    headline: `${best.id} has the highest AUC`,
    detail: `It is ${formatMeasure(best.metrics.auc.mean)}. Times were not measured.`,
  };
}
