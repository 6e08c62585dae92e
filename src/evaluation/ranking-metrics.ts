import type { Dataset } from '../data/dataset';
import { Bootstrap } from './bootstrap';
import type { MeanInterval } from './bootstrap';
import { measureCalibration, type Calibration } from './calibration';
import type { RankedImpression } from './group-metrics';
import { measureLists, type ListMeasures, type MeasuredLists } from './measured-lists';
import { metricNames } from './metrics';

/** Means over impressions with their 95% bootstrap intervals. */
export interface RankingMetrics {
  readonly metrics: Readonly<Record<(typeof metricNames)[number], MeanInterval>>;
  /**
   * Of the first 10 items: of the list in mode `rerank`, of the pipeline's own slate in mode `rank`.
   * `null` where `unavailable` says why.
   */
  readonly diversity: {
    /** Mean of 1 − cosine over the pairs, in the dataset's first embedding space. */
    readonly intraList10: MeanInterval | null;
    /** How many different topics there are; a slate with an item that is not listed takes no part. */
    readonly topicCoverage10: MeanInterval | null;
  };
  /**
   * nDCG@10 averaged with the weight ln(1 + seconds read) of each impression's one clicked item, so
   * that long reads count for more (log-normalised dwell time: Yi et al. 2014, "Beyond clicks:
   * dwell time for personalization"). `null` where `unavailable` says why.
   */
  readonly dwellNdcg10: MeanInterval | null;
  /**
   * nDCG@10 of the items in view with their true utilities as gains. There only where the dataset
   * knows the truth.
   */
  readonly utilityNdcg10?: MeanInterval;
  /** Of rankers that have a head `click_probability`, as trained ones do; else `null`. */
  readonly calibration: Calibration | null;
  /** Why a measure is `null`, by its name. */
  readonly unavailable: Readonly<Record<string, string>>;
}

const names: readonly (keyof ListMeasures)[] = [
  ...metricNames,
  ...(['intraList10', 'topicCoverage10', 'weight', 'weightedNdcg10', 'utilityNdcg10'] as const),
];

/**
 * @param measured at least one
 * @param lists measures of the same; measured here where nobody else has use for them
 */
export function summarise(
  dataset: Dataset,
  measured: readonly RankedImpression[],
  { lists, reasons }: MeasuredLists = measureLists(dataset, measured),
): RankingMetrics {
  const bootstrap = new Bootstrap(
    names.map((name) => Float64Array.from(lists, (list) => list[name])),
  );
  const intervalOf = (name: keyof ListMeasures): MeanInterval | null => {
    const interval = bootstrap.interval(names.indexOf(name));
    return Number.isNaN(interval.mean) ? null : interval;
  };
  const [auc, mrr, ndcg5, ndcg10] = metricNames.map(intervalOf);
  const totalWeight = bootstrap.means[names.indexOf('weight')] as number;
  const intraList10 = intervalOf('intraList10');
  const topicCoverage10 = intervalOf('topicCoverage10');
  const utilityNdcg10 = intervalOf('utilityNdcg10');
  const calibration = measureCalibration(measured);
  const unavailable: Record<string, string> = {};
  if (!calibration) {
    unavailable['calibration'] =
      'the ranker has no head click_probability, or found no list of items in full';
  }
  if (!intraList10) {
    unavailable['intraList10'] =
      reasons.intraList ?? 'no slate held two items that have embeddings';
  }
  if (!topicCoverage10) {
    unavailable['topicCoverage10'] =
      reasons.topics ?? 'every slate held an item that the dataset does not list';
  }
  if (!(totalWeight > 0)) {
    unavailable['dwellNdcg10'] = `dataset ${dataset.name} has no reading times of single clicks`;
  }
  return {
    metrics: { auc, mrr, ndcg5, ndcg10 } as RankingMetrics['metrics'],
    diversity: {
      intraList10,
      topicCoverage10,
    },
    dwellNdcg10:
      totalWeight > 0
        ? bootstrap.ratio(names.indexOf('weightedNdcg10'), names.indexOf('weight'))
        : null,
    ...(utilityNdcg10 ? { utilityNdcg10 } : {}),
    calibration,
    unavailable,
  };
}
