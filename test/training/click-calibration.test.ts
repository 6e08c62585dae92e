import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { fitCalibration, fitIsotonic, fitPlatt } from '../../src/training/click-calibration';

/** The isotonic fit by its min-max formula, at every distinct score. */
function isotonicByFormula(scores: readonly number[], clicked: readonly number[]): number[] {
  const distinct = [...new Set(scores)].sort((a, b) => a - b);
  const mean = (from: number, to: number): number => {
    const within = distinct.slice(from, to + 1);
    const part = clicked.filter((_, i) => within.includes(scores[i]!));
    return part.reduce((sum, value) => sum + value, 0) / part.length;
  };
  return distinct.map((_, k) => {
    let highest = -Infinity;
    for (let from = 0; from <= k; from += 1) {
      let lowest = Infinity;
      for (let to = k; to < distinct.length; to += 1) lowest = Math.min(lowest, mean(from, to));
      highest = Math.max(highest, lowest);
    }
    return highest;
  });
}

describe('isotonic calibration', () => {
  it('is the never-falling fit of least squares', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -8, max: 8 }), { minLength: 1, maxLength: 25 }),
        fc.infiniteStream(fc.boolean()),
        (scores, coins) => {
          const clicked = scores.map(() => Number(coins.next().value));
          const fit = fitIsotonic({ scores, clicked });
          const steps = [...new Set(isotonicByFormula(scores, clicked))];
          expect(fit.probabilities).toHaveLength(steps.length);
          fit.probabilities.forEach((value, i) => expect(value).toBeCloseTo(steps[i]!, 10));
        },
      ),
      { numRuns: 100 },
    );
  });

  it('never falls, keeps to [0, 1], and holds at most 64 knots at distinct scores', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.float({ noNaN: true, min: -5, max: 5 }), fc.boolean()), {
          minLength: 1,
          maxLength: 400,
        }),
        (rows) => {
          const { scores, probabilities } = fitIsotonic({
            scores: rows.map(([score]) => score),
            clicked: rows.map(([, clicked]) => clicked),
          });
          expect(scores.length).toBeLessThanOrEqual(64);
          scores.forEach((score, i) => {
            if (i === 0) return;
            expect(score).toBeGreaterThan(scores[i - 1]!);
            expect(probabilities[i]!).toBeGreaterThanOrEqual(probabilities[i - 1]!);
          });
          expect(Math.min(...probabilities)).toBeGreaterThanOrEqual(0);
          expect(Math.max(...probabilities)).toBeLessThanOrEqual(1);
        },
      ),
    );
  });

  it('says the click rate where all scores are alike', () => {
    const fit = fitCalibration('isotonic', { scores: [2, 2, 2, 2], clicked: [1, 0, 0, 0] });
    expect(fit).toMatchObject({ kind: 'platt', slope: 0 });
    expect(1 / (1 + Math.exp(-fit.offset))).toBeCloseTo(2 / 6);
  });
});

describe('Platt calibration', () => {
  it('finds the slope and the offset that clicks were drawn with', () => {
    const scores: number[] = [];
    const clicked: number[] = [];
    // In place of draws, as many clicks at each score as its probability asks for.
    for (let score = -3; score <= 3; score += 0.25) {
      const share = 1 / (1 + Math.exp(-(1.5 * score - 0.7)));
      for (let i = 0; i < 2000; i += 1) {
        scores.push(score);
        clicked.push(Number(i < share * 2000));
      }
    }
    const { slope, offset } = fitPlatt({ scores, clicked });
    expect(slope).toBeCloseTo(1.5, 1);
    expect(offset).toBeCloseTo(-0.7, 1);
  });
});
