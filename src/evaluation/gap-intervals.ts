import type { ItemId } from '../identity';
import { Bootstrap } from './bootstrap';
import type { MeanInterval } from './bootstrap';
import { extremes, itemGroupParts, sliceParts } from './compared-groups';
import type { ComparedImpression, GroupPart } from './compared-groups';

/** The gaps of `GroupMetrics` with 95% intervals of 1,000 bootstrap resamples of impressions. */
export interface GapIntervals {
  readonly pairwiseGap: MeanInterval | null;
  readonly scoreDisparity: MeanInterval | null;
}

/** What one impression adds to one group's sums. */
class Sums {
  pairs = 0;
  ordered = 0;
  count = 0;
  sum = 0;
  squares = 0;
}

type Compared = readonly ReadonlyMap<string, Sums>[];

/** For groups of items. */
export function itemGapIntervals(
  impressions: readonly ComparedImpression[],
  groupOf: (itemId: ItemId) => string | undefined,
): GapIntervals {
  return intervalsOf(impressions.map((impression) => sumsOf(itemGroupParts(impression, groupOf))));
}

/** For slices of readers. */
export function sliceGapIntervals(
  impressions: readonly ComparedImpression[],
  slice: string,
): GapIntervals {
  return intervalsOf(impressions.map((impression) => sumsOf(sliceParts(impression, slice))));
}

function sumsOf(parts: readonly GroupPart[]): Map<string, Sums> {
  return new Map(
    parts.map(({ value, scores, pairs }) => [value, Object.assign(addScores(scores), pairs)]),
  );
}

function addScores(scores: readonly number[]): Sums {
  const sums = new Sums();
  for (const score of scores) {
    if (!Number.isFinite(score)) continue;
    sums.count += 1;
    sums.sum += score;
    sums.squares += score * score;
  }
  return sums;
}

function intervalsOf(impressions: Compared): GapIntervals {
  const totals = new Map<string, Sums>();
  for (const groups of impressions) {
    for (const [value, sums] of groups) {
      const total = totals.get(value) ?? new Sums();
      for (const name of fields) total[name] += sums[name];
      totals.set(value, total);
    }
  }
  const byAccuracy = extremes(totals, ({ ordered, pairs }) => ordered / pairs);
  const byScore = extremes(totals, ({ sum, count }) => sum / count);
  return {
    pairwiseGap:
      byAccuracy &&
      bootstrap(impressions, byAccuracy, ([a, b]) => a.ordered / a.pairs - b.ordered / b.pairs),
    scoreDisparity: byScore && bootstrap(impressions, byScore, disparity),
  };
}

const fields = ['pairs', 'ordered', 'count', 'sum', 'squares'] as const;

/** |difference of means| in pooled standard deviations; sums may be scaled alike. */
function disparity([a, b]: readonly [Sums, Sums], lists: number): number {
  const within = [a, b].reduce((sum, { squares, sum: total, count }) => {
    return sum + squares - (total * total) / count;
  }, 0);
  const deviation = Math.sqrt((within * lists) / ((a.count + b.count) * lists - 2));
  return Math.abs(a.sum / a.count - b.sum / b.count) / deviation;
}

function bootstrap(
  impressions: Compared,
  groups: readonly [string, string],
  gap: (sums: readonly [Sums, Sums], lists: number) => number,
): MeanInterval | null {
  const nothing = new Sums();
  const columns = groups.flatMap((group) =>
    fields.map((name) => Float64Array.from(impressions, (of) => (of.get(group) ?? nothing)[name])),
  );
  const toSums = (means: readonly number[]): Sums =>
    Object.assign(new Sums(), Object.fromEntries(fields.map((name, i) => [name, means[i]])));
  const interval = new Bootstrap(columns).statistic((means) =>
    gap(
      [toSums(means.slice(0, fields.length)), toSums(means.slice(fields.length))],
      impressions.length,
    ),
  );
  return Number.isFinite(interval.mean) ? interval : null;
}
