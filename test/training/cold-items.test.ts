import { decayedDot, fresh, measureRecall, Towers, trainTwoTowers } from '../../src';
import type { DatasetImpression } from '../../src';
import { datasetOf, impression, minute, start } from '../evaluation/planted-dataset';
import { Lcg } from '../support/random';

const topics = ['politics', 'sport', 'culture', 'science'];
const hour = 60 * minute;

/** Readers like one topic each; what they are shown in the second part is all new. */
function plantedDataset() {
  const random = new Lcg(5);
  const items = Array.from({ length: 80 }, (_, i) => ({
    id: i + 1,
    publishTime: start + (i < 40 ? 0 : 30 * hour),
    topics: [topics[i % 4]!],
    author: `desk ${i % 3}`,
  }));
  const log: DatasetImpression[] = [];
  for (let i = 0; i < 1200; i++) {
    const isNew = i >= 900;
    const userId = random.below(40);
    const shown = new Set<number>();
    while (shown.size < 8) shown.add((isNew ? 41 : 1) + random.below(40));
    const itemIds = [...shown];
    const clickedIds = itemIds.filter((id) => (id - 1) % 4 === userId % 4).slice(0, 1);
    const minutes = isNew ? 31 * 60 + (i - 900) : 60 + i;
    const split = isNew ? 'validation' : 'train';
    log.push(impression(i, minutes, itemIds, clickedIds, { userId, split }));
  }
  return datasetOf(log, items);
}

test('items that nobody has clicked yet are found by their attributes alone', async () => {
  const dataset = plantedDataset();
  const trained = await trainTwoTowers({
    ...{ dataset, dimensions: 16, hidden: 32, idBuckets: 512, categoryBuckets: 128 },
    ...{ batchSize: 64, epochs: 10, maxReads: 5, space: 'tower' },
  });
  const towers = await Towers.load(trained, { allowUnverified: true });
  const k = 10;
  const recall = await measureRecall({
    dataset,
    towers,
    k,
    generators: [decayedDot({ space: 'tower', name: 'tower' }), fresh()],
    // So long a τ that age hardly counts: what is found is found by the towers.
    merges: { undecayed: { tauMs: 1e12, quotas: { fresh: 0 } } },
    inSubset: (id) => !towers.has(id),
  });
  const cold = recall.subset!;
  expect(cold.impressions).toBe(recall.impressions);
  expect(cold.impressions).toBeGreaterThan(100);
  expect(cold.reachable.mean).toBe(1);
  // The pool has 40 new items beside 40 old ones; a quarter of each is of the reader's topic.
  expect(recall.poolItems).toBe(80);
  expect(cold.generators['fresh']!.high).toBeLessThan(0.35);
  expect(cold.generators['tower']!.mean).toBeGreaterThan(0.95);
  expect(cold.merges['undecayed']!.low).toBeGreaterThan(3 * (k / recall.poolItems));
  expect(recall.degraded).toEqual({});
  towers.dispose();
}, 180_000);
