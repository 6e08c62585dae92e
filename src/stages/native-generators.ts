import { invalidArgument } from '../errors';
import { checkName, checkPositive } from '../validation';
import { nativeOptions, type NativeStageOptions, type StageOf } from './native-stages';

type NativeGenerator = StageOf<'generator'>;

/** Counters that {@link trending} can go by. */
export const trendingCounters = [
  'impressions',
  'clicks',
  'dwell-seconds',
  'dwells',
  'completion',
] as const;

/** What {@link trending} can go by. */
export type TrendingCounter = (typeof trendingCounters)[number];

/** Options of {@link trending}. */
export interface TrendingOptions extends NativeStageOptions {
  /**
   * One of the feed's `halfLivesMs`, or with `segment` of its `segmentHalfLivesMs`. Defaults to 3 h,
   * and with `segment` to the first of the feed's.
   */
  readonly halfLifeMs?: number;
  /**
   * What is counted: `completion` is the sum of the shares that were scrolled through. With
   * `segment`, `clicks` or `impressions`. Defaults to `clicks`.
   */
  readonly counter?: TrendingCounter;
  /**
   * One of the feed's segments: then only readers with the query's own value of it count, and a query
   * without a value goes without this generator. Defaults to none: everybody counts.
   */
  readonly segment?: string;
}

/**
 * Items with the highest dot(user, item) · exp(−age/τ), τ from the profile. Needs the query's user
 * vector for the space and is skipped without one. Moves click-through; costs a pass over the
 * catalog's vectors.
 */
export function decayedDot(options: NativeStageOptions & { space: string }): NativeGenerator {
  return {
    ...nativeOptions(options, 'decayed-dot', false),
    native: { stage: 'generator', kind: 'decayed-dot', space: checkName(options.space, 'space') },
  };
}

/**
 * Items with the most decayed clicks. Moves click-through: in a news feed most of what is clicked
 * is what is being clicked now. Costs a pass over the catalog's counters.
 */
export function trending(options: TrendingOptions = {}): NativeGenerator {
  const stage = nativeOptions(options, 'trending', false);
  const { segment, halfLifeMs, counter = 'clicks' } = options;
  if (!trendingCounters.includes(counter)) {
    throw invalidArgument('counter', `one of ${trendingCounters.join(', ')}`, counter);
  }
  if (segment !== undefined && counter !== 'clicks' && counter !== 'impressions') {
    throw invalidArgument('counter', 'clicks or impressions, which segments count', counter);
  }
  return {
    ...stage,
    native: {
      stage: 'generator',
      kind: 'trending',
      counter,
      ...(halfLifeMs !== undefined && { halfLifeMs: checkPositive(halfLifeMs, 'halfLifeMs') }),
      ...(segment !== undefined && { segment: checkName(segment, 'segment') }),
    },
  };
}

/** The newest items. Moves creator exposure: nothing new is clicked before it is shown. */
export function fresh(options: NativeStageOptions = {}): NativeGenerator {
  return {
    ...nativeOptions(options, 'fresh', false),
    native: { stage: 'generator', kind: 'fresh' },
  };
}

/**
 * The newest items by authors, or of topics, that the query follows; the score is the negative age
 * in hours. Skipped where it follows nothing. Moves creator exposure and readers' coming back; costs
 * a pass over the newest part of the catalog, until the quota is full.
 */
export function followed(options: NativeStageOptions = {}): NativeGenerator {
  return {
    ...nativeOptions(options, 'followed', false),
    native: { stage: 'generator', kind: 'followed' },
  };
}

/**
 * Items that are read by the readers of this reader's last 20 reads, and of the query's
 * `currentItemId`: those with the highest sum of similarities, where two items' similarity is
 * w / √((a + 10) · (b + 10)), with w the decayed number of readers of both and a and b each item's
 * own reads (item-based collaborative filtering, Sarwar et al. 2001). What the reader has read is
 * left out. Skipped for a stranger without a page. Moves click-through and time spent; costs some
 * microseconds a read.
 */
export function coRead(options: NativeStageOptions = {}): NativeGenerator {
  return {
    ...nativeOptions(options, 'co-read', false),
    native: { stage: 'generator', kind: 'co-read' },
  };
}
