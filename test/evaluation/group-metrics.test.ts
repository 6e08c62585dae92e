import { describe, expect, it } from '@jest/globals';

import { itemGroupMetrics, userSliceMetrics } from '../../src/evaluation/group-metrics';
import type { ComparedImpression } from '../../src/evaluation/compared-groups';
import { ndcg } from '../../src/evaluation/metrics';

/** Items a… belong to group A, items b… to group B, others to none. */
function groupOf(id: string | number): string | undefined {
  const letter = String(id)[0]?.toUpperCase();
  return letter === 'A' || letter === 'B' ? letter : undefined;
}

function impression(
  items: Readonly<Record<string, number>>,
  clicked: readonly string[],
  userSlices: Readonly<Record<string, string>> = {},
  userId = 1,
): ComparedImpression {
  const sorted = Object.entries(items).sort(([, a], [, b]) => b - a);
  return {
    itemIds: sorted.map(([id]) => id),
    scores: sorted.map(([, score]) => score),
    clicked: sorted.map(([id]) => clicked.includes(id)),
    userSlices,
    userId,
  };
}

describe('itemGroupMetrics', () => {
  const impressions = [
    impression({ a1: 4, b1: 3, a2: 2, b2: 1 }, ['b1']),
    impression({ a1: 4, b1: 3, a2: 2, c1: 1 }, ['a1', 'b1']),
    impression({ b1: 5, a1: 5 }, ['a1']),
  ];
  const metrics = itemGroupMetrics(impressions, groupOf);

  it('ranks the clicks of a group against everything unclicked', () => {
    // A was clicked in the second and the third list, B in the first and the second.
    expect(metrics.values['A']).toMatchObject({ impressions: 2, auc: (1 + 0.5) / 2 });
    expect(metrics.values['B']).toMatchObject({ impressions: 2, auc: (2 / 3 + 1) / 2 });
    // In the second list b1 moves up when the clicked a1 of the other group is left out.
    expect(metrics.values['B']?.ndcg10).toBeCloseTo((ndcg([false, true], 10) + 1) / 2, 12);
  });

  it('averages scores over all of the group, clicked or not', () => {
    expect(metrics.values['A']?.meanScore).toBeCloseTo((4 + 2 + 4 + 2 + 5) / 5, 12);
    expect(metrics.values['B']?.meanScore).toBeCloseTo((3 + 1 + 3 + 5) / 4, 12);
  });

  it('takes the disparity over the pooled standard deviation', () => {
    const squares = 0.36 + 1.96 + 0.36 + 1.96 + 2.56 + (0 + 4 + 0 + 4);
    expect(metrics.scoreDisparity).toBeCloseTo(0.4 / Math.sqrt(squares / 7), 12);
  });

  it('counts inter-group pairs alone in the pairwise gap', () => {
    // A over B: the clicked a1 ties with b1 in the third list: 0.5 of 1.
    // B over A: b1 over a1 and a2 in the first list, b1 over a2 in the second: 2 of 3.
    expect(metrics.pairwiseGap).toBeCloseTo(2 / 3 - 1 / 2, 12);
  });

  it('knows items of no group', () => {
    expect(Object.keys(metrics.values)).toEqual(['A', 'B']);
  });

  it('is null where only one group is there', () => {
    const lone = itemGroupMetrics([impression({ a1: 2, a2: 1 }, ['a1'])], groupOf);
    expect(lone).toMatchObject({ scoreDisparity: null, pairwiseGap: null, ndcgGap: null });
    expect(lone.values['A']).toMatchObject({ impressions: 1, auc: 1 });
  });

  it('leaves items out of scores that were never scored', () => {
    const metrics = itemGroupMetrics(
      [impression({ a1: 2, b1: 1, a2: -Infinity }, ['a1'])],
      groupOf,
    );
    expect(metrics.values['A']?.meanScore).toBe(2);
  });
});

describe('userSliceMetrics', () => {
  const impressions = [
    impression({ a: 3, b: 2, c: 1 }, ['a'], { device: 'mobile' }),
    impression({ a: 3, b: 2, c: 1 }, ['c'], { device: 'mobile' }),
    impression({ a: 9, b: 8 }, ['a'], { device: 'desktop' }),
    impression({ a: 3, b: 2 }, ['b'], {}),
  ];
  const metrics = userSliceMetrics(impressions, 'device');

  it('averages over the impressions of a slice', () => {
    expect(metrics.values).toMatchObject({
      desktop: { impressions: 1, auc: 1, ndcg10: 1, meanScore: 8.5 },
      mobile: { impressions: 2, auc: 0.5, ndcg10: (1 + 0.5) / 2, meanScore: 2 },
    });
  });

  it('compares pairs within lists, because no list has two readers', () => {
    // Mobile: 2 of 4 pairs in order; desktop: 1 of 1.
    expect(metrics.pairwiseGap).toBeCloseTo(1 - 2 / 4, 12);
  });

  it('gives the nDCG gap with an interval around it', () => {
    const { mean, low, high } = metrics.ndcgGap ?? { mean: NaN, low: NaN, high: NaN };
    expect(mean).toBeCloseTo(0.25, 12);
    expect(low).toBeLessThanOrEqual(mean);
    expect(high).toBeGreaterThanOrEqual(mean);
  });
});
