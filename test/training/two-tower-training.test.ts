import { beforeAll, describe, expect, it } from '@jest/globals';

import { Towers, trainTwoTowers, type TrainedTowers, type TwoTowerProgress } from '../../src';
import { expectRefusal } from '../support/errors';
import { datasetOf, impression, minute, start } from '../evaluation/planted-dataset';
import { smallTowers, smallWorld, trainSmall } from './trained-towers';

describe('trainTwoTowers', () => {
  let trained: TrainedTowers;
  const progress: TwoTowerProgress[] = [];
  beforeAll(async () => {
    trained = await trainSmall({ onProgress: (told) => progress.push(told) });
  }, 120_000);

  it('learns: losses fall, on what it has not seen too', () => {
    const { losses, validationLosses, examples, validationExamples, epochs } = trained.metrics;
    expect(losses.at(-1)).toBeLessThan(losses[0]! - 0.05);
    expect(Math.min(...validationLosses)).toBeLessThan(Math.log(smallTowers.batchSize) + 1);
    expect(validationExamples / (examples + validationExamples)).toBeCloseTo(0.15, 1);
    expect(validationLosses[epochs - 1]).toBe(Math.min(...validationLosses));
  });

  it('tells its progress', () => {
    expect(progress.length).toBeGreaterThan(4);
    expect(progress.map(({ epoch }) => epoch)).toContain(2);
    for (const { loss, examplesPerSecond, batch, batches } of progress) {
      expect(Number.isFinite(loss)).toBe(true);
      expect(examplesPerSecond).toBeGreaterThan(0);
      expect(batch).toBeLessThanOrEqual(batches);
    }
    const validated = progress.flatMap(({ validationLoss }) => validationLoss ?? []);
    expect(validated).toEqual(trained.metrics.validationLosses);
  });

  it('gives the vectors of the items that it was trained on, by the tower that is stored', async () => {
    const towers = await Towers.load(trained, { allowUnverified: true });
    const { ids, vectors } = towers.itemVectors();
    expect(ids.length).toBeGreaterThan(100);
    expect(vectors).toHaveLength(ids.length * smallTowers.dimensions);
    const listed = new Map(smallWorld().items.map((item) => [item.id, item]));
    const embedded = await towers.embed(ids.map((id) => listed.get(id)!));
    embedded.forEach(({ embeddings }, i) => {
      const vector = embeddings['tower'] as Float32Array;
      expect(vector).toEqual(vectors.subarray(i * 16, (i + 1) * 16));
      expect(Math.hypot(...vector)).toBeCloseTo(1, 5);
    });
    towers.dispose();
  });

  it('gives one seed the same bytes, and another others', async () => {
    const again = await trainSmall();
    expect(again.itemTower.equals(trained.itemTower)).toBe(true);
    expect(again.userTower.equals(trained.userTower)).toBe(true);
    expect(again.items).toEqual(trained.items);
    expect(again.golden).toEqual(trained.golden);
    const other = await trainSmall({ seed: 2, epochs: 1 });
    expect(other.itemTower.equals(trained.itemTower)).toBe(false);
  }, 120_000);

  it('keeps the best epoch without a refit', async () => {
    const kept = await trainSmall({ refit: false });
    expect(kept.metrics).toEqual(trained.metrics);
    expect(kept.items.ids.length).toBeLessThanOrEqual(trained.items.ids.length);
    expect(kept.itemTower.equals(trained.itemTower)).toBe(false);
  }, 120_000);

  it('stops when it is told to', async () => {
    const controller = new AbortController();
    const training = trainSmall({
      epochs: 1000,
      patience: 1000,
      signal: controller.signal,
      onProgress: () => controller.abort(),
    });
    await expectRefusal(() => training, { code: 'ABORTED', argument: 'signal' });
    const early = trainSmall({ signal: AbortSignal.abort() });
    await expectRefusal(() => early, { code: 'ABORTED', argument: 'signal' });
  });

  it('says where a loss is not finite', async () => {
    const training = trainSmall({ learningRate: 1e30, unitVectors: false });
    await expectRefusal(() => training, {
      code: 'TRAINING_DIVERGED',
      argument: 'learningRate',
      message: /epoch \d+, batch \d+/,
    });
  });

  it('refuses a log without clicks', async () => {
    const dataset = datasetOf([impression(1, 30, [1, 2], [])], [{ id: 1, publishTime: start }]);
    await expectRefusal(() => trainTwoTowers({ dataset, epochs: 1 }), {
      code: 'EMPTY_DATA',
      argument: 'split',
    });
    const clicked = datasetOf([impression(1, 30, [1, 2], [1])], []);
    await expectRefusal(() => trainTwoTowers({ dataset: clicked, to: start + 30 * minute }), {
      code: 'EMPTY_DATA',
    });
  });

  it('trains on a single click', async () => {
    const dataset = datasetOf([impression(1, 30, [1, 2], [1])], []);
    const one = await trainTwoTowers({ dataset, epochs: 2 });
    expect(one.metrics).toMatchObject({ examples: 1, validationExamples: 0, losses: [0, 0] });
    expect(one.items.ids).toEqual([1]);
  });

  it.each([
    [{ dimensions: 0 }, 'dimensions'],
    [{ hidden: 1.5 }, 'hidden'],
    [{ epochs: 0 }, 'epochs'],
    [{ batchSize: 1 }, 'batchSize'],
    [{ learningRate: NaN }, 'learningRate'],
    [{ embeddingLearningRate: -1 }, 'embeddingLearningRate'],
    [{ idBuckets: 1 }, 'idBuckets'],
    [{ idDropout: 1.1 }, 'idDropout'],
    [{ temperature: 0 }, 'temperature'],
    [{ tauMs: 0 }, 'tauMs'],
    [{ maxReads: 0 }, 'maxReads'],
    [{ validationShare: 1 }, 'validationShare'],
    [{ patience: 0 }, 'patience'],
    [{ seed: -1 }, 'seed'],
    [{ context: 'hour' as unknown as string[] }, 'context'],
    [{ space: '' }, 'space'],
    [{ space: 'content' }, 'space'],
    [{ split: 'test' }, 'split'],
  ])('refuses %j', async (options, argument) => {
    await expectRefusal(() => trainSmall(options), { code: 'INVALID_ARGUMENT', argument });
  });
});
