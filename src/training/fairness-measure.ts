import type { Dataset } from '../data/dataset';
import type { FairnessMeasure, FairnessOptions } from './train-options';

/** Fairness with the measure that suits its group, where it names none. */
export function withMeasure(
  fairness: FairnessOptions,
  { labels }: Pick<Dataset, 'labels'>,
): FairnessOptions & { readonly measure: FairnessMeasure } {
  // A list has one reader, so that there are no pairs across slices of readers.
  const measure = labels.includes(fairness.group) ? 'pairwise' : 'disparity';
  return { measure, ...fairness };
}
