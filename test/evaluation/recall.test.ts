import { describe, expect, it } from '@jest/globals';

import { openDataset } from '../../src/data/open-dataset';
import { measureRecall } from '../../src/evaluation/recall';
import type { CandidateGenerator } from '../../src/stages/stage';
import { fresh, trending } from '../../src/stages/native-generators';
import { describeWithEbnerd } from '../data/data-folders';
import { datasetOf, impression, minute, start } from './planted-dataset';

const items = [1, 2, 3, 4].map((id) => ({ id, publishTime: start + id * minute }));
/** One list a half hour; the last two are measured. */
const log = [
  impression(1, 30, [1, 2, 3, 4], [1]),
  impression(2, 60, [1, 2, 3, 4], [1]),
  impression(3, 90, [1, 2, 3, 4], [1, 2], { split: 'validation' }),
  impression(4, 120, [1, 2, 9], [9], { split: 'validation' }),
  impression(5, 150, [3, 4], [], { split: 'validation' }),
];
const dataset = datasetOf(log, items);

describe('measureRecall', () => {
  it('finds the share of clicked items in each list, alone and merged', async () => {
    const recall = await measureRecall({
      dataset,
      generators: [trending(), fresh()],
      merges: { both: { quotas: { trending: 3, fresh: 1 } }, newest: { quotas: { trending: 0 } } },
      k: 1,
    });
    // Trending has item 1 first: half of the first impression's clicks. The newest is item 4.
    expect(recall.generators['trending']?.mean).toBe(0.25);
    expect(recall.generators['fresh']?.mean).toBe(0);
    expect(recall.merges['both']?.mean).toBe(0.25);
    expect(recall.merges['newest']?.mean).toBe(0);
    expect(recall.bestSingle).toBe('trending');
    expect(recall.gains['newest']?.mean).toBe(-0.25);
    expect(recall.gains['both']).toEqual({ mean: 0, low: 0, high: 0 });
    // The ninth item has not been seen before it is clicked.
    expect(recall.reachable.mean).toBe(0.5);
    expect(recall).toMatchObject({ impressions: 2, poolItems: 4, degraded: {} });
  });

  it('takes a generator of your own, and counts where it takes no part', async () => {
    let calls = 0;
    const own: CandidateGenerator = {
      name: 'own',
      generate: ({ now }) => {
        calls += 1;
        if (now === start + 120 * minute) throw new Error('not today');
        return { ids: [2, 77] };
      },
    };
    const recall = await measureRecall({ dataset, generators: [fresh(), own], k: 2 });
    expect(recall.generators['own']?.mean).toBe(0.25);
    expect(calls).toBeGreaterThan(0);
    expect(recall.degraded['own']).toBeGreaterThan(0);
  });

  it('says the same of a subset of the clicks, and of gains over a merge', async () => {
    const recall = await measureRecall({
      dataset,
      generators: [trending(), fresh()],
      settings: { quotas: { trending: 0, fresh: 1 } },
      merges: { newest: {}, both: { quotas: { trending: 3, fresh: 1 } } },
      against: 'newest',
      inSubset: (id) => id === 2,
      k: 1,
    });
    expect(recall.merges).toMatchObject({ newest: { mean: 0 }, both: { mean: 0.25 } });
    expect(recall.gains).toMatchObject({ newest: { mean: 0 }, both: { mean: 0.25 } });
    // Item 2 was clicked once, beside the item that the lists of one hold.
    expect(recall.subset).toMatchObject({
      impressions: 1,
      reachable: { mean: 1 },
      generators: { trending: { mean: 0 } },
    });
    const none = await measureRecall({ dataset, generators: [fresh()], inSubset: () => false });
    expect(none.subset).toBeUndefined();
  });

  it('looks only at the given time, and says where there is nothing', async () => {
    const options = { dataset, generators: [fresh()], k: 4 };
    const later = await measureRecall({ ...options, from: start + 100 * minute });
    expect([later.impressions, later.reachable.mean]).toEqual([1, 0]);
    await expect(measureRecall({ ...options, from: start + 130 * minute })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });

  it.each([
    [{ k: 0 }, 'k'],
    [{ k: 1.5 }, 'k'],
    [{ poolMs: 600_000 }, 'poolMs'],
    [{ poolMs: NaN }, 'poolMs'],
    [{ against: 'none' }, 'against'],
    [{ split: 'test' }, 'split'],
  ])('refuses %j', async (options, argument) => {
    const recall = measureRecall({ dataset, generators: [fresh()], ...options });
    await expect(recall).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', argument });
  });
});

describeWithEbnerd('measureRecall on EB-NeRD', (data) => {
  it('finds most of what is clicked among what is new and what is clicked now', async () => {
    const ebnerd = await openDataset({ dataset: 'ebnerd', data });
    const recall = await measureRecall({
      dataset: ebnerd,
      generators: [trending({ halfLifeMs: 3 * 3_600_000 }), fresh()],
      split: 'train',
      from: Date.UTC(2023, 4, 24),
      to: Date.UTC(2023, 4, 24, 12),
    });
    expect(recall.impressions).toBeGreaterThan(1000);
    expect(recall.poolItems).toBeGreaterThan(400);
    for (const { mean, high } of Object.values(recall.generators)) {
      expect(mean).toBeGreaterThan(0.6);
      expect(high).toBeLessThan(recall.reachable.mean);
    }
  });
});
