import type { ItemId } from '../../src';

/** An item as the brute-force oracles see it. */
export interface PlainItem {
  readonly id: ItemId;
  readonly publishTime: number;
}

/** A smaller id: numbers by value, strings by code point, as UTF-8 sorts them. */
export function compareIds(a: ItemId, b: ItemId): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return Buffer.compare(Buffer.from(String(a)), Buffer.from(String(b)));
}

/** The contract's order of equal scores: newer first, then the smaller id. */
export function compareTies(a: PlainItem, b: PlainItem): number {
  return b.publishTime - a.publishTime || compareIds(a.id, b.id);
}

export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += Math.fround(a[i]!) * Math.fround(b[i]!);
  return sum;
}

/** dot · exp(−age/τ) in double precision, with age ≥ 0. */
export function decayedScore(
  product: number,
  publishTime: number,
  now: number,
  tauMs: number,
  negativeDots: 'decay' | 'keep' | 'drop' = 'decay',
): number {
  if (product < 0 && negativeDots === 'keep') return product;
  return product * Math.exp(-Math.max(0, now - publishTime) / tauMs);
}

/** 2^(−age / half-life), with weight 1 for an event after `now`. */
export function eventWeight(at: number, now: number, halfLifeMs: number): number {
  return 2 ** (-Math.max(0, now - at) / halfLifeMs);
}
