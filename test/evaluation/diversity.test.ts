import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { simulateFeed } from '../../src/data/simulated-feed';
import { intraListDiversity, SlateDiversity } from '../../src/evaluation/diversity';
import { measureDiversityTradeoff } from '../../src/evaluation/diversity-tradeoff';
import { evaluate } from '../../src/evaluation/evaluate';
import { decayedDot, fresh } from '../../src/stages/native-generators';
import { dpp, mmr, topN } from '../../src/stages/native-selectors';
import { decayedDotRanker } from '../../src/stages/native-stages';
import { datasetOf, impression } from './planted-dataset';

describe('intraListDiversity', () => {
  it('is 0 for one direction, 1 for right angles, 2 for opposites', () => {
    expect(
      intraListDiversity([
        [1, 2],
        [2, 4],
      ]),
    ).toBeCloseTo(0, 12);
    expect(
      intraListDiversity([
        [1, 0],
        [0, 5],
      ]),
    ).toBeCloseTo(1, 12);
    expect(
      intraListDiversity([
        [1, 0],
        [-3, 0],
      ]),
    ).toBeCloseTo(2, 12);
    // Pairs at 0, 90 and 90 degrees.
    expect(
      intraListDiversity([
        [1, 0],
        [1, 0],
        [0, 1],
      ]),
    ).toBeCloseTo(2 / 3, 12);
  });

  it('is not known for fewer than two directions', () => {
    expect(intraListDiversity([])).toBeNaN();
    expect(intraListDiversity([[1, 0]])).toBeNaN();
    expect(
      intraListDiversity([
        [1, 0],
        [0, 0],
      ]),
    ).toBeNaN();
  });

  it('does not depend on lengths or order, and lies between 0 and 2', () => {
    const value = fc.integer({ min: -100, max: 100 });
    const vectors = fc.array(fc.tuple(value, value, value), { minLength: 2, maxLength: 8 });
    fc.assert(
      fc.property(vectors, fc.double({ min: 0.1, max: 10, noNaN: true }), (list, scale) => {
        fc.pre(list.every((vector) => vector.some((component) => component !== 0)));
        const diversity = intraListDiversity(list);
        const changed = [...list].reverse().map((vector) => vector.map((v) => v * scale));
        expect(intraListDiversity(changed)).toBeCloseTo(diversity, 9);
        expect(diversity).toBeGreaterThanOrEqual(-1e-9);
        expect(diversity).toBeLessThanOrEqual(2 + 1e-9);
      }),
    );
  });
});

describe('SlateDiversity', () => {
  it('looks at the first ten items, those that are listed with a vector or topics', () => {
    const items = Array.from({ length: 12 }, (_, i) => ({
      id: i + 1,
      topics: [`topic ${i % 5}`, 'all'],
      embeddings: { content: i < 10 ? [1, 0] : [0, 1] },
    }));
    const slates = new SlateDiversity(
      datasetOf([], items, { spaces: { content: { dimensions: 2 } } }),
    );
    const ids = items.map(({ id }) => id);
    expect(slates.reasons).toEqual({ intraList: null, topics: null });
    expect(slates.intraList(ids)).toBeCloseTo(0, 12);
    expect(slates.intraList([1, 77, 11])).toBeCloseTo(1, 12);
    expect(slates.topicCoverage(ids)).toBe(6);
    expect(slates.topicCoverage([1, 6])).toBe(2);
    expect(slates.topicCoverage([1, 6, 77])).toBeNaN();
  });
});

