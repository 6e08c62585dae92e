import { decayedDot, fresh, measureRecall, Towers } from '../../src';
import { smallWorld, trainSmall } from './trained-towers';

test('items that nobody has clicked yet are found by their attributes', async () => {
  const dataset = smallWorld();
  const trained = await trainSmall({ epochs: 8 });
  const towers = await Towers.load(trained, { allowUnverified: true });
  const k = 20;
  // So long a τ that age hardly counts: what is found is found by the towers.
  const tauMs = 1e12;
  const recall = await measureRecall({
    dataset,
    towers,
    k,
    generators: [decayedDot({ space: 'tower', name: 'tower' }), fresh()],
    merges: { undecayed: { tauMs, quotas: { fresh: 0 } } },
    inSubset: (id) => !towers.has(id),
  });
  const cold = recall.subset!;
  expect(cold.impressions).toBeGreaterThan(100);
  expect(cold.impressions).toBeLessThan(recall.impressions);
  const chance = k / recall.poolItems;
  // Each with its interval above what drawing from the pool would find.
  expect(cold.merges['undecayed']!.low).toBeGreaterThan(1.5 * chance);
  expect(recall.merges['undecayed']!.low).toBeGreaterThan(1.5 * chance);
  expect(cold.reachable.mean).toBeGreaterThan(0.9);
  expect(recall.degraded).toEqual({});
  towers.dispose();
}, 180_000);
