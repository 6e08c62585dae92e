import { createHash } from 'node:crypto';

import { describe, expect, it } from '@jest/globals';

import type { Dataset } from '../../src/data/dataset';
import { openDataset } from '../../src/data/open-dataset';
import { simulateFeed } from '../../src/data/simulated-feed';
import type { SimulatedFeedOptions } from '../../src/data/simulated-feed';

const small = { items: 300, users: 50, trainImpressions: 2000, validationImpressions: 2000 };

async function digest(dataset: Dataset): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify(dataset.items));
  for (const { name } of dataset.splits) {
    for await (const impression of dataset.impressions(name)) {
      hash.update(JSON.stringify(impression));
    }
  }
  return hash.digest('hex');
}

describe('simulateFeed', () => {
  it('gives the same bytes for the same seed, and others for another', async () => {
    const first = await digest(simulateFeed({ ...small, seed: 3 }));
    expect(await digest(simulateFeed({ ...small, seed: 3 }))).toBe(first);
    expect(await digest(simulateFeed({ ...small, seed: 4 }))).not.toBe(first);
  });

  it('gives the same split however often and in whatever order it is read', async () => {
    const dataset = simulateFeed(small);
    const first = [];
    for await (const impression of dataset.impressions('validation')) first.push(impression);
    for await (const impression of dataset.impressions('train')) void impression;
    const second = [];
    for await (const impression of dataset.impressions('validation')) second.push(impression);
    expect(second).toEqual(first);
  });

  it('shows only what is published, in the order of time, and clicks what is shown', async () => {
    const dataset = simulateFeed(small);
    const publishTimes = new Map(dataset.items.map(({ id, publishTime }) => [id, publishTime]));
    let before = 0;
    const ids = new Set<number | string>();
    const wrong: unknown[] = [];
    for (const { name } of dataset.splits) {
      for await (const impression of dataset.impressions(name)) {
        const { at, itemIds, clickedIds, impressionId } = impression;
        const isRight =
          at >= before &&
          new Set(itemIds).size === itemIds.length &&
          itemIds.every((id) => (publishTimes.get(id) ?? Infinity) <= at) &&
          clickedIds.every((id) => itemIds.includes(id));
        if (!isRight) wrong.push(impression);
        before = at;
        ids.add(impressionId);
      }
    }
    expect(wrong).toEqual([]);
    expect(ids.size).toBe(4000);
  });

  async function clickRates(options: SimulatedFeedOptions, split: string): Promise<number[]> {
    const dataset = simulateFeed(options);
    const groups = new Map(dataset.items.map(({ id, labels }) => [id, labels?.['creator']]));
    const counts = { independent: [0, 0], newsroom: [0, 0] };
    for await (const { itemIds, clickedIds } of dataset.impressions(split)) {
      for (const id of itemIds) {
        const count = counts[groups.get(id) as keyof typeof counts];
        count[0] = (count[0] ?? 0) + 1;
        if (clickedIds.includes(id)) count[1] = (count[1] ?? 0) + 1;
      }
    }
    return [counts.independent, counts.newsroom].map(([shown = 0, clicked = 0]) => clicked / shown);
  }

  it('under-clicks independent creators in the train part of biased-exposure alone', async () => {
    const biased: SimulatedFeedOptions = { scenario: 'biased-exposure' };
    const [independent = 0, newsroom = 0] = await clickRates(biased, 'train');
    expect(independent / newsroom).toBeLessThan(0.5);
    for (const [options, split] of [
      [biased, 'validation'],
      [{}, 'train'],
      [{}, 'validation'],
    ] as const) {
      const [a = 0, b = 0] = await clickRates(options, split);
      expect(a / b).toBeGreaterThan(0.85);
      expect(a / b).toBeLessThan(1.15);
    }
  });

  it.each([
    [{ seed: 1.5 }, 'seed'],
    [{ items: 0 }, 'items'],
    [{ scenario: 'storm' as 'feed' }, 'scenario'],
  ])('refuses %j', (options, argument) => {
    expect(() => simulateFeed(options)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', argument }),
    );
  });
});

describe('openDataset', () => {
  it.each([
    [{ dataset: 'nonsense' }, 'dataset'],
    [{ dataset: 'ebnerd' }, 'data'],
    [{ dataset: 'mind' }, 'data'],
    [{ dataset: 'movielens', data: '' }, 'data'],
    [{ dataset: 'simulated', data: '/tmp' }, 'data'],
    [{ dataset: 'simulated', scenario: 'storm' }, 'scenario'],
    [{ dataset: 'ebnerd', data: '/tmp', scenario: 'feed' }, 'scenario'],
    [{ dataset: 'simulated', malformed: 'ignore' as 'skip' }, 'malformed'],
  ])('refuses %j', async (source, argument) => {
    await expect(openDataset(source)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      argument,
    });
  });
});
