import { quantile } from 'simple-statistics';

import type { ItemId } from '../identity';
import type { Dataset, DatasetItem } from '../data/dataset';
import { SlateDiversity } from '../evaluation/diversity';
import type { Evaluation } from '../evaluation/evaluate';
import type { Slate, SlateItem } from '../feed/slate';
import { openTable, plainTable } from '../text-table';
import type { Reader } from './demo-feed';
import { formatMetric } from './evaluation-table';

const minuteMs = 60_000;

/** What one reader gets to see, with reasons. */
export function formatSlate(
  slate: Slate,
  reader: Reader,
  items: ReadonlyMap<ItemId, DatasetItem>,
): string {
  const described = slate.items.map((item) => ({ item, listed: items.get(item.id) }));
  const hasAuthors = described.some(({ listed }) => listed?.author !== undefined);
  const hasTopics = described.some(({ listed }) => listed?.topics !== undefined);
  const rows = described.map(({ item, listed }) => [
    String(item.position + 1),
    String(item.id),
    ...(hasTopics ? [listed?.topics?.join(', ') ?? ''] : []),
    ...(hasAuthors ? [listed?.author ?? ''] : []),
    listed?.publishTime === undefined ? '' : formatAge(slate.now - listed.publishTime),
    item.score.toFixed(2),
    item.sources.map(({ generator }) => generator).join(', '),
    ...expectations(item),
  ]);
  const head = [
    '#',
    'item',
    ...(hasTopics ? ['topic'] : []),
    ...(hasAuthors ? ['author'] : []),
    'age',
    'score',
    'found by',
    'click?',
    'read for',
  ];
  return `${formatReader(reader)}\n${openTable(head, rows, ['#', 'age', 'score', 'click?', 'read for'])}`;
}

function formatReader({ id, slices, clicks, topics }: Reader): string {
  const traits = Object.entries(slices).map(([name, value]) => `${name} ${value}`);
  const favourites = topics.slice(0, 3).map(([topic, count]) => `${topic} ×${count}`);
  const clicked = `clicked ${clicks} items so far`;
  const about = favourites.length > 0 ? `${clicked}: ${favourites.join(', ')}, …` : clicked;
  return `Reader ${id} (${traits.join(', ')}) ${about}`;
}

/** What the model expects: its head `dwell` is ln(1 + seconds). */
function expectations({ explanation }: SlateItem): string[] {
  const { click_probability: probability, dwell } = explanation?.outputs ?? {};
  return [
    probability === undefined ? '' : `${(100 * probability).toFixed(0)}%`,
    dwell === undefined ? '' : `${Math.expm1(dwell).toFixed(0)} s`,
  ];
}

function formatAge(ageMs: number): string {
  const minutes = Math.max(0, ageMs) / minuteMs;
  if (minutes < 60) return `${minutes.toFixed(0)} min`;
  return minutes < 48 * 60 ? `${(minutes / 60).toFixed(1)} h` : `${(minutes / 1440).toFixed(1)} d`;
}

/** How well rankers order what readers had in view. */
export function formatRankers(evaluations: readonly Evaluation[]): string {
  return plainTable(
    ['ranker', 'AUC', '95% interval', 'nDCG@10', '95% interval'],
    evaluations.map(({ ranker, metrics }) => [
      ranker,
      ...formatMetric('', metrics.auc).slice(1),
      ...formatMetric('', metrics.ndcg10).slice(1),
    ]),
  );
}

/** How two groups of items fare with rankers. */
export function formatFairness(evaluations: readonly Evaluation[], group: string): string {
  return plainTable(
    ['ranker', 'pairwise gap', 'score disparity', 'nDCG@10 of true utility', '95% interval'],
    evaluations.map(({ ranker, groups, utilityNdcg10 }) => [
      ranker,
      ...[groups[group]?.pairwiseGap, groups[group]?.scoreDisparity].map((gap) =>
        gap === null || gap === undefined ? 'n/a' : gap.toFixed(4),
      ),
      ...formatMetric('', utilityNdcg10 ?? null).slice(1),
    ]),
  );
}

/** How long each stage took, over many slates of one feed. */
export function formatTimings(slates: readonly Slate[]): string {
  const stages = slates[0]?.trace.stages ?? [];
  const rows = stages.map(({ name, kind }, index) => {
    const traces = slates.map(({ trace }) => trace.stages[index]).filter((trace) => !!trace);
    const [before, after] = [traces.map((trace) => trace.in), traces.map((trace) => trace.out)];
    const counts = `${median(before)} → ${median(after)}`;
    return [`${kind}: ${name}`, counts, ...percentiles(traces.map(({ ms }) => ms))];
  });
  const traces = slates.map(({ trace }) => trace);
  return plainTable(
    ['stage', 'candidates', 'p50 ms', 'p99 ms'],
    [
      ...rows,
      ['native, all stages', '', ...percentiles(traces.map(({ nativeMs }) => nativeMs))],
      ['whole request', '', ...percentiles(traces.map(({ totalMs }) => totalMs))],
    ],
  );
}

/** How unlike the items of slates are, and what that costs in score, at rising weights. */
export function formatDiversity(
  dataset: Dataset,
  weights: readonly number[],
  slates: readonly (readonly Slate[])[],
): string {
  const diversity = new SlateDiversity(dataset);
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  const rows = weights.map((weight, i) => {
    const of = slates[i] ?? [];
    const ids = of.map(({ items }) => items.map(({ id }) => id));
    return [
      String(weight),
      mean(ids.map((list) => diversity.intraList(list))).toFixed(3),
      mean(ids.map((list) => diversity.topicCoverage(list))).toFixed(2),
      mean(of.flatMap(({ items }) => items.map(({ score }) => score))).toFixed(3),
    ];
  });
  return plainTable(['diversity', 'unlikeness in a slate', 'topics a slate', 'mean score'], rows);
}

function percentiles(values: readonly number[]): string[] {
  return [0.5, 0.99].map((p) => quantile([...values], p).toFixed(3));
}

function median(values: readonly number[]): string {
  return quantile([...values], 0.5).toFixed(0);
}

/** Clicks per impression of each group of items, split by split, as the log has them. */
export async function formatClickRates(dataset: Dataset, label: string): Promise<string> {
  const groupOf = new Map(dataset.items.map(({ id, labels }) => [id, labels?.[label]]));
  const groups = [...new Set(groupOf.values())].filter((group) => group !== undefined).sort();
  const rows: string[][] = [];
  for (const { name } of dataset.splits) {
    const shown = new Map<string | undefined, number>();
    const clicked = new Map<string | undefined, number>();
    for await (const { itemIds, clickedIds } of dataset.impressions(name)) {
      itemIds.forEach((id) => count(shown, groupOf.get(id)));
      clickedIds.forEach((id) => count(clicked, groupOf.get(id)));
    }
    const rate = (group: string): number => (clicked.get(group) ?? 0) / (shown.get(group) ?? 0);
    rows.push([name, ...groups.map((group) => `${(100 * rate(group)).toFixed(1)}%`)]);
  }
  return plainTable([`clicks per showing, by ${label}`, ...groups], rows);
}

function count<T>(counts: Map<T, number>, key: T): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
