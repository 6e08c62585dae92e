import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

import type { UserId } from '../identity';

/** How large a figure is by chance alone. */
export interface ChanceLevel {
  readonly mean: number;
  /** The 95th percentile: one division in twenty gives more. */
  readonly high: number;
}

/** The scores of one list, and the slice of its reader. */
export interface SlicedScores {
  readonly userId: UserId;
  readonly value: string;
  /** Those that are not finite take no part. */
  readonly scores: readonly number[];
}

const shuffles = 1000;
const seed = 1;

/** What is left of scores for means and variances. */
interface Moments {
  sum: number;
  squares: number;
  count: number;
}

/**
 * The score disparity where the readers' slices mean nothing: a permutation test (Fisher 1935) that
 * shuffles the slices over the readers. A reader's lists of one slice stay together. `null` where
 * fewer than two slices have scores, or where these do not vary within them.
 */
export function disparityByChance(lists: readonly SlicedScores[]): ChanceLevel | null {
  const readers = new Map<string, Moments & { readonly slice: number }>();
  const codes = new Map<string, number>();
  for (const { userId, value, scores } of lists) {
    if (!scores.some(Number.isFinite)) continue;
    const slice = codes.get(value) ?? codes.size;
    codes.set(value, slice);
    const key = JSON.stringify([userId, value]);
    const reader = readers.get(key) ?? { slice, sum: 0, squares: 0, count: 0 };
    readers.set(key, reader);
    for (const score of scores) if (Number.isFinite(score)) add(reader, score, score * score, 1);
  }
  if (codes.size < 2) return null;
  const all = [...readers.values()];
  const slices = Uint32Array.from(all, ({ slice }) => slice);
  const random = xoroshiro128plus(seed);
  const found = Float64Array.from({ length: shuffles }, () => {
    for (let i = slices.length - 1; i > 0; i -= 1) {
      const other = uniformInt(random, 0, i);
      [slices[i], slices[other]] = [slices[other] as number, slices[i] as number];
    }
    return disparity(all, slices, codes.size);
  }).sort();
  const mean = found.reduce((sum, value) => sum + value, 0) / shuffles;
  const high = found[Math.ceil(0.95 * shuffles) - 1] as number;
  return Number.isFinite(mean) ? { mean, high } : null;
}

/** Of the two slices whose mean scores lie furthest apart. */
function disparity(readers: readonly Moments[], slices: Uint32Array, count: number): number {
  const groups = Array.from({ length: count }, (): Moments => ({ sum: 0, squares: 0, count: 0 }));
  readers.forEach(({ sum, squares, count: scores }, i) => {
    add(groups[slices[i] as number] as Moments, sum, squares, scores);
  });
  groups.sort((a, b) => meanOf(a) - meanOf(b));
  const [low, high] = [groups[0] as Moments, groups.at(-1) as Moments];
  const scattered = scatterOf(low) + scatterOf(high);
  const deviation = Math.sqrt(scattered / (low.count + high.count - 2));
  return (meanOf(high) - meanOf(low)) / deviation;
}

function add(moments: Moments, sum: number, squares: number, count: number): void {
  moments.sum += sum;
  moments.squares += squares;
  moments.count += count;
}

function meanOf({ sum, count }: Moments): number {
  return sum / count;
}

/** Sum of squared differences from the mean. */
function scatterOf(moments: Moments): number {
  return Math.max(0, moments.squares - moments.sum * meanOf(moments));
}
