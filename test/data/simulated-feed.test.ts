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

  it.each([
    ['feed', '156b7ab2a78d043a4b964dfdd5bf1d1fd71f7f8b731b150c71eb935bc36bac9f'],
    ['biased-exposure', '1affa96a70795717f526a42c298ebced1e9649551941bd6c4adc61988c4a7543'],
  ] as const)('gives the log of %s that it has always given', async (scenario, expected) => {
    expect(await digest(simulateFeed({ ...small, seed: 3, scenario }))).toBe(expected);
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

  it('gives a true utility that clicks in the first position follow', async () => {
    const dataset = simulateFeed({ items: 400, users: 50 });
    let expected = 0;
    let clicks = 0;
    for await (const { userId, itemIds, clickedIds, at } of dataset.impressions('train')) {
      const [first] = itemIds;
      if (first === undefined) continue;
      expected += dataset.utility?.(userId, first, at) ?? NaN;
      clicks += Number(clickedIds.includes(first));
    }
    // Of some 8,000 draws, so within about three standard deviations.
    expect(Math.abs(clicks - expected)).toBeLessThan(3 * Math.sqrt(expected));
    expect(expected).toBeGreaterThan(100);
    expect(dataset.utility?.(0, 'no such item', 0)).toBeNaN();
  });

  it('gives the same echo chamber whichever part is read first', async () => {
    const options: SimulatedFeedOptions = { ...small, scenario: 'echo-chamber' };
    const read = async (dataset: Dataset, split: string): Promise<unknown[]> => {
      const impressions = [];
      for await (const impression of dataset.impressions(split)) impressions.push(impression);
      return impressions;
    };
    const backwards = simulateFeed(options);
    const validation = await read(backwards, 'validation');
    const train = await read(backwards, 'train');
    const forwards = simulateFeed(options);
    expect(await read(forwards, 'train')).toEqual(train);
    expect(await read(forwards, 'validation')).toEqual(validation);
  });

  it('shows few topics in an echo chamber, to readers who like more', async () => {
    const shareOfTopTopic = async (scenario: 'feed' | 'echo-chamber'): Promise<number> => {
      const dataset = simulateFeed({ scenario });
      const topicOf = new Map(dataset.items.map(({ id, topics = [] }) => [id, topics[0]]));
      let shares = 0;
      let lists = 0;
      for await (const { itemIds } of dataset.impressions('validation')) {
        const counts = new Map<string | undefined, number>();
        for (const id of itemIds) {
          counts.set(topicOf.get(id), (counts.get(topicOf.get(id)) ?? 0) + 1);
        }
        shares += Math.max(...counts.values()) / itemIds.length;
        lists += 1;
      }
      return shares / lists;
    };
    expect(await shareOfTopTopic('echo-chamber')).toBeGreaterThan(0.75);
    expect(await shareOfTopTopic('feed')).toBeLessThan(0.45);

    // Of all that is there, what a reader likes best is of several topics.
    const dataset = simulateFeed({ scenario: 'echo-chamber' });
    const end = Date.UTC(2024, 0, 8);
    const topicsLiked = Array.from({ length: 50 }, (_, i) => {
      const liked = dataset.items
        .map(({ id, topics = [] }) => ({
          topic: topics[0],
          utility: dataset.utility?.(i + 1, id, end) ?? 0,
        }))
        .sort((a, b) => b.utility - a.utility)
        .slice(0, 10);
      return new Set(liked.map(({ topic }) => topic)).size;
    });
    expect(topicsLiked.reduce((a, b) => a + b) / 50).toBeGreaterThan(3);
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
