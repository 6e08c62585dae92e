import type { RankedImpression } from './group-metrics';

/** The head of a model that says how likely a click is. */
export const clickProbabilityHead = 'click_probability';

/** How well a ranker's probabilities of a click agree with the clicks. */
export interface Calibration {
  /** Items that took part: those of lists that the ranker found in full. */
  readonly items: number;
  /**
   * Expected calibration error (Naeini, Cooper and Hauskrecht 2015): items in 20 bins of as many
   * items each, by probability; the mean over bins of |mean probability − share clicked|.
   */
  readonly error: number;
  /** Mean probability of the items in view. */
  readonly predicted: number;
  /** Share of them that was clicked. */
  readonly clicked: number;
}

const bins = 20;

/** `null` where the ranker says no probabilities. */
export function measureCalibration(measured: readonly RankedImpression[]): Calibration | null {
  const items = measured.flatMap(({ probabilities, clicked }) =>
    (probabilities ?? []).map((probability, i) => ({ probability, clicked: Number(clicked[i]) })),
  );
  if (items.length === 0) return null;
  items.sort((a, b) => a.probability - b.probability);
  const count = Math.min(bins, items.length);
  let error = 0;
  for (let bin = 0; bin < count; bin += 1) {
    const from = Math.round((bin * items.length) / count);
    const to = Math.round(((bin + 1) * items.length) / count);
    let difference = 0;
    for (let i = from; i < to; i += 1) difference += items[i]!.probability - items[i]!.clicked;
    error += Math.abs(difference) / items.length;
  }
  return {
    items: items.length,
    error,
    predicted: items.reduce((sum, { probability }) => sum + probability, 0) / items.length,
    clicked: items.reduce((sum, { clicked }) => sum + clicked, 0) / items.length,
  };
}
