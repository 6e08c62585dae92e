import type { Dataset } from '../data/dataset';
import { describeMachine } from '../evaluation/machine';
import { itemGapIntervals, sliceGapIntervals } from '../evaluation/gap-intervals';
import type { RankedImpression } from '../evaluation/group-metrics';
import { binding } from '../binding';
import type { RankProfile } from '../profile/rank-profile';
import {
  allFeaturesId,
  candidateCounts,
  diversityWeights,
  fairnessWeights,
  studentId,
  tauHours,
  teacherId,
} from './family';
import type { TrainedMember } from './family';
import { latencyOf } from './measure-latency';
import type { MeasuredLoad } from './measure-load';
import {
  cachedId,
  candidatesVariant,
  diversityVariant,
  pipelineCandidates,
  pipelineDiversity,
} from './measure-pipeline';
import type { PipelineMeasurement, PipelineVariant } from './measure-pipeline';
import type { measureRankers, MeasuredRanker } from './measure-rankers';
import { paretoFront, pricesAlong } from './pareto';
import { changeOf, qualityOf } from './replayed-lists';
import type { ListMetrics, Quality, ReplayedLists } from './replayed-lists';
import type { AblationRow, Curve, TradeoffReport, TradeoffRow } from './report';

const hourMs = 3_600_000;

/** What a run has measured. */
export interface Measured {
  readonly dataset: Dataset;
  readonly split: string;
  readonly seed: number;
  readonly group: string | undefined;
  readonly members: readonly TrainedMember[];
  readonly variants: readonly PipelineVariant[];
  readonly pipeline: PipelineMeasurement;
  readonly lists: ReplayedLists;
  readonly measured: Awaited<ReturnType<typeof measureRankers>>;
  readonly load: readonly MeasuredLoad[];
}

/** The report, but for how long it took. */
export function buildReport(all: Measured): Omit<TradeoffReport, 'seconds'> {
  const { dataset, split, seed, measured, lists, load } = all;
  const variants = new Map(
    all.variants.map((variant) => [
      variant.id,
      { ...variant, quality: qualityOf(dataset, all.pipeline.ranked[variant.id]!) },
    ]),
  );
  const taus = tauHours.flatMap((hours) => {
    const ranked = all.pipeline.byTau[hours];
    return ranked === undefined ? [] : [{ hours, quality: qualityOf(dataset, ranked) }];
  });
  const reference = measured.rankers[teacherId]!.quality.perList;
  const rows = [
    ...Object.entries(measured.rankers)
      .filter(([, { kind }]) => kind !== 'ablation')
      .map(([id, ranker]) => rankerRow(id, ranker, reference)),
    ...taus.map(({ hours, quality }) => tauRow(hours, quality, measured.decayedDot!, reference)),
    ...[...variants.values()].map((variant) => settingsRow(variant, all.pipeline)),
  ];
  const front = paretoFront(rows, '2000');
  const onFront = new Set(front.map(({ id }) => id));
  return {
    formatVersion: 1,
    ...{ dataset: dataset.name, split, seed },
    impressions: lists.count,
    machine: describeMachine(),
    versions: {
      feedrank: binding().version,
      node: process.versions.node,
      libtorch: binding().libtorchVersion,
    },
    reference: teacherId,
    rows: rows.map((row) => ({ ...row, pareto: onFront.has(row.id) })),
    prices: pricesAlong(front, '2000'),
    curves: [...fairnessCurve(all), ...tauCurve(taus), ...pipelineCurves(variants)],
    ablation: ablationOf(all, variants),
    load: load.map((row) => ({ ...row, auc: aucOf(row, rows) })),
    unavailable: {
      ...measured.rankers[teacherId]!.quality.unavailable,
      ...measured.unavailable,
      ...health,
      ...missing(all),
    },
    profiles: Object.fromEntries(rows.map((row) => [row.id, profileOf(row)])),
  };
}

function rankerRow(
  id: string,
  { quality, kind, title, settings, latencyMs, rankerMs, flops, bytes }: MeasuredRanker,
  reference: readonly ListMetrics[],
): TradeoffRow {
  const { metrics, groups, diversity } = quality;
  return {
    ...{ id, kind, title, settings, mode: 'rerank', metrics, groups, diversity },
    ...{ latencyMs, rankerMs, flops, bytes, pareto: false },
    aucChange: id === teacherId ? null : changeOf(quality.perList, reference).auc,
  };
}

/** Its latency is that of any τ. */
function tauRow(
  hours: number,
  { metrics, groups, diversity, perList }: Quality,
  latencies: Pick<TradeoffRow, 'latencyMs' | 'rankerMs'>,
  reference: readonly ListMetrics[],
): TradeoffRow {
  return {
    id: `decayed-dot-${hours}h`,
    kind: 'decayed-dot',
    title: `decayed dot, τ ${hours} h`,
    mode: 'rerank',
    settings: { tauMs: hours * hourMs },
    ...{ metrics, groups, diversity, ...latencies },
    aucChange: changeOf(perList, reference).auc,
    ...{ flops: null, bytes: 0, pareto: false },
  };
}

function settingsRow(
  variant: PipelineVariant & { readonly quality: Quality },
  { times, fromCache }: PipelineMeasurement,
): TradeoffRow {
  const { id, title, profile, quality } = variant;
  const { metrics, groups, diversity } = quality;
  // How long it may take is for whoever serves it to say.
  const settings = { ...profile };
  delete settings.budgetMs;
  return {
    ...{ id, title, mode: 'rank', metrics, groups, diversity },
    kind: id === cachedId ? 'cached' : 'settings',
    settings:
      id === cachedId ? { ...settings, fromCache: fromCache / times[id]!.length } : settings,
    aucChange: null,
    latencyMs: { [profile.maxCandidates ?? pipelineCandidates]: latencyOf(times[id]!) },
    rankerMs: {},
    ...{ flops: null, bytes: 0, pareto: false },
  };
}

