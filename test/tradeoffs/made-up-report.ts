import type { MeanInterval } from '../../src/evaluation/bootstrap';
import type { GroupMetrics } from '../../src/evaluation/group-metrics';
import { paretoFront } from '../../src/tradeoffs/pareto';
import type {
  AblationRow,
  Curve,
  LoadRow,
  Price,
  TradeoffKind,
  TradeoffReport,
  TradeoffRow,
} from '../../src/tradeoffs/report';

// A report for tests of the page. Its figures are made up: nothing here was measured.

const around = (mean: number, reach: number): MeanInterval => ({
  mean,
  low: mean - reach,
  high: mean + reach,
});

interface MadeUp {
  readonly id: string;
  readonly kind: TradeoffKind;
  readonly title: string;
  readonly auc: number;
  /** Medians at 2,000 candidates. */
  readonly ms: number;
  readonly ranker: number;
  readonly flops?: number;
  readonly bytes?: number;
  readonly settings?: Readonly<Record<string, unknown>>;
}

const madeUpRows: readonly MadeUp[] = [
  {
    ...{ id: 'teacher', kind: 'teacher', title: 'The network that the others learn from' },
    ...{ auc: 0.7703, ms: 5.91, ranker: 4.39, flops: 393_728, bytes: 812_340 },
    settings: { widths: [512, 256], precision: 'float32' },
  },
  {
    ...{ id: 'teacher-bf16', kind: 'bf16', title: 'The teacher in bfloat16' },
    ...{ auc: 0.7702, ms: 2.83, ranker: 1.28, flops: 393_728, bytes: 812_340 },
    settings: { widths: [512, 256], precision: 'bfloat16' },
  },
  {
    ...{ id: 'teacher-int8', kind: 'int8', title: 'The teacher in int8' },
    ...{ auc: 0.7699, ms: 3.22, ranker: 1.69, flops: 393_728, bytes: 812_340 },
    settings: { widths: [512, 256], precision: 'int8' },
  },
  {
    ...{ id: 'student-128', kind: 'student', title: 'A student of 128 and 64 units' },
    ...{ auc: 0.7694, ms: 2.41, ranker: 0.94, flops: 47_488, bytes: 104_112 },
    settings: { widths: [128, 64], precision: 'float32', temperature: 2 },
  },
  {
    ...{ id: 'student-64', kind: 'student', title: 'A student of 64 and 32 units' },
    ...{ auc: 0.7688, ms: 1.21, ranker: 0.36, flops: 19_648, bytes: 47_802 },
    settings: { widths: [64, 32], precision: 'float32', temperature: 2 },
  },
  {
    ...{ id: 'student-32', kind: 'student', title: 'A student of 32 units' },
    ...{ auc: 0.7641, ms: 1.02, ranker: 0.19, flops: 7_808, bytes: 23_310 },
    settings: { widths: [32], precision: 'float32', temperature: 2 },
  },
  {
    ...{ id: 'pruned-50', kind: 'pruned', title: 'The teacher without half of its units' },
    ...{ auc: 0.7671, ms: 3.34, ranker: 1.82, flops: 131_328, bytes: 291_004 },
    settings: { kept: 0.5 },
  },
  {
    ...{
      id: 'pruned-75',
      kind: 'pruned',
      title: 'The teacher without three quarters of its units',
    },
    ...{ auc: 0.7602, ms: 2.09, ranker: 0.7, flops: 49_280, bytes: 120_812 },
    settings: { kept: 0.25 },
  },
  {
    ...{ id: 'fairness-0.1', kind: 'fairness', title: 'The teacher, trained with λ = 0.1' },
    ...{ auc: 0.7684, ms: 5.93, ranker: 4.4, flops: 393_728, bytes: 812_340 },
    settings: { lambda: 0.1 },
  },
  {
    ...{ id: 'settings-mmr', kind: 'settings', title: 'The teacher with diverse slates' },
    ...{ auc: 0.7655, ms: 6.52, ranker: 4.39, flops: 393_728, bytes: 812_340 },
    settings: { diversity: 0.3 },
  },
  {
    ...{ id: 'cached', kind: 'cached', title: 'Slates kept for a minute' },
    ...{ auc: 0.7589, ms: 0.31, ranker: 0.02, flops: 393_728, bytes: 812_340 },
    settings: { ttlMs: 60_000 },
  },
  {
    ...{ id: 'popularity', kind: 'popularity', title: 'Clicks, decayed over 12 hours' },
    ...{ auc: 0.6512, ms: 0.42, ranker: 0.03 },
    settings: { halfLifeMs: 43_200_000 },
  },
  {
    ...{ id: 'decayed-dot', kind: 'decayed-dot', title: 'Taste, decayed' },
    ...{ auc: 0.5604, ms: 0.27, ranker: 0.02 },
    settings: { tauMs: 86_400_000 },
  },
];

