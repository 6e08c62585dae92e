import type { Precision } from './precision';

/**
 * Whether an answer is what was stored with a model, to |a − b| ≤ r · max(1, |b|). In float32 r is
 * 1e-4, because processors round differently. In bfloat16 it is 0.05: what is multiplied is off by
 * up to 1/512 of itself, layer after layer. Never for NaN.
 * @internal
 */
export function agreesWithGolden(
  answer: number,
  golden: number,
  precision: Precision = 'float32',
): boolean {
  const rounding = precision === 'bfloat16' ? 0.05 : 1e-4;
  return Math.abs(answer - golden) <= rounding * Math.max(1, Math.abs(golden));
}
