import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import type { ItemId } from '../../src/identity';
import { LivePool } from '../../src/evaluation/live-pool';
import { datasetOf, impression, minute, start } from './planted-dataset';

const windowMs = 60 * minute;
const lagMs = 10 * minute;

describe('LivePool', () => {
  it('holds what was shown or published between window and lag ago, and nothing else', () => {
    const lists = fc.array(
      fc.record({
        wait: fc.integer({ min: 0, max: 45 }),
        items: fc.uniqueArray(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 4 }),
      }),
      { minLength: 1, maxLength: 40 },
    );
    const published = fc.array(fc.integer({ min: -100, max: 300 }), { maxLength: 8 });
    fc.assert(
      fc.property(lists, published, (shown, publishTimes) => {
        const items = [...publishTimes]
          .sort((a, b) => a - b)
          .map((minutes, i) => ({ id: i + 1, publishTime: start + minutes * minute }));
        let minutes = 0;
        const log = shown.map(({ wait, items: ids }, i) =>
          impression(i + 1, (minutes += wait), ids, []),
        );
        const pool = new LivePool(datasetOf(log, items), windowMs, lagMs);
        const held = new Set<ItemId>();
        for (const [index, next] of log.entries()) {
          for (const { id, publishTime } of pool.entering(next)) {
            expect(held.has(id)).toBe(false);
            expect(Number(publishTime)).toBeLessThanOrEqual(next.at - lagMs);
            held.add(id);
          }
          for (const id of pool.leaving) expect(held.delete(id)).toBe(true);
          const isLive = (at: number): boolean => at >= next.at - windowMs && at <= next.at - lagMs;
          const expected = new Set([
            ...items.filter(({ publishTime }) => isLive(publishTime)).map(({ id }) => id),
            ...log
              .slice(0, index)
              .filter(({ at }) => isLive(at))
              .flatMap(({ itemIds }) => itemIds),
          ]);
          expect(held).toEqual(expected);
          expect(pool.size).toBe(expected.size);
          for (let id = 1; id <= 12; id += 1) expect(pool.has(id)).toBe(expected.has(id));
        }
      }),
    );
  });

  it('counts shown items that the dataset does not list, once each', () => {
    const log = [
      impression(1, 0, [1, 50], []),
      impression(2, 5, [50, 51], []),
      impression(3, 90, [1], []),
    ];
    const pool = new LivePool(datasetOf(log), windowMs, lagMs);
    for (const next of log) pool.entering(next);
    expect(pool.unknownItems).toBe(2);
  });
});
