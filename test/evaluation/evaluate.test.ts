import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { simulateFeed } from '../../src/data/simulated-feed';
import { evaluate } from '../../src/evaluation/evaluate';
import type { Evaluation } from '../../src/evaluation/evaluate';
import type { EvaluateOptions } from '../../src/evaluation/evaluate-options';
import { saveScriptedNetwork } from '../../src/models/scripted-network';
import type { Ranker } from '../../src/stages/stage';
import { describeWithEbnerd } from '../data/data-folders';

const world = simulateFeed({
  items: 300,
  users: 60,
  trainImpressions: 1000,
  validationImpressions: 600,
});
const validationStart = Date.UTC(2024, 0, 6);

function evaluateWorld(options: Partial<EvaluateOptions>): Promise<Evaluation> {
  return evaluate({ dataset: world, ranker: 'popularity', ...options });
}

/** Scores every item with one function of its id. */
function rankerOf(score: (id: string | number) => number): Ranker {
  return { name: 'fresh', rank: ({ ids }) => ({ scores: Float64Array.from(ids, score) }) };
}

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'feedrank-evaluate-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A TorchScript file with its description: a weighted sum of features. */
async function writeModel(
  name: string,
  weights: Readonly<Record<string, number>>,
): Promise<string> {
  const features = Object.keys(weights);
  mkdirSync(join(folder, name));
  const path = join(folder, name, 'ranker.pt');
  const description = {
    formatVersion: 1,
    features: features.map((feature) => ({ name: feature })),
    heads: [{ name: 'click', weight: 1 }],
  };
  writeFileSync(join(folder, name, 'model.json'), JSON.stringify(description));
  const layer = {
    inputs: features.length,
    outputs: 1,
    weights: Object.values(weights),
    bias: [0],
  };
  const network = { mean: features.map(() => 0), scale: features.map(() => 1), layers: [layer] };
  await saveScriptedNetwork(network, path);
  return path;
}