const groups = (gap: number): Readonly<Record<string, GroupMetrics>> => ({
  device: {
    values: {
      desktop: { impressions: 3120, auc: 0.7811, ndcg10: 0.6702, meanScore: 0.12 },
      mobile: { impressions: 9210, auc: 0.7811 - gap, ndcg10: 0.6511, meanScore: 0.09 },
    },
    scoreDisparity: gap * 4,
    pairwiseGap: gap,
    ndcgGap: around(gap * 1.2, 0.004),
  },
});

function rowOf({ id, kind, title, auc, ms, ranker, ...made }: MadeUp): TradeoffRow {
  const change = auc - 0.7703;
  const latency = (p50: number) => ({ p50, p99: p50 * 1.6 + 0.1 });
  return {
    ...{ id, kind, title, settings: made.settings ?? {} },
    metrics: {
      auc: around(auc, 0.0044),
      mrr: around(auc - 0.23, 0.0051),
      ndcg5: around(auc - 0.18, 0.0048),
      ndcg10: around(auc - 0.11, 0.0042),
      dwellNdcg10: kind === 'popularity' ? null : around(auc - 0.13, 0.006),
    },
    aucChange: kind === 'teacher' ? null : around(change, 0.0004 + Math.abs(change) * 0.2),
    groups: groups(0.02 + (0.7703 - auc)),
    diversity: {
      intraList10: around(kind === 'settings' ? 0.71 : 0.55, 0.004),
      topicCoverage10: null,
    },
    latencyMs: { 500: latency(ms * 0.31 + 0.12), 2000: latency(ms) },
    rankerMs: { 500: latency(ranker * 0.28), 2000: latency(ranker) },
    flops: made.flops ?? null,
    bytes: made.bytes ?? 0,
    mode: 'rerank',
    pareto: false,
  };
}

function curve(
  setting: string,
  note: string,
  values: readonly number[],
  measures: Readonly<Record<string, (share: number) => MeanInterval | null>>,
): Curve {
  const points = values.map((value, i) => {
    const share = i / (values.length - 1);
    const entries = Object.entries(measures).map(([name, at]) => [name, at(share)] as const);
    return { value, measures: Object.fromEntries(entries) };
  });
  return { setting, note, points };
}

const hour = 3_600_000;

const curves: readonly Curve[] = [
  curve(
    'fairness',
    'Teachers that were trained with the weight λ of the fairness term, groups by device.',
    [0, 0.05, 0.1, 0.2, 0.4],
    {
      auc: (t) => around(0.7703 - 0.012 * t * t, 0.0044),
      pairwiseGap: (t) => around(0.021 * (1 - t) ** 2 + 0.004, 0.002),
      scoreDisparity: (t) => around(0.09 * (1 - t) + 0.01, 0.006),
    },
  ),
  curve(
    'tau',
    'Candidates by decayed dot product, ranked by the teacher.',
    [hour, 3 * hour, 6 * hour, 12 * hour, 24 * hour, 72 * hour, 168 * hour],
    {
      auc: (t) => around(0.764 + 0.02 * t * (1.3 - t), 0.0045),
      ndcg10: (t) => around(0.651 + 0.024 * t * (1.2 - t), 0.0043),
    },
  ),
  curve('diversity', 'The weight of diversity in MMR.', [0, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9], {
    ndcg10: (t) => around(0.6601 - 0.05 * t * t, 0.0042),
    intraList10: (t) => around(0.55 + 0.3 * Math.sqrt(t), 0.004),
    topicCoverage10: () => null,
  }),
  curve(
    'candidates',
    'How many candidates the ranker sees; latency is the median of requests.',
    [100, 250, 500, 1000, 2000, 4000],
    {
      ndcg10: (t) => around(0.62 + 0.042 * (1 - (1 - t) ** 3), 0.0042),
      'p50, ms': (t) => around(0.6 + 9.1 * t * t, 0.2),
    },
  ),
];

