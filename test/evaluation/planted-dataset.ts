import type { Dataset, DatasetImpression, DatasetItem } from '../../src/data/dataset';

export const minute = 60_000;
export const start = Date.UTC(2024, 0, 1);

/** An impression of reader 1 in the train split, so many minutes after the start. */
export function impression(
  id: number,
  minutes: number,
  itemIds: readonly number[],
  clickedIds: readonly number[],
  changes: Partial<DatasetImpression> = {},
): DatasetImpression {
  return {
    impressionId: id,
    userId: 1,
    at: start + minutes * minute,
    itemIds,
    clickedIds,
    context: {},
    userSlices: {},
    split: 'train',
    ...changes,
  };
}

/** A log of planted impressions. */
export function datasetOf(
  impressions: readonly DatasetImpression[],
  items: readonly DatasetItem[] = [1, 2, 3].map((id) => ({ id, publishTime: start })),
  changes: Partial<Dataset> = {},
): Dataset {
  const splits = ['train', 'validation'].map((name) => ({
    name,
    impressions: impressions.filter(({ split }) => split === name).length,
  }));
  return {
    name: 'planted',
    ids: 'integer',
    spaces: {},
    columns: [],
    labels: [],
    userSlices: [],
    segments: {},
    splits,
    items,
    malformedRows: 0,
    async *impressions(split) {
      yield* impressions.filter((entry) => entry.split === split);
    },
    ...changes,
  };
}
