import type { MeanInterval } from '../evaluation/bootstrap';
import type { GroupMetrics } from '../evaluation/group-metrics';
import type { Machine } from '../evaluation/machine';
import type { RankProfile } from '../profile/rank-profile';

/** What a row of the report is; further kinds may come. */
export type TradeoffKind =
  | 'teacher'
  | 'student'
  | 'pruned'
  | 'bf16'
  | 'int8'
  | 'decayed-dot'
  | 'popularity'
  | 'fairness'
  | 'settings'
  | 'cached'
  | 'fresh'
  | 'untaught'
  | 'ablation';

/** How long an answer takes, in milliseconds. */
export interface Latency {
  readonly p50: number;
  readonly p99: number;
}

/** One way to rank: what it gives and what it costs. */
export interface TradeoffRow {
  /** Stable over runs with the same options; what `--choose` takes. */
  readonly id: string;
  readonly kind: TradeoffKind;
  /** In a few words, for people. */
  readonly title: string;
  /** `rerank`: orders the lists in view. `rank`: the whole pipeline, for a sample of readers. */
  readonly mode: 'rerank' | 'rank';
  /** What makes it differ from the others: widths, λ, τ, precision, ... */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Over the measured impressions, with 95% bootstrap intervals; `null` where the data cannot tell. */
  readonly metrics: {
    readonly auc: MeanInterval;
    readonly mrr: MeanInterval;
    readonly ndcg5: MeanInterval;
    readonly ndcg10: MeanInterval;
    /** nDCG@10 weighted with reading time: time spent. */
    readonly dwellNdcg10: MeanInterval | null;
  };
  /** AUC minus the reference row's (the teacher's), over the same impressions, resampled as pairs. */
  readonly aucChange: MeanInterval | null;
  readonly groups: Readonly<Record<string, GroupMetrics>>;
  readonly diversity: {
    readonly intraList10: MeanInterval | null;
    readonly topicCoverage10: MeanInterval | null;
  };
  /** Whole requests (features and ranker), by number of candidates; of one interleaved run. */
  readonly latencyMs: Readonly<Record<string, Latency>>;
  /** The ranker's forward pass alone, likewise. */
  readonly rankerMs: Readonly<Record<string, Latency>>;
  /** Multiplications and additions for one candidate; `null` where there is no network. */
  readonly flops: number | null;
  /** Of the ranker's file; 0 where there is none. */
  readonly bytes: number;
  /** Whether no other row has both more AUC and less latency at 2,000 candidates. */
  readonly pareto: boolean;
}

/** What a step along the Pareto front costs. */
export interface Price {
  readonly from: string;
  readonly to: string;
  readonly auc: number;
  readonly ms: number;
  /** Milliseconds for 0.001 of AUC. */
  readonly msPerThousandthOfAuc: number;
}

/** One point of a curve: a setting, and what the measures are there. */
export interface CurvePoint {
  readonly value: number;
  readonly measures: Readonly<Record<string, MeanInterval | null>>;
}

/** How measures move with one setting, the others staying as they are. */
export interface Curve {
  /** `fairness` (λ), `tau` (ms), `diversity` (weight) or `candidates` (count). */
  readonly setting: string;
  /** What was measured, and how, in a sentence. */
  readonly note: string;
  readonly points: readonly CurvePoint[];
}

/** What is lost where a part is left out: its row minus the whole, pairwise, with 95% intervals. */
export interface AblationRow {
  /** `stage`, `generator` or `feature-family`. */
  readonly part: string;
  readonly name: string;
  readonly change: Readonly<Record<string, MeanInterval | null>>;
}

/** What the latency budget makes of a load. */
export interface LoadRow {
  /** Requests a second that came in. */
  readonly rate: number;
  readonly budgetMs: number;
  /** Milliseconds of what was answered; `null` where nothing was. */
  readonly p50: number | null;
  readonly p99: number | null;
  /** Shares of requests: answered within the budget, refused, and by tier of what was answered. */
  readonly inTime: number;
  readonly refused: number;
  readonly tiers: Readonly<Record<string, number>>;
  /**
   * AUC of the tiers' rows over the lists in view, weighted with their shares; the merged order counts
   * as 0.5. `null` where nothing was answered.
   */
  readonly auc: number | null;
}

/** `report.json`. */
export interface TradeoffReport {
  readonly formatVersion: 1;
  readonly dataset: string;
  readonly split: string;
  readonly seed: number;
  readonly impressions: number;
  readonly machine: Machine;
  readonly versions: Readonly<Record<string, string>>;
  readonly seconds: number;
  /** Row that the changes are relative to. */
  readonly reference: string;
  readonly rows: readonly TradeoffRow[];
  readonly prices: readonly Price[];
  readonly curves: readonly Curve[];
  readonly ablation: readonly AblationRow[];
  readonly load: readonly LoadRow[];
  /** What could not be measured, by name, and why. */
  readonly unavailable: Readonly<Record<string, string>>;
  /** Profiles that `--choose` saves, by row. */
  readonly profiles: Readonly<Record<string, RankProfile>>;
}
