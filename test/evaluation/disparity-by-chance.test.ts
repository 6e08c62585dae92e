import { describe, expect, it } from '@jest/globals';

import { disparityByChance, type SlicedScores } from '../../src/evaluation/disparity-by-chance';
import { userSliceMetrics } from '../../src/evaluation/group-metrics';
import { Lcg } from '../support/random';

/** Lists of readers whose slices say nothing about their scores but what `shift` adds. */
function lists(seed: number, readers: number, shift: number): SlicedScores[] {
  const random = new Lcg(seed);
  return Array.from({ length: readers }, (_, userId) => {
    const value = userId % 3 === 0 ? 'few' : 'many';
    const level = random.signed() + (value === 'few' ? shift : 0);
    return { userId, value, scores: Array.from({ length: 8 }, () => level + random.signed()) };
  });
}

function disparityOf(sliced: readonly SlicedScores[]): number {
  const impressions = sliced.map(({ userId, value, scores }) => ({
    ...{ userId, scores, userSlices: { slice: value } },
    itemIds: scores.map((_, i) => i),
    clicked: scores.map((_, i) => i === 0),
  }));
  const metrics = userSliceMetrics(impressions, 'slice');
  expect(metrics.scoreDisparityChance).toEqual(disparityByChance(sliced));
  return metrics.scoreDisparity!;
}

describe('disparityByChance', () => {
  it('is exceeded by one meaningless division in twenty', () => {
    const worlds = Array.from({ length: 40 }, (_, seed) => lists(seed + 1, 60, 0));
    const above = worlds.filter((world) => disparityOf(world) > disparityByChance(world)!.high);
    expect(above.length).toBeLessThanOrEqual(6);
    const mean = worlds.reduce((sum, world) => sum + disparityOf(world), 0) / worlds.length;
    const byChance = worlds.reduce((sum, world) => sum + disparityByChance(world)!.mean, 0) / 40;
    expect(mean / byChance).toBeGreaterThan(0.75);
    expect(mean / byChance).toBeLessThan(1.33);
  });

  it('is exceeded by a division that means something', () => {
    const sliced = lists(1, 60, 1.5);
    expect(disparityOf(sliced)).toBeGreaterThan(disparityByChance(sliced)!.high);
  });

  it('agrees with every way to divide three readers', () => {
    const scores = [
      [0, 1],
      [2, 3],
      [7, 8],
    ];
    const divided = (one: number): number =>
      disparityOf(
        scores.map((own, userId) => ({
          ...{ userId, scores: own },
          value: userId === one ? 'one' : 'two',
        })),
      );
    const all = [0, 1, 2].map(divided);
    const { mean, high } = disparityByChance(
      scores.map((own, userId) => ({ userId, scores: own, value: userId === 0 ? 'one' : 'two' })),
    )!;
    expect(high).toBeCloseTo(Math.max(...all), 10);
    expect(mean).toBeCloseTo(all.reduce((sum, value) => sum + value, 0) / 3, 1);
  });

  it('keeps the lists of one reader together, and leaves out what was never scored', () => {
    const once = lists(3, 30, 0);
    const halves = once.flatMap(({ scores, ...reader }) => [
      { ...reader, scores: [...scores.slice(0, 4), -Infinity] },
      { ...reader, scores: scores.slice(4) },
    ]);
    const [whole, split] = [disparityByChance(once)!, disparityByChance(halves)!];
    expect(split.mean).toBeCloseTo(whole.mean, 10);
    expect(split.high).toBeCloseTo(whole.high, 10);
  });

  it('is null where there is nothing to compare', () => {
    expect(disparityByChance([])).toBeNull();
    expect(disparityByChance([{ userId: 1, value: 'a', scores: [1, 2] }])).toBeNull();
    expect(
      disparityByChance([
        { userId: 1, value: 'a', scores: [1, 1] },
        { userId: 2, value: 'b', scores: [1, 1] },
      ]),
    ).toBeNull();
  });
});
