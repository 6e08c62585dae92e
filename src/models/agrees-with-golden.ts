import type { Precision } from './precision';

const rounding = { float32: 1e-4, bfloat16: 0.05, int8: 0.1 } as const;

/**
 * Whether an answer is what was stored with a model, to |a − b| ≤ r · max(1, |b|). In float32 r is
 * 1e-4, because processors round differently. In bfloat16 it is 0.05: what is multiplied is off by
 * up to 1/512 of itself, layer after layer. In int8 it is 0.1: weights are off by up to 1/254 of the
 * greatest beside them, and inputs by up to 1/255 (1/127 on processors without VNNI) of how far the
 * row reaches. Never for NaN.
 * @internal
 */
export function agreesWithGolden(
  answer: number,
  golden: number,
  precision: Precision = 'float32',
): boolean {
  return Math.abs(answer - golden) <= rounding[precision] * Math.max(1, Math.abs(golden));
}