describe('evaluate', () => {
  it('answers with the object of the contract', async () => {
    const evaluation = await evaluateWorld({ groups: ['creator', 'device'] });
    expect(Object.keys(evaluation)).toEqual([
      ...['dataset', 'split', 'ranker', 'mode', 'from', 'to', 'impressions', 'unknownItems'],
      ...['metrics', 'diversity', 'dwellNdcg10', 'utilityNdcg10', 'calibration', 'unavailable'],
      ...['groups', 'seconds', 'machine'],
    ]);
    expect(evaluation).toMatchObject({
      dataset: 'simulated',
      split: 'validation',
      ranker: 'popularity',
      mode: 'rerank',
      from: null,
      to: null,
      unknownItems: 0,
    });
    const interval = {
      mean: expect.any(Number),
      low: expect.any(Number),
      high: expect.any(Number),
    };
    expect(evaluation.metrics).toEqual({
      auc: interval,
      mrr: interval,
      ndcg5: interval,
      ndcg10: interval,
    });
    expect(evaluation.diversity).toEqual({ intraList10: interval, topicCoverage10: interval });
    expect(evaluation.dwellNdcg10).toEqual(interval);
    expect(evaluation.calibration).toBeNull();
    expect(Object.keys(evaluation.unavailable)).toEqual(['calibration']);
    expect(Object.keys(evaluation.groups)).toEqual(['creator', 'device']);
    expect(Object.keys(evaluation.groups['creator']?.values ?? {})).toEqual([
      'independent',
      'newsroom',
    ]);
    expect(evaluation.groups['device']).toMatchObject({
      scoreDisparity: expect.any(Number),
      pairwiseGap: expect.any(Number),
      ndcgGap: interval,
    });
    expect(Object.keys(evaluation.machine)).toEqual(['cpu', 'cores', 'node', 'libtorch']);
  });

  it('repeats itself', async () => {
    for (const ranker of ['random', 'popularity', 'decayed-dot']) {
      const first = await evaluateWorld({ ranker, groups: ['creator'] });
      const second = await evaluateWorld({ ranker, groups: ['creator'] });
      expect({ ...second, seconds: 0 }).toEqual({ ...first, seconds: 0 });
    }
  });

  it('measures a ranker of your own, whatever its name', async () => {
    const clicks = new Map<string | number, number>();
    for await (const { clickedIds } of world.impressions('validation')) {
      clickedIds.forEach((id) => clicks.set(id, (clicks.get(id) ?? 0) + 1));
    }
    const knows = rankerOf((id) => clicks.get(id) ?? 0);
    const informed = await evaluateWorld({ ranker: knows });
    expect(informed.metrics.auc.mean).toBeGreaterThan(0.7);
    expect(informed.ranker).toBe('fresh');
    const reversed = await evaluateWorld({ ranker: rankerOf((id) => -(clicks.get(id) ?? 0)) });
    expect(reversed.metrics.auc.mean).toBeCloseTo(1 - informed.metrics.auc.mean, 10);
    const constant = await evaluateWorld({ ranker: rankerOf(() => 1) });
    expect(constant.metrics.auc).toEqual({ mean: 0.5, low: 0.5, high: 0.5 });
  });

  it('limits what is measured to [from, to), not what is replayed', async () => {
    const middle = validationStart + 86_400_000;
    const whole = await evaluateWorld({});
    const before = await evaluateWorld({ to: middle });
    const after = await evaluateWorld({ from: new Date(middle) });
    expect(before.impressions + after.impressions).toBe(whole.impressions);
    const sum = (part: Evaluation): number => part.impressions * part.metrics.auc.mean;
    expect(sum(before) + sum(after)).toBeCloseTo(sum(whole), 8);
    expect(after.from).toBe('2024-01-07T00:00:00.000Z');
    const named = await evaluateWorld({ from: '2024-01-07' });
    expect(named.metrics).toEqual(after.metrics);
    const zoned = await evaluateWorld({ from: '2024-01-07T02:00+02:00', to: '2024-01-08T00:00' });
    expect(zoned.impressions).toBe(after.impressions);
  });

  it('measures a TorchScript file as the sum that it computes', async () => {
    const path = await writeModel('sum', { clicks_12h: 1 });
    const model = await evaluateWorld({ ranker: path });
    const popularity = await evaluateWorld({});
    expect(model.metrics).toEqual(popularity.metrics);
    expect(model.ranker).toBe(path);
  });

  it('gives no number for a broken model', async () => {
    const path = await writeModel('overflow', { clicks_12h: 3e38, 'clicks_0.5h': 3e38, age: 3e38 });
    await expect(evaluateWorld({ ranker: path })).rejects.toMatchObject({
      code: expect.stringMatching(/^(MODEL_OUTPUT|STAGE_FAILED)$/),
    });
    writeFileSync(path, 'not a model');
    await expect(evaluateWorld({ ranker: path })).rejects.toMatchObject({ code: 'MODEL_CORRUPT' });
  });

  it('gives no number for a ranker that fails', async () => {
    const failing: Ranker = {
      name: 'failing',
      rank: () => {
        throw new Error('no scores today');
      },
    };
    await expect(evaluateWorld({ ranker: failing })).rejects.toMatchObject({
      code: 'STAGE_FAILED',
    });
  });

  it('ranks the whole catalog, and says how much of what was clicked it found', async () => {
    const ranked = await evaluateWorld({ mode: 'rank' });
    expect(ranked.clickedItemsFound).toBeGreaterThan(0.9);
    expect(ranked.clickedItemsFound).toBeLessThanOrEqual(1);
    const reranked = await evaluateWorld({});
    expect(ranked.impressions).toBe(reranked.impressions);
    // With this few items the pipeline finds nearly all, so the two modes nearly agree.
    expect(Math.abs(ranked.metrics.auc.mean - reranked.metrics.auc.mean)).toBeLessThan(0.05);
  });

  it('shows the planted disparity, and none where none is planted', async () => {
    const options = { groups: ['creator'], to: validationStart + 12 * 3_600_000 };
    const gapIn = async (scenario: 'feed' | 'biased-exposure'): Promise<number> => {
      const evaluation = await evaluateWorld({ ...options, dataset: simulateFeed({ scenario }) });
      return evaluation.groups['creator']?.pairwiseGap ?? NaN;
    };
    expect(await gapIn('biased-exposure')).toBeGreaterThan(0.1);
    expect(await gapIn('feed')).toBeLessThan(0.08);
  });

  it.each<[Partial<EvaluateOptions>, string]>([
    [{ ranker: 'best' }, 'ranker'],
    [{ ranker: 7 as unknown as string }, 'ranker'],
    [{ split: 'test' }, 'split'],
    [{ lagMs: -1 }, 'lagMs'],
    [{ lagMs: NaN }, 'lagMs'],
    [{ mode: 'guess' as 'rank' }, 'mode'],
    [{ from: 'yesterday' }, 'from'],
    [{ from: '2024-13-01' }, 'from'],
    [{ from: '2024-01-07', to: '2024-01-06' }, 'to'],
    [{ from: '2030-01-01' }, 'from'],
    [{ groups: ['shoe size'] }, 'groups'],
    [{ seed: 0.5 }, 'seed'],
    [{ dataset: 'nonsense' }, 'dataset'],
  ])('refuses %j', async (options, argument) => {
    await expect(evaluateWorld(options)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      argument,
    });
  });
});

describeWithEbnerd('evaluate on EB-NeRD', (data) => {
  const auc = async (ranker: string): Promise<number> => {
    const evaluation = await evaluate({ dataset: 'ebnerd', data, ranker });
    expect(evaluation.impressions).toBe(13_558);
    return evaluation.metrics.auc.mean;
  };

  it('gives random rankings an AUC of 0.50 ± 0.01', async () => {
    expect(Math.abs((await auc('random')) - 0.5)).toBeLessThanOrEqual(0.01);
  });

  it('gives newest first an AUC between 0.55 and 0.58', async () => {
    const mean = await auc('fresh');
    expect(mean).toBeGreaterThanOrEqual(0.55);
    expect(mean).toBeLessThanOrEqual(0.58);
  });

  it('gives decayed clicks an AUC between 0.705 and 0.725', async () => {
    const mean = await auc('popularity');
    expect(mean).toBeGreaterThanOrEqual(0.705);
    expect(mean).toBeLessThanOrEqual(0.725);
  });

  it('says that decayed-dot has no embeddings to work on', async () => {
    const evaluation = evaluate({ dataset: 'ebnerd', data, ranker: 'decayed-dot' });
    await expect(evaluation).rejects.toMatchObject({ code: 'EMBEDDINGS_MISSING' });
  });
});