describe("evaluate's measures beside the ranking metrics", () => {
  it('says why there are none, and gives none where the data cannot tell', async () => {
    const dataset = datasetOf([
      impression(1, 0, [1, 2], [1], { split: 'validation' }),
      impression(2, 1, [1, 2], [2], { split: 'validation' }),
    ]);
    const evaluation = await evaluate({ dataset, ranker: 'fresh' });
    expect(evaluation).toMatchObject({
      diversity: { intraList10: null, topicCoverage10: null },
      dwellNdcg10: null,
      unavailable: {
        intraList10: expect.stringContaining('no embeddings'),
        topicCoverage10: expect.stringContaining('no topics'),
        dwellNdcg10: expect.stringContaining('no reading times'),
      },
    });
    expect(evaluation).not.toHaveProperty('utilityNdcg10');
  });

  it('counts no topics where every slate holds an item that is not listed', async () => {
    const items = [{ id: 1, publishTime: 0, topics: ['a'] }];
    const dataset = datasetOf([impression(1, 0, [1, 9], [1], { split: 'validation' })], items);
    const { diversity, unavailable } = await evaluate({ dataset, ranker: 'fresh' });
    expect(diversity.topicCoverage10).toBeNull();
    expect(unavailable['topicCoverage10']).toContain('does not list');
  });

  it('weights nDCG with the logarithm of the reading time', async () => {
    // Equal ages and no clicks: smaller ids come first. The second is read e³ as long plus one.
    const dataset = datasetOf([
      impression(1, 0, [1, 2], [1], {
        split: 'validation',
        outcome: { dwellMs: 1000 * (Math.E - 1) },
      }),
      impression(2, 1, [1, 2], [2], {
        split: 'validation',
        outcome: { dwellMs: 1000 * (Math.E ** 3 - 1) },
      }),
      impression(3, 2, [1, 2, 3], [2, 3], { split: 'validation', outcome: { dwellMs: 9e6 } }),
    ]);
    const { dwellNdcg10 } = await evaluate({ dataset, ranker: 'fresh' });
    expect(dwellNdcg10?.mean).toBeCloseTo((1 * 1 + 3 / Math.log2(3)) / 4, 10);
  });

  it('looks at the list in mode rerank and at the pipeline’s slate in mode rank', async () => {
    const items = Array.from({ length: 12 }, (_, i) => ({
      id: i + 1,
      publishTime: impression(0, -1 - i, [], []).at,
      topics: [`topic ${i}`],
    }));
    const dataset = datasetOf([impression(1, 0, [1, 2], [1], { split: 'validation' })], items);
    const rerank = await evaluate({ dataset, ranker: 'fresh' });
    const rank = await evaluate({ dataset, ranker: 'fresh', mode: 'rank' });
    expect(rerank.diversity.topicCoverage10?.mean).toBe(2);
    expect(rank.diversity.topicCoverage10?.mean).toBe(10);
  });

  it('knows the truth of a simulated world', async () => {
    const dataset = simulateFeed({
      items: 300,
      users: 60,
      trainImpressions: 500,
      validationImpressions: 400,
    });
    const of = async (ranker: string): Promise<number> =>
      (await evaluate({ dataset, ranker })).utilityNdcg10?.mean ?? NaN;
    const [random, informed] = [await of('random'), await of('decayed-dot')];
    expect(random).toBeGreaterThan(0);
    expect(informed).toBeGreaterThan(random + 0.05);
    expect(informed).toBeLessThanOrEqual(1);
  });
});

describe('measureDiversityTradeoff', () => {
  const dataset = simulateFeed({
    ...{ scenario: 'echo-chamber', items: 600, users: 80 },
    ...{ trainImpressions: 1500, validationImpressions: 200 },
  });
  const stages = {
    generators: [decayedDot({ space: 'content' }), fresh()],
    ranker: decayedDotRanker({ space: 'content', failClosed: true }),
    selector: topN(),
  };

  it('shows what a cap per topic gains, against the ranking without one', async () => {
    const profiles = [{}, { perTopic: 4 }, { perTopic: 2 }];
    const rows = await measureDiversityTradeoff({ dataset, ...stages, profiles, every: 2 });
    const [none, loose, tight] = rows;
    expect(none?.change.topicCoverage10).toEqual({ mean: 0, low: 0, high: 0 });
    expect(none?.topicCoverage10.mean).toBeLessThan(3);
    expect(loose?.change.topicCoverage10.low).toBeGreaterThan(0);
    expect(tight?.change.topicCoverage10.low).toBeGreaterThan(
      loose?.change.topicCoverage10.high ?? 9,
    );
    expect(tight?.change.intraList10.low).toBeGreaterThan(0.1);
    for (const { utilityNdcg10 } of rows) {
      expect(utilityNdcg10.mean).toBeGreaterThan(0);
      expect(utilityNdcg10.mean).toBeLessThanOrEqual(1);
    }
  });

  it.each([
    ['mmr over embeddings', mmr({ space: 'content' })],
    ['mmr over topics', mmr({ by: 'topics' })],
    ['dpp over embeddings', dpp({ space: 'content' })],
  ])('rises in diversity with the weight of %s, at a cost', async (_, selector) => {
    const profiles = [0, 0.15, 0.3, 0.45, 0.6, 0.75, 0.9].map((diversity) => ({ diversity }));
    const rows = await measureDiversityTradeoff({ dataset, ...stages, selector, profiles });
    for (const measure of ['intraList10', 'topicCoverage10'] as const) {
      for (const [index, row] of rows.entries()) {
        const before = rows[index - 1]?.[measure];
        // Within noise: the interval of the higher weight reaches up to the mean before it.
        if (before) expect(row[measure].high).toBeGreaterThanOrEqual(before.mean);
      }
      expect(rows.at(-1)?.change[measure].low).toBeGreaterThan(0.4);
    }
    expect(rows.at(-1)?.change.utilityNdcg10.high).toBeLessThan(0);
  });

  it('refuses data that does not know the truth, and settings that make no sense', async () => {
    const options = { dataset, ...stages, profiles: [{}] };
    const known = { ...dataset };
    delete known.utility;
    for (const [changes, argument] of [
      [{ dataset: known }, 'dataset'],
      [{ dataset: { ...dataset, items: [] } }, 'dataset'],
      [{ profiles: [] }, 'profiles'],
      [{ every: 0 }, 'every'],
    ] as const) {
      await expect(measureDiversityTradeoff({ ...options, ...changes })).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
        argument,
      });
    }
  });
});
