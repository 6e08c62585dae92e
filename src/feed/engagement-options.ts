import type { NativeEngagement, NativeEngagementOptions } from '../binding';
import { invalidArgument } from '../errors';
import { defaultHalfLivesMs } from '../features/half-lives';
import { checkInteger, checkObject } from '../validation';
import { Segmentation, type Segments } from './segmentation';

const hour = 3_600_000;
const day = 24 * hour;

/** What a feed counts and remembers of what readers do. */
export interface EngagementOptions {
  /** Half-lives of the live counters, 1 to 8, each whole milliseconds of at least 1,000. Defaults to 0.5, 3, 12 and 48 h. */
  readonly halfLivesMs?: readonly number[];
  /**
   * Ways to divide readers or the places where items are shown, by name, with their values: at most
   * 4 with 32 values in all. Impressions and clicks are counted for each value too. Defaults to none.
   */
  readonly segments?: Segments;
  /** Half-lives of the counters per segment value, as `halfLivesMs`. Defaults to 2 and 12 h. */
  readonly segmentHalfLivesMs?: readonly number[];
  /** Events older than the newest by more than this are dropped as late. Defaults to 600,000 (10 min). */
  readonly latenessMs?: number;
  /** Readers remembered; the least recently active goes first. Defaults to 100,000. */
  readonly maxUsers?: number;
  /** Items that a reader was shown, remembered a reader; the one shown longest ago goes first. Defaults to 256. */
  readonly maxShownPerUser?: number;
  /** Items that a reader has read, remembered a reader; the one read longest ago goes first. Defaults to 128. */
  readonly maxReadsPerUser?: number;
  /** What a reader was shown and has read longer ago than this is forgotten. Defaults to 30 days. */
  readonly ttlMs?: number;
  /** Which items are read by the same readers, and which are clicked on an item's page. */
  readonly coRead?: CoReadOptions;
  /** Half-life of what {@link Feed.slices} reports, whole milliseconds of at least 1,000. Defaults to 12 h. */
  readonly slicesHalfLifeMs?: number;
  /** Items with an impression in this many milliseconds are the pool of relative features. Defaults to 24 h. */
  readonly poolWindowMs?: number;
  /** Statistics over the pool are taken anew at each multiple of this many milliseconds. Defaults to 300,000 (5 min). */
  readonly poolGridMs?: number;
}

/** How items that are read together are counted. */
export interface CoReadOptions {
  /** Half-life of a pair's weight in milliseconds, at least 1,000. Defaults to 24 h. */
  readonly halfLifeMs?: number;
  /** Reads of one reader further apart than this many milliseconds make no pair. Defaults to 24 h. */
  readonly windowMs?: number;
  /** Others remembered an item, 1 to 1,024; the lightest goes first. Defaults to 32. */
  readonly maxPerItem?: number;
  /** Earlier reads that a read is paired with, newest first, 0 to 128. Defaults to 20. */
  readonly reads?: number;
}

/** What the rest of a feed needs to know of its counters. @internal */
export interface EngagementShape {
  readonly halfLivesMs: readonly number[];
  readonly segmentHalfLivesMs: readonly number[];
  readonly segments: Segments;
  readonly latenessMs: number;
  readonly poolGridMs: number;
}

/** @internal */
export function engagementShape(engagement: NativeEngagement): EngagementShape {
  const { segments, ...shape } = engagement.shape();
  // Unlike an assignment, this takes a name such as `__proto__` for what it is.
  const byName = Object.fromEntries(segments.map(({ name, values }) => [name, values]));
  return { ...shape, segments: byName };
}

/** Throws `INVALID_ARGUMENT`. @internal */
export function checkEngagementOptions(options: EngagementOptions): NativeEngagementOptions {
  const coRead = checkObject(options.coRead ?? {}, 'coRead') as CoReadOptions;
  const { segments } = new Segmentation(options.segments, 'segments');
  return {
    halfLivesMs: checkHalfLives(options.halfLivesMs ?? defaultHalfLivesMs, 'halfLivesMs'),
    segmentHalfLivesMs: checkHalfLives(
      options.segmentHalfLivesMs ?? [2 * hour, 12 * hour],
      'segmentHalfLivesMs',
    ),
    segments: Object.entries(segments).map(([name, values]) => ({ name, values })),
    latenessMs: checkInteger(options.latenessMs ?? hour / 6, 'latenessMs', 0, 365 * day),
    maxUsers: checkInteger(options.maxUsers ?? 100_000, 'maxUsers', 1, 2 ** 31),
    maxShownPerUser: checkInteger(options.maxShownPerUser ?? 256, 'maxShownPerUser', 1, 65_536),
    maxReadsPerUser: checkInteger(options.maxReadsPerUser ?? 128, 'maxReadsPerUser', 1, 65_536),
    ttlMs: checkInteger(options.ttlMs ?? 30 * day, 'ttlMs', 1000, 3650 * day),
    poolWindowMs: checkInteger(options.poolWindowMs ?? day, 'poolWindowMs', 1000, 365 * day),
    poolGridMs: checkInteger(options.poolGridMs ?? hour / 12, 'poolGridMs', 1000, 365 * day),
    coRead: {
      halfLifeMs: checkInteger(coRead.halfLifeMs ?? day, 'coRead.halfLifeMs', 1000, 365 * day),
      windowMs: checkInteger(coRead.windowMs ?? day, 'coRead.windowMs', 0, 3650 * day),
      maxPerItem: checkInteger(coRead.maxPerItem ?? 32, 'coRead.maxPerItem', 1, 1024),
      reads: checkInteger(coRead.reads ?? 20, 'coRead.reads', 0, 128),
    },
    slicesHalfLifeMs: checkInteger(
      options.slicesHalfLifeMs ?? 12 * hour,
      'slicesHalfLifeMs',
      1000,
      365 * day,
    ),
  };
}

function checkHalfLives(value: unknown, argument: string): Float64Array {
  if (!Array.isArray(value) || value.length < 1 || value.length > 8) {
    throw invalidArgument(argument, 'an array of 1 to 8 half-lives', value);
  }
  return Float64Array.from(value, (halfLife: unknown, i) =>
    checkInteger(halfLife, `${argument}[${i}]`, 1000, 365 * day),
  );
}
