import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import {
  countOrderedPairs,
  gradedNdcg,
  impressionMetrics,
  ndcg,
} from '../../src/evaluation/metrics';

describe('impressionMetrics', () => {
  it('agrees with a list worked out by hand', () => {
    // Clicked items stand at positions 2 and 4 of 5.
    const metrics = impressionMetrics([0.9, 0.8, 0.7, 0.6, 0.5], [false, true, false, true, false]);
    // The clicked 0.8 beats 2 of 3 unclicked items, the clicked 0.6 beats 1.
    expect(metrics.auc).toBeCloseTo(3 / 6, 12);
    expect(metrics.mrr).toBeCloseTo(1 / 2, 12);
    const ideal = 1 + 1 / Math.log2(3);
    expect(metrics.ndcg5).toBeCloseTo((1 / Math.log2(3) + 1 / Math.log2(5)) / ideal, 12);
    expect(metrics.ndcg10).toBe(metrics.ndcg5);
  });

  it('counts a tie half in AUC, and by its place in the others', () => {
    const metrics = impressionMetrics([1, 1, 1], [false, true, false]);
    expect(metrics).toEqual({
      auc: 0.5,
      mrr: 0.5,
      ndcg5: 1 / Math.log2(3),
      ndcg10: 1 / Math.log2(3),
    });
  });

  it('is 1 for a perfect list', () => {
    const metrics = impressionMetrics([3, 2, 1], [true, false, false]);
    expect(metrics).toEqual({ auc: 1, mrr: 1, ndcg5: 1, ndcg10: 1 });
  });

  it('looks no deeper than the metric says', () => {
    const clicked = Array.from({ length: 12 }, (_, i) => i === 7);
    const scores = clicked.map((_, i) => -i);
    expect(impressionMetrics(scores, clicked)).toMatchObject({
      ndcg5: 0,
      ndcg10: 1 / Math.log2(9),
    });
  });

  it('takes items that were never scored as a tie at the bottom', () => {
    const metrics = impressionMetrics([1, -Infinity, -Infinity], [false, true, false]);
    expect(metrics.auc).toBe(0.25);
  });
});

const lists = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 5 }), fc.boolean()), { minLength: 2, maxLength: 30 })
  .filter((list) => new Set(list.map(([, clicked]) => clicked)).size === 2)
  .map((list) => list.sort(([a], [b]) => b - a));

describe('metrics against naive implementations', () => {
  it('AUC is the rank-sum statistic (Mann and Whitney 1947)', () => {
    fc.assert(
      fc.property(lists, (list) => {
        const scores = list.map(([score]) => score);
        const clicked = list.map(([, isClicked]) => isClicked);
        // The mean rank of each score among all scores, 1 for the lowest.
        const rank = (score: number): number =>
          scores.filter((other) => other < score).length +
          (scores.filter((other) => other === score).length + 1) / 2;
        const positives = clicked.filter(Boolean).length;
        const rankSum = scores.reduce((sum, s, i) => sum + (clicked[i] ? rank(s) : 0), 0);
        const expected =
          (rankSum - (positives * (positives + 1)) / 2) / (positives * (list.length - positives));
        expect(impressionMetrics(scores, clicked).auc).toBeCloseTo(expected, 10);
      }),
    );
  });

  it('AUC does not change under an increasing map, and turns over with the sign', () => {
    fc.assert(
      fc.property(lists, (list) => {
        const scores = list.map(([score]) => score);
        const clicked = list.map(([, isClicked]) => isClicked);
        const { auc } = impressionMetrics(scores, clicked);
        const mapped = scores.map((score) => Math.exp(score));
        expect(impressionMetrics(mapped, clicked).auc).toBe(auc);
        const negated = scores.map((score) => -score);
        expect(impressionMetrics(negated, clicked).auc).toBeCloseTo(1 - auc, 12);
      }),
    );
  });

  it('nDCG is the gain over the gain of the best order', () => {
    fc.assert(
      fc.property(lists, fc.integer({ min: 1, max: 12 }), (list, depth) => {
        const clicked = list.map(([, isClicked]) => isClicked);
        const gain = (flags: readonly boolean[]): number =>
          flags.slice(0, depth).reduce((sum, flag, i) => sum + Number(flag) / Math.log2(i + 2), 0);
        const best = [...clicked].sort((a, b) => Number(b) - Number(a));
        expect(ndcg(clicked, depth)).toBeCloseTo(gain(clicked) / gain(best), 12);
      }),
    );
  });

  it('ordered pairs of both directions make up all pairs', () => {
    const scores = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 12 });
    fc.assert(
      fc.property(scores, scores, (a, b) => {
        const there = countOrderedPairs(a, b);
        const back = countOrderedPairs(b, a);
        expect(there.pairs).toBe(a.length * b.length);
        expect(there.ordered + back.ordered).toBe(there.pairs);
      }),
    );
  });
});

describe('gradedNdcg', () => {
  it('agrees with a list worked out by hand', () => {
    const gain = 1 + 3 / Math.log2(3) + 2 / Math.log2(4);
    const ideal = 5 + 3 / Math.log2(3) + 2 / Math.log2(4);
    expect(gradedNdcg([1, 3, 2, 5], [1, 3, 2, 5], 3)).toBeCloseTo(gain / ideal, 12);
  });

  it('is 1 for the best order, and equals nDCG where gains are 0 and 1', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 1, maxLength: 20 }), (clicked) => {
        fc.pre(clicked.includes(true));
        const gains = clicked.map(Number);
        expect(gradedNdcg(gains, gains, 10)).toBeCloseTo(ndcg(clicked, 10), 12);
        const best = [...gains].sort((a, b) => b - a);
        expect(gradedNdcg(best, gains, 10)).toBeCloseTo(1, 12);
      }),
    );
  });
});