const ablated = (part: string, name: string, auc: number, ndcg10: number): AblationRow => ({
  ...{ part, name },
  change: {
    auc: around(auc, 0.0006 + Math.abs(auc) * 0.12),
    ndcg10: around(ndcg10, 0.0009 + Math.abs(ndcg10) * 0.12),
  },
});

const ablation: readonly AblationRow[] = [
  ablated('stage', 'ranker', -0.1192, -0.0911),
  ablated('stage', 'diversity', 0.0048, 0.0031),
  ablated('stage', 'seen filter', -0.0002, 0.0004),
  ablated('generator', 'trending', -0.0311, -0.0402),
  ablated('generator', 'fresh', -0.0087, -0.0102),
  ablated('generator', 'followed', -0.0004, -0.0001),
  ablated('feature-family', 'clicks of the last hours', -0.0412, -0.0388),
  ablated('feature-family', 'age', -0.0123, -0.0114),
  ablated('feature-family', 'what the reader read', -0.0091, -0.0096),
  ablated('feature-family', 'co-reads', -0.0032, -0.0029),
  ablated('feature-family', 'attributes', -0.0003, -0.0005),
];

const load: readonly LoadRow[] = [
  [50, 1, 0, 0, 5.8, 9.1],
  [100, 0.99, 0.01, 0, 6.1, 12.4],
  [200, 0.81, 0.17, 0.02, 7.7, 18.8],
  [400, 0.32, 0.49, 0.19, 9.9, 22.6],
  [800, 0.04, 0.41, 0.55, 12.2, 24.9],
  [1600, 0, 0.12, 0.88, 14.8, 27.3],
].map(([rate, full, student, dot, p50, p99], i): LoadRow => {
  const refused = i === 5 ? 0.14 : i === 4 ? 0.01 : 0;
  return {
    ...{ rate: rate!, budgetMs: 25, p50: p50!, p99: p99! },
    ...{ inTime: (1 - refused) * (i < 4 ? 0.998 : 0.991 - 0.01 * i), refused },
    tiers: { full: full!, 'student-64': student!, 'decayed-dot': dot! },
    auc: 0.7703 * full! + 0.7688 * student! + 0.5604 * dot!,
  };
});

function pricesOf(front: readonly TradeoffRow[]): Price[] {
  return front.slice(1).map((to, i) => {
    const from = front[i]!;
    const auc = to.metrics.auc.mean - from.metrics.auc.mean;
    const ms = to.latencyMs['2000']!.p50 - from.latencyMs['2000']!.p50;
    return { from: from.id, to: to.id, auc, ms, msPerThousandthOfAuc: ms / (auc * 1000) };
  });
}

/** A whole report with made-up figures. */
export function madeUpReport(changed: Partial<TradeoffReport> = {}): TradeoffReport {
  const plain = madeUpRows.map(rowOf);
  const front = paretoFront(plain, '2000');
  const rows = plain.map((row) => ({ ...row, pareto: front.includes(row) }));
  return {
    formatVersion: 1,
    dataset: 'made-up',
    split: 'validation',
    seed: 1,
    impressions: 13_558,
    machine: { cpu: 'A Made-Up Processor', cores: 2, node: '20.20.0', libtorch: '2.13.0' },
    versions: { feedrank: '0.1.0' },
    seconds: 412,
    reference: 'teacher',
    rows,
    prices: pricesOf(front),
    ...{ curves, ablation, load },
    unavailable: {
      'topic coverage': 'The data has no topics.',
      'generator "followed"': 'The data does not say whom readers follow.',
    },
    profiles: {},
    ...changed,
  };
}