/** What a request needs so as to be answered like the row; the ranker comes with its bundle. */
function profileOf({ id, kind, settings }: TradeoffRow): RankProfile {
  if (kind === 'settings') return { ...(settings as RankProfile), name: id };
  if (kind === 'cached') return { name: id, maxAnswerAgeMs: settings['maxAnswerAgeMs'] as number };
  if (kind === 'decayed-dot') return { name: id, tauMs: settings['tauMs'] as number };
  return { name: id };
}

/** AUC by tier; a tier that no row stands for, such as the merged order, counts as chance. */
function aucOf({ tiers }: MeasuredLoad, rows: readonly TradeoffRow[]): number | null {
  const stands: Readonly<Record<string, string>> = {
    full: teacherId,
    smaller: studentId,
    'decayed-dot': 'decayed-dot-24h',
  };
  const shares = Object.entries(tiers);
  if (shares.length === 0) return null;
  return shares.reduce((sum, [tier, share]) => {
    const row = rows.find(({ id }) => id === stands[tier]);
    return sum + share * (row?.metrics.auc.mean ?? 0.5);
  }, 0);
}

type Variants = ReadonlyMap<string, PipelineVariant & { readonly quality: Quality }>;

function fairnessCurve({ group, dataset, measured, lists }: Measured): Curve[] {
  if (group === undefined) return [];
  const labels = dataset.labels.includes(group)
    ? new Map(dataset.items.map((item) => [item.id, item.labels?.[group]]))
    : undefined;
  const gapsOf = (ranked: readonly RankedImpression[]) =>
    labels ? itemGapIntervals(ranked, (id) => labels.get(id)) : sliceGapIntervals(ranked, group);
  return [
    {
      setting: 'fairness',
      note: `λ of the fairness regularizer over ${group}, in training a 64-32 network without a teacher; lists in view`,
      points: fairnessWeights.map((weight) => {
        const { quality, scores } = measured.rankers[`fairness-${weight}`]!;
        const { auc, ndcg10 } = quality.metrics;
        return {
          value: weight,
          measures: {
            auc,
            ndcg10,
            ...gapsOf(lists.ranked(scores)),
            ndcgGap: quality.groups[group]!.ndcgGap,
          },
        };
      }),
    },
  ];
}

function tauCurve(taus: readonly { hours: number; quality: Quality }[]): Curve[] {
  if (taus.length === 0) return [];
  return [
    {
      setting: 'tau',
      note: 'τ in ms of dot(user, item) · exp(−age/τ), ranking the lists in view alone',
      points: taus.map(({ hours, quality: { metrics } }) => ({
        value: hours * hourMs,
        measures: { auc: metrics.auc, ndcg10: metrics.ndcg10, dwellNdcg10: metrics.dwellNdcg10 },
      })),
    },
  ];
}

function pipelineCurves(variants: Variants): Curve[] {
  const point = (id: string, value: number): Curve['points'][number] => {
    const { metrics, diversity } = variants.get(id)!.quality;
    const { auc, ndcg10, dwellNdcg10 } = metrics;
    return { value, measures: { auc, ndcg10, dwellNdcg10, ...diversity } };
  };
  const note = `the whole pipeline on the catalog, a sample of readers; items in view that it did not find come last`;
  return [
    {
      setting: 'diversity',
      note: `weight of diversity in the selector; ${note}`,
      points: diversityWeights.map((weight) => point(diversityVariant(weight), weight)),
    },
    {
      setting: 'candidates',
      note: `candidates that are ranked; ${note}`,
      points: candidateCounts.map((count) => point(candidatesVariant(count), count)),
    },
  ];
}

function ablationOf({ members, measured }: Measured, variants: Variants): AblationRow[] {
  const whole = measured.rankers[allFeaturesId]!.quality.perList;
  const pipeline = variants.get(candidatesVariant(pipelineCandidates))!.quality.perList;
  const without = (part: string, name: string, id: string): AblationRow => ({
    ...{ part, name },
    change: changeOf(variants.get(id)!.quality.perList, pipeline),
  });
  const generators = [...variants.keys()].filter(
    (id) => id.startsWith('without-') && id !== 'without-ranker',
  );
  return [
    ...members
      .filter(({ id, kind }) => kind === 'ablation' && id !== allFeaturesId)
      .map(({ id }) => ({
        ...{ part: 'feature-family', name: id.slice('without-'.length).replaceAll('-', ' ') },
        change: changeOf(measured.rankers[id]!.quality.perList, whole),
      })),
    ...generators.map((id) => without('generator', id.slice('without-'.length), id)),
    without('stage', 'ranker (newest first instead)', 'without-ranker'),
    without('stage', `selector (diversity ${pipelineDiversity})`, diversityVariant(0)),
  ];
}

const health = {
  communityHealth:
    'no dataset here has reports or hides, so what a stage does to reported and hidden items cannot be measured',
};

function missing({ dataset, group, pipeline }: Measured): Record<string, string> {
  return {
    ...(group === undefined
      ? { fairness: `dataset ${dataset.name} has neither labels nor slices to compare` }
      : {}),
    ...(Object.keys(pipeline.byTau).length === 0
      ? { tau: `dataset ${dataset.name} has no embeddings` }
      : {}),
    ...(dataset.labels.length === 0 ? { exposure10: `dataset ${dataset.name} has no labels` } : {}),
  };
}
