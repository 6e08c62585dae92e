/**
 * Whether an answer is what was stored with a model, to |a − b| ≤ 1e-4 · max(1, |b|): processors round
 * differently. Never for NaN.
 * @internal
 */
export function agreesWithGolden(answer: number, golden: number): boolean {
  return Math.abs(answer - golden) <= 1e-4 * Math.max(1, Math.abs(golden));
}
