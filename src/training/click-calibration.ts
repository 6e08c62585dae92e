import type { NativeCalibration } from '../training-binding';
import type { Calibration } from './train-options';

/** Scores and whether each was clicked. */
export interface ScoredClicks {
  readonly scores: ArrayLike<number>;
  readonly clicked: ArrayLike<boolean | number>;
}

const none: NativeCalibration = {
  kind: 'none',
  slope: 1,
  offset: 0,
  scores: new Float32Array(),
  probabilities: new Float32Array(),
};

/** Isotonic steps that are kept, evenly spread over their range. */
const mostKnots = 64;

/** How to turn scores into probabilities, learnt from data that the scores were not learnt from. */
export function fitCalibration(kind: Calibration, data: ScoredClicks): NativeCalibration {
  if (kind === 'none') return none;
  if (kind === 'platt') return { ...none, kind, ...fitPlatt(data) };
  const { scores, probabilities } = fitIsotonic(data);
  // Scores that are all alike have one probability, which Platt's form can say as well.
  if (scores.length < 2) return { ...none, kind: 'platt', slope: 0, offset: logit(data) };
  return {
    ...none,
    kind,
    scores: Float32Array.from(scores),
    probabilities: Float32Array.from(probabilities),
  };
}

function logit({ clicked }: ScoredClicks): number {
  let clicks = 0;
  for (let i = 0; i < clicked.length; i += 1) clicks += Number(clicked[i]);
  const rate = (clicks + 1) / (clicked.length + 2);
  return Math.log(rate / (1 - rate));
}

/**
 * sigmoid(slope · score + offset) of highest likelihood, by Newton's method, with Platt's targets
 * (clicks + 1) / (clicks + 2) and 1 / (others + 2) (Platt 1999; Lin, Lin and Weng 2007).
 * @internal
 */
export function fitPlatt({ scores, clicked }: ScoredClicks): { slope: number; offset: number } {
  const n = scores.length;
  let clicks = 0;
  for (let i = 0; i < n; i += 1) clicks += Number(clicked[i]);
  const high = (clicks + 1) / (clicks + 2);
  const low = 1 / (n - clicks + 2);
  let slope = 0;
  let offset = Math.log((clicks + 1) / (n - clicks + 1));
  for (let round = 0; round < 50; round += 1) {
    let [gSlope, gOffset, hSlope, hOffset, hBoth] = [0, 0, 1e-9, 1e-9, 0];
    for (let i = 0; i < n; i += 1) {
      const score = scores[i]!;
      const p = 1 / (1 + Math.exp(-(slope * score + offset)));
      const error = p - (Number(clicked[i]) === 1 ? high : low);
      const weight = p * (1 - p);
      gSlope += error * score;
      gOffset += error;
      hSlope += weight * score * score;
      hOffset += weight;
      hBoth += weight * score;
    }
    const determinant = hSlope * hOffset - hBoth * hBoth;
    if (!(determinant > 0)) break;
    const [dSlope, dOffset] = [
      (hOffset * gSlope - hBoth * gOffset) / determinant,
      (hSlope * gOffset - hBoth * gSlope) / determinant,
    ];
    slope -= dSlope;
    offset -= dOffset;
    if (Math.abs(dSlope) + Math.abs(dOffset) < 1e-9) break;
  }
  return { slope, offset };
}

/**
 * The never-falling step function of least squares, by pooling adjacent violators (Ayer et al. 1955;
 * for calibration Zadrozny and Elkan 2002), thinned to knots for linear interpolation: the mean
 * scores of its steps and their click rates.
 * @internal
 */
export function fitIsotonic({ scores, clicked }: ScoredClicks): {
  scores: number[];
  probabilities: number[];
} {
  const order = Array.from({ length: scores.length }, (_, i) => i).sort(
    (a, b) => scores[a]! - scores[b]!,
  );
  const steps: { score: number; clicks: number; weight: number }[] = [];
  for (let next = 0; next < order.length;) {
    // Equal scores are one step from the start: their order says nothing.
    const value = scores[order[next]!]!;
    let step = { score: 0, clicks: 0, weight: 0 };
    for (; next < order.length && scores[order[next]!] === value; next += 1) {
      step.score += value;
      step.clicks += Number(clicked[order[next]!]);
      step.weight += 1;
    }
    let before = steps.at(-1);
    while (before && before.clicks * step.weight >= step.clicks * before.weight) {
      steps.pop();
      step = {
        score: before.score + step.score,
        clicks: before.clicks + step.clicks,
        weight: before.weight + step.weight,
      };
      before = steps.at(-1);
    }
    steps.push(step);
  }
  const knots = thinned(steps, mostKnots).map(({ score, clicks, weight }) => ({
    score: Math.fround(score / weight),
    probability: clicks / weight,
  }));
  // Knots that are one number in float32 would have no distance between them.
  const distinct = knots.filter(({ score }, i) => i === 0 || score > knots[i - 1]!.score);
  return {
    scores: distinct.map(({ score }) => score),
    probabilities: distinct.map(({ probability }) => probability),
  };
}

function thinned<T>(values: readonly T[], most: number): T[] {
  if (values.length <= most) return [...values];
  return Array.from(
    { length: most },
    (_, i) => values[Math.round((i * (values.length - 1)) / (most - 1))]!,
  );
}
