import type { ExposureTarget } from './rank-profile';

/** τ of a half-life: τ = half-life / ln 2. */
export function tauOfHalfLife(halfLifeMs: number): number {
  return halfLifeMs / Math.LN2;
}

/** Weights up to here cannot make a score of float32 features or heads overflow. @internal */
export const largestWeight = 1e100;

/** What `retrievalEffort` is where nobody says otherwise. @internal */
export const defaultRetrievalEffort = 0.35;

/** What `tolerance` is where a target names none. @internal */
export const defaultExposureTolerance = 0.02;

/** A profile with every default filled in. */
export interface RankSettings {
  readonly profile: string;
  readonly tauMs: number;
  readonly negativeDots: 'decay' | 'keep' | 'drop';
  readonly retrieval: 'exact' | 'approximate';
  readonly retrievalEffort: number;
  readonly maxCandidates: number;
  readonly quotas: Readonly<Record<string, number>>;
  readonly maxAgeMs: number;
  readonly maxReports: number;
  readonly maxReportRate: number;
  readonly maxHideRate: number;
  readonly seenAfterImpressions: number;
  readonly limit: number;
  readonly perAuthor: number;
  readonly perTopic: number;
  readonly authorSpacing: number;
  readonly topicSpacing: number;
  readonly diversity: number;
  readonly exposure: readonly ExposureTarget[];
  readonly headWeights: Readonly<Record<string, number>>;
  readonly budgetMs: number;
  readonly budgetPercentile: number;
  readonly smallerBundle?: string;
  readonly shadowBundle?: string;
  readonly maxAnswerAgeMs: number;
  readonly stageBudgetMs: number;
}
