import type { Dataset } from '../data/dataset';
import { SlateDiversity } from './diversity';
import type { RankedImpression } from './group-metrics';
import { gradedNdcg, impressionMetrics, type ImpressionMetrics } from './metrics';

/** Measures of one list; NaN where one does not apply. */
export interface ListMeasures extends ImpressionMetrics {
  readonly intraList10: number;
  readonly topicCoverage10: number;
  /** ln(1 + seconds read). */
  readonly weight: number;
  /** nDCG@10 · that weight. */
  readonly weightedNdcg10: number;
  /** nDCG@10 with the true utilities as gains. */
  readonly utilityNdcg10: number;
}

/** Measures of lists, list by list. */
export interface MeasuredLists {
  readonly lists: readonly ListMeasures[];
  /** Why there is no diversity of a kind, `null` where there is. */
  readonly reasons: SlateDiversity['reasons'];
}

export function measureLists(dataset: Dataset, ranked: readonly RankedImpression[]): MeasuredLists {
  const slates = new SlateDiversity(dataset);
  const { reasons } = slates;
  const lists = ranked.map(({ scores, clicked, slateIds, dwellMs, utilities }): ListMeasures => {
    const metrics = impressionMetrics(scores, clicked);
    const weight = dwellMs === undefined ? NaN : Math.log1p(dwellMs / 1000);
    return {
      ...metrics,
      intraList10: reasons.intraList === null ? slates.intraList(slateIds) : NaN,
      topicCoverage10: reasons.topics === null ? slates.topicCoverage(slateIds) : NaN,
      weight,
      weightedNdcg10: metrics.ndcg10 * weight,
      utilityNdcg10: utilities ? gradedNdcg(utilities, utilities, 10) : NaN,
    };
  });
  return { lists, reasons };
}
