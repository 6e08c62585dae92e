import type { MeanInterval } from '../evaluation/bootstrap';
import type { Calibration } from '../evaluation/calibration';
import type { Evaluation } from '../evaluation/evaluate';
import type { GroupMetrics } from '../evaluation/group-metrics';
import type { Machine } from '../evaluation/machine';
import { metricNames } from '../evaluation/metrics';
import { plainTable } from '../text-table';

/** An evaluation for a person to read. */
export function formatEvaluation(evaluation: Evaluation): string {
  const { dataset, split, ranker, mode, from, to, impressions, unknownItems } = evaluation;
  const metrics = [
    ...metricNames.map((name) => formatMetric(metricTitles[name], evaluation.metrics[name])),
    formatMetric('nDCG@10 by reading time', evaluation.dwellNdcg10),
    ...(evaluation.utilityNdcg10
      ? [formatMetric('nDCG@10 of true utility', evaluation.utilityNdcg10)]
      : []),
    formatMetric('diversity in the top 10', evaluation.diversity.intraList10),
    formatMetric('topics in the top 10', evaluation.diversity.topicCoverage10),
  ];
  const period = from === null && to === null ? '' : ` from ${from ?? 'start'} to ${to ?? 'end'}`;
  const notes = [
    `${impressions.toLocaleString('en')} impressions measured`,
    ...(unknownItems > 0 ? [`${unknownItems.toLocaleString('en')} items without a listing`] : []),
    ...(evaluation.malformedRows === undefined
      ? []
      : [`${evaluation.malformedRows.toLocaleString('en')} malformed rows skipped`]),
    ...(evaluation.clickedItemsFound === undefined
      ? []
      : [`${(100 * evaluation.clickedItemsFound).toFixed(1)}% of clicked items found`]),
  ];
  return [
    `${ranker} on ${dataset}, ${split}${period}, mode ${mode}`,
    notes.join('; '),
    plainTable(['metric', 'mean', '95% interval'], metrics),
    ...Object.entries(evaluation.groups).map(([name, group]) => formatGroup(name, group)),
    ...(evaluation.calibration ? [formatCalibration(evaluation.calibration)] : []),
    `${evaluation.seconds.toFixed(1)} s on ${formatMachine(evaluation.machine)}`,
  ].join('\n');
}

export function formatMetric(title: string, interval: MeanInterval | null): string[] {
  return interval ? [title, interval.mean.toFixed(4), formatRange(interval)] : [title, 'n/a', ''];
}

export const metricTitles = { auc: 'AUC', mrr: 'MRR', ndcg5: 'nDCG@5', ndcg10: 'nDCG@10' } as const;

function formatCalibration({ error, predicted, clicked }: Calibration): string {
  return (
    `click probability: ${predicted.toFixed(4)} said, ${clicked.toFixed(4)} clicked, ` +
    `expected calibration error ${error.toFixed(4)}`
  );
}

export function formatMachine({ cpu, cores, node, libtorch }: Machine): string {
  return `${cpu}, ${cores} cores, Node.js ${node}, LibTorch ${libtorch}`;
}

function formatGroup(name: string, group: GroupMetrics): string {
  const values = Object.entries(group.values).map(([value, metrics]) => [
    value,
    metrics.impressions.toLocaleString('en'),
    formatNumber(metrics.auc),
    formatNumber(metrics.ndcg10),
    formatNumber(metrics.meanScore),
  ]);
  const { ndcgGap, scoreDisparityChance: chance } = group;
  const gaps = [
    `score disparity ${formatNumber(group.scoreDisparity)}` +
      (chance
        ? ` (by chance ${formatNumber(chance.mean)}, up to ${formatNumber(chance.high)})`
        : ''),
    `pairwise gap ${formatNumber(group.pairwiseGap)}`,
    `nDCG@10 gap ${ndcgGap ? `${formatNumber(ndcgGap.mean)} (${formatRange(ndcgGap)})` : 'n/a'}`,
  ];
  const head = [name, 'impressions', 'AUC', 'nDCG@10', 'mean score'];
  return `${plainTable(head, values)}\n${gaps.join(', ')}`;
}

function formatRange({ low, high }: MeanInterval): string {
  return `${low.toFixed(4)} … ${high.toFixed(4)}`;
}

function formatNumber(value: number | null): string {
  return value === null ? 'n/a' : value.toFixed(4);
}
