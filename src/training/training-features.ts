import type { Dataset } from '../data/dataset';
import { datasetFeatures, signalsOf } from '../features/dataset-features';
import type { FeatureDefinition } from '../features/feature';

/**
 * Numbers of EB-NeRD's impressions that may only be known once the reader has left the page: a
 * service could not bring them when it asks for a list. A ranker reads them where its options say so.
 */
const knownAfterwards: ReadonlySet<string> = new Set(['page_dwell', 'page_scroll']);

/** What a ranker reads where nobody says: everything that a feed can serve for the dataset. */
export async function trainingFeatures(
  dataset: Dataset,
  mode: 'rerank' | 'rank',
): Promise<FeatureDefinition[]> {
  const signals = await signalsOf(dataset);
  const contextKeys = signals.contextKeys.filter((key) => !knownAfterwards.has(key));
  return datasetFeatures({ ...signals, contextKeys }).filter(
    ({ reference }) => mode === 'rerank' || reference !== 'list',
  );
}
