import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { Bootstrap } from '../../src/evaluation/bootstrap';

describe('Bootstrap', () => {
  it('repeats itself, and changes with the seed', () => {
    const column = Float64Array.from({ length: 200 }, (_, i) => Math.sin(i));
    const first = new Bootstrap([column]).interval(0);
    expect(new Bootstrap([column], { seed: 1 }).interval(0)).toEqual(first);
    expect(new Bootstrap([column], { seed: 2 }).interval(0)).not.toEqual(first);
  });

  it('has the width that the central limit theorem asks for', () => {
    const rows = 2000;
    const column = Float64Array.from({ length: rows }, (_, i) => i % 2);
    const { mean, low, high } = new Bootstrap([column]).interval(0);
    expect(mean).toBe(0.5);
    const width = 2 * 1.96 * Math.sqrt(0.25 / rows);
    expect(high - low).toBeGreaterThan(0.9 * width);
    expect(high - low).toBeLessThan(1.1 * width);
  });

  it('has no width for a constant', () => {
    const column = new Float64Array(50).fill(3);
    expect(new Bootstrap([column]).interval(0)).toEqual({ mean: 3, low: 3, high: 3 });
  });

  it('leaves rows out that take no part', () => {
    const column = Float64Array.of(1, NaN, 3, NaN);
    const { mean, low, high } = new Bootstrap([column]).interval(0);
    expect(mean).toBe(2);
    expect(low).toBeGreaterThanOrEqual(1);
    expect(high).toBeLessThanOrEqual(3);
  });

  it('draws the same rows for every column, so differences are paired', () => {
    const a = Float64Array.from({ length: 300 }, (_, i) => (i * 37) % 101);
    const b = a.map((value) => value - 2);
    const { mean, low, high } = new Bootstrap([a, b]).difference(0, 1);
    expect(mean).toBeCloseTo(2, 10);
    expect(low).toBeCloseTo(2, 10);
    expect(high).toBeCloseTo(2, 10);
  });

  it('puts the interval within the range of the values, around the mean', () => {
    const values = fc.array(fc.double({ min: -5, max: 5, noNaN: true }), {
      minLength: 5,
      maxLength: 60,
    });
    fc.assert(
      fc.property(values, (list) => {
        const interval = new Bootstrap([Float64Array.from(list)], { resamples: 200 }).interval(0);
        expect(interval.low).toBeLessThanOrEqual(interval.high);
        expect(interval.low).toBeGreaterThanOrEqual(Math.min(...list) - 1e-9);
        expect(interval.high).toBeLessThanOrEqual(Math.max(...list) + 1e-9);
      }),
    );
  });

  it('gives a weighted mean as a ratio of two columns, rows paired', () => {
    const weights = Float64Array.from({ length: 200 }, (_, i) => 1 + (i % 7));
    const doubled = weights.map((weight) => 2 * weight);
    const constant = new Bootstrap([doubled, weights]).ratio(0, 1);
    expect(constant.mean).toBeCloseTo(2, 12);
    expect(constant.low).toBeCloseTo(2, 12);
    expect(constant.high).toBeCloseTo(2, 12);
    const values = weights.map((weight, i) => weight * (i % 2));
    const { mean, low, high } = new Bootstrap([values, weights]).ratio(0, 1);
    const sum = (column: Float64Array): number => column.reduce((total, value) => total + value, 0);
    expect(mean).toBeCloseTo(sum(values) / sum(weights), 12);
    expect(low).toBeLessThan(mean);
    expect(high).toBeGreaterThan(mean);
  });
});
