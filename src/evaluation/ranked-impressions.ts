import type { Dataset, DatasetImpression } from '../data/dataset';
import type { SlateItem } from '../feed/slate';
import type { ItemId } from '../identity';
import { clickProbabilityHead } from './calibration';
import { diversityDepth } from './diversity';
import { itemGroupMetrics, userSliceMetrics } from './group-metrics';
import type { GroupMetrics, RankedImpression } from './group-metrics';

/** When each listed item was published; 0 where the dataset does not say. */
export function publishTimesOf(dataset: Dataset): ReadonlyMap<ItemId, number> {
  return new Map(dataset.items.map((item) => [item.id, item.publishTime ?? 0]));
}

/** Order of equal scores: newer first, then smaller id. */
export function byAge(
  at: number,
  publishTimes: ReadonlyMap<ItemId, number>,
): (a: ItemId, b: ItemId) => number {
  const age = (id: ItemId): number => at - (publishTimes.get(id) ?? 0);
  return (a, b) => age(a) - age(b) || (a < b ? -1 : 1);
}

/**
 * The items in view in the slate's order, and behind them those that the slate does not hold, in
 * the order of equal scores: newer first, then smaller id. The order shown would tell of clicks.
 */
export function inView(
  dataset: Dataset,
  impression: DatasetImpression,
  slate: readonly Pick<SlateItem, 'id' | 'score' | 'explanation'>[],
  publishTimes: ReadonlyMap<ItemId, number>,
): RankedImpression {
  const { userId, at, outcome } = impression;
  const missing = new Set(impression.itemIds);
  const ranked = slate.filter(({ id }) => missing.delete(id));
  const rest = [...missing].sort(byAge(at, publishTimes));
  const itemIds = [...ranked.map(({ id }) => id), ...rest];
  const clickedIds = new Set(impression.clickedIds);
  const probabilities = ranked.flatMap(
    ({ explanation }) => explanation?.outputs[clickProbabilityHead] ?? [],
  );
  return {
    itemIds,
    scores: [...ranked.map(({ score }) => score), ...rest.map(() => -Infinity)],
    clicked: itemIds.map((id) => clickedIds.has(id)),
    userSlices: impression.userSlices,
    userId,
    ...(probabilities.length === itemIds.length ? { probabilities } : {}),
    slateIds: slate.slice(0, diversityDepth).map(({ id }) => id),
    // The outcome does not say which of several clicked items it belongs to.
    ...(clickedIds.size === 1 && outcome?.dwellMs !== undefined
      ? { dwellMs: outcome.dwellMs }
      : {}),
    ...(dataset.utility
      ? { utilities: itemIds.map((id) => dataset.utility?.(userId, id, at) ?? NaN) }
      : {}),
  };
}

/** What sets groups of items and slices of readers apart, by the name of the group. */
export function compareGroups(
  dataset: Dataset,
  measured: readonly RankedImpression[],
  groups: readonly string[],
): Record<string, GroupMetrics> {
  const compared = groups.map((name): [string, GroupMetrics] => {
    if (!dataset.labels.includes(name)) return [name, userSliceMetrics(measured, name)];
    const values = new Map(dataset.items.map((item) => [item.id, item.labels?.[name]]));
    return [name, itemGroupMetrics(measured, (id) => values.get(id))];
  });
  return Object.fromEntries(compared);
}
