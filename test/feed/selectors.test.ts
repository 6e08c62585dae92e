import {
  Catalog,
  dpp,
  Feed,
  fresh,
  mmr,
  nativeFeatures,
  topN,
  weightedSum,
  type CandidateBatch,
  type ErrorCode,
  type FeedStages,
  type Item,
  type NativeStage,
  type RankProfile,
  type Selector,
  type StageContext,
} from '../../src';
import { expectRefusal } from '../support/errors';
import { Lcg } from '../support/random';
import { answerOf, dimensions, hour, makeItems, now, unhurried } from '../support/world';

const random = new Lcg(11);
const items = makeItems(random, 120).map((item) => ({
  ...item,
  labels: { creator: random.below(4) === 0 ? 'small' : 'large', region: `r${random.below(3)}` },
}));
const vectorOf = new Map(items.map((item) => [item.id, item.embeddings.taste]));
const labelsOf = new Map(items.map((item) => [item.id, item.labels]));
let catalog: Catalog;

beforeAll(async () => {
  catalog = await Catalog.create({
    ids: 'string',
    spaces: { taste: { dimensions } },
    columns: ['quality', 'length'],
    labels: ['creator', 'region'],
  });
  await catalog.upsert(items);
});

const scored: FeedStages = {
  generators: [fresh()],
  enrichers: [
    nativeFeatures([
      { name: 'quality', source: 'column', column: 'quality' },
      { name: 'length', source: 'column', column: 'length' },
    ]),
  ],
  ranker: weightedSum({ quality: 1, length: 0.5 }),
};

function makeFeed(
  selector: NonNullable<FeedStages['selector']>,
  profile: RankProfile = {},
  from: Catalog = catalog,
): Promise<Feed> {
  return Feed.create({ catalog: from, ...scored, selector, profile: { ...unhurried, ...profile } });
}

type Similarity = (batch: CandidateBatch, i: number, j: number) => number;

const cosine: Similarity = (batch, i, j) => {
  const [a, b] = [vectorOf.get(String(batch.ids[i]))!, vectorOf.get(String(batch.ids[j]))!];
  let [dot, aa, bb] = [0, 0, 0];
  for (let d = 0; d < dimensions; d++) {
    dot += a[d]! * b[d]!;
    aa += a[d]! ** 2;
    bb += b[d]! ** 2;
  }
  return dot / Math.sqrt(aa * bb);
};

const jaccard: Similarity = (batch, i, j) => {
  const [a, b] = [new Set(batch.topics[i]), new Set(batch.topics[j])];
  const shared = [...a].filter((topic) => b.has(topic)).length;
  return shared === 0 ? 0 : shared / (a.size + b.size - shared);
};

/** Candidates in the contract's order, and their scores normalised to [0, 1]. */
function ordered({ scores, publishTimes, ids }: CandidateBatch): {
  order: number[];
  relevance: number[];
} {
  const order = Array.from(scores, (_, i) => i).sort(
    (a, b) =>
      scores[b]! - scores[a]! ||
      publishTimes[b]! - publishTimes[a]! ||
      Buffer.compare(Buffer.from(String(ids[a])), Buffer.from(String(ids[b]))),
  );
  const low = Math.min(...scores);
  const range = Math.max(...scores) - low;
  return { order, relevance: Array.from(scores, (score) => (score - low) / range) };
}

function greedy(
  limit: number,
  order: readonly number[],
  value: (taken: readonly number[], i: number) => number,
): number[] {
  const taken: number[] = [];
  while (taken.length < Math.min(limit, order.length)) {
    let best = -1;
    let most = -Infinity;
    for (const i of order) {
      if (taken.includes(i)) continue;
      const worth = value(taken, i);
      if (best < 0 || worth > most) [best, most] = [i, worth];
    }
    taken.push(best);
  }
  return taken;
}

/** MMR as a user would write it. */
function ownMmr(similarity: Similarity): Selector {
  return {
    name: 'own',
    select(batch: CandidateBatch, { limit, settings }: StageContext): number[] {
      const { order, relevance } = ordered(batch);
      const w = settings.diversity;
      return greedy(limit, order, (taken, i) => {
        const alike = taken.map((j) => similarity(batch, i, j));
        return (1 - w) * relevance[i]! - w * (taken.length === 0 ? 0 : Math.max(...alike));
      });
    },
  };
}

function determinant(matrix: readonly (readonly number[])[]): number {
  const m = matrix.map((row) => [...row]);
  let product = 1;
  for (let k = 0; k < m.length; k++) {
    product *= m[k]![k]!;
    for (let i = k + 1; i < m.length; i++) {
      const factor = m[i]![k]! / m[k]![k]!;
      for (let j = k; j < m.length; j++) m[i]![j]! -= factor * m[k]![j]!;
    }
  }
  return product;
}

/** A DPP by determinants; the kernel of unit vectors never runs dry here. */
const ownDpp: Selector = {
  name: 'own',
  select(batch: CandidateBatch, { limit, settings }: StageContext): number[] {
    const { order, relevance } = ordered(batch);
    const w = settings.diversity;
    const kernel = (i: number, j: number) => (i === j ? 1 : Math.exp(cosine(batch, i, j) - 1));
    return greedy(limit, order, (taken, i) => {
      const whole = [...taken, i];
      const left = determinant(whole.map((a) => whole.map((b) => kernel(a, b))));
      const before = determinant(taken.map((a) => taken.map((b) => kernel(a, b))));
      return (1 - w) * relevance[i]! + w * Math.log(left / before);
    });
  },
};

const swaps: [string, NativeStage, Selector][] = [
  ['mmr over a space', mmr({ space: 'taste' }), ownMmr(cosine)],
  ['mmr over topics', mmr({ by: 'topics' }), ownMmr(jaccard)],
  ['dpp over a space', dpp({ space: 'taste' }), ownDpp],
];

test.each(swaps)('%s answers as the same selector in TypeScript does', async (_, native, own) => {
  for (const diversity of [0.2, 0.5, 1]) {
    const profile = { diversity, limit: 12, maxCandidates: 60 };
    const [a, b] = await Promise.all([
      (await makeFeed(native as NonNullable<FeedStages['selector']>, profile)).rank({ now }),
      (await makeFeed(own, profile)).rank({ now }),
    ]);
    expect(answerOf(a)).toEqual(answerOf(b));
    expect(a.degraded).toEqual([]);
    expect(a.items).toHaveLength(12);
  }
});

test('without weight on diversity every selector answers as topN does', async () => {
  const profile = { diversity: 0, perAuthor: 8, authorSpacing: 1 };
  const best = answerOf(await (await makeFeed(topN(), profile)).rank({ now }));
  for (const selector of [mmr({ space: 'taste' }), mmr({ by: 'topics' }), dpp({ by: 'topics' })]) {
    expect(answerOf(await (await makeFeed(selector, profile)).rank({ now }))).toEqual(best);
  }
});

test('a selector is called as its options say', () => {
  expect([mmr({ space: 'taste' }).name, dpp({ by: 'topics', name: 'mine' }).name]).toEqual([
    'mmr',
    'mine',
  ]);
});

test('an explanation says what diversity and exposure weighed', async () => {
  const profile = { limit: 12, maxCandidates: 60, diversity: 0.4 };
  const batchOf = (ids: readonly unknown[]) => ({ ids }) as unknown as CandidateBatch;
  const feed = await makeFeed(mmr({ space: 'taste' }), profile);
  const slate = await feed.rank({ now, explain: true });
  const ids = batchOf(slate.items.map((item) => item.id));
  slate.items.forEach(({ explanation }, i) => {
    const alike = slate.items.slice(0, i).map((_, j) => cosine(ids, i, j));
    const expected = i === 0 ? 0 : -0.4 * Math.max(...alike);
    expect(Object.keys(explanation!.penalties)).toEqual(['diversity']);
    expect(explanation!.penalties['diversity']).toBeCloseTo(expected, 5);
  });
  const exposure = [{ group: 'creator', value: 'small', share: 0.6 }];
  const fair = await (
    await makeFeed(topN(), { ...profile, exposure })
  ).rank({ now, explain: true });
  const bonuses = fair.items.map(({ id, explanation }) => ({
    small: labelsOf.get(String(id))!.creator === 'small',
    raised: explanation!.penalties['exposure']! > 0,
  }));
  for (const { small, raised } of bonuses) expect(raised).toBe(small);
});

test('spacing keeps authors apart, and says in the trace where it could not', async () => {
  const spaced = await (
    await makeFeed(topN(), { authorSpacing: 1, limit: 30, maxCandidates: 120 })
  ).rank({ now });
  const authors = spaced.items.map(({ id }) => items.find((item) => item.id === id)!.author);
  authors.forEach((author, i) => expect(author).not.toBe(authors[i + 1]));
  // There are five authors, so nine others cannot stand between two items of one.
  const tight = await (await makeFeed(topN(), { authorSpacing: 9, limit: 30 })).rank({ now });
  expect(tight.items).toHaveLength(30);
  expect(tight.trace.stages.at(-1)!.notes).toEqual([
    expect.stringMatching(/^spacing relaxed at \d+ of 30 positions/),
  ]);
  expect(tight.degraded).toEqual([]);
});

function shareOf(ids: readonly unknown[], label: 'creator' | 'region', value: string): number {
  let [members, all] = [0, 0];
  ids.forEach((id, position) => {
    const exposure = 1 / Math.log2(position + 2);
    all += exposure;
    if (labelsOf.get(String(id))![label] === value) members += exposure;
  });
  return members / all;
}

test.each([
  ['topN', topN()],
  ['mmr', mmr({ space: 'taste' })],
  ['dpp', dpp({ by: 'topics' })],
])('%s gives groups their shares of exposure', async (_, selector) => {
  const feed = await makeFeed(selector, {
    limit: 30,
    exposure: [
      { group: 'creator', value: 'small', share: 0.5 },
      { group: 'region', value: 'r1', share: 0.2, tolerance: 0.03 },
    ],
  });
  const slate = await feed.rank({ now });
  const ids = slate.items.map((item) => item.id);
  expect(Math.abs(shareOf(ids, 'creator', 'small') - 0.5)).toBeLessThanOrEqual(0.02 + 1e-9);
  expect(Math.abs(shareOf(ids, 'region', 'r1') - 0.2)).toBeLessThanOrEqual(0.03 + 1e-9);
  expect(slate.degraded).toEqual([]);
  expect(slate.trace.stages.at(-1)!.notes.slice(0, 3)).toEqual([
    expect.stringMatching(/^exposure cost 0\.\d{4} of the discounted relevance$/),
    expect.stringMatching(/^exposure of creator=small: wanted 0.5000 ± 0.0200, achieved 0\.\d{4}$/),
    expect.stringMatching(/^exposure of region=r1: wanted 0.2000 ± 0.0300, achieved 0\.\d{4}$/),
  ]);
});

test('a share that cannot be had is told in `degraded`, until there are items for it', async () => {
  const own = await Catalog.create({
    ids: 'string',
    spaces: { taste: { dimensions } },
    columns: ['quality', 'length'],
    labels: ['creator', 'region'],
  });
  await own.upsert(items);
  const exposure = [{ group: 'creator', value: 'brand new', share: 0.3 }];
  const feed = await makeFeed(topN(), { limit: 20, exposure }, own);
  const before = await feed.rank({ now });
  expect(before.items).toHaveLength(20);
  expect(before.degraded).toEqual([
    {
      stage: 'top-n',
      reason:
        'exposure of creator=brand new: wanted 0.3000 ± 0.0200, achieved 0.0000 (no candidate is of this group)',
    },
  ]);
  const added: Item[] = Array.from({ length: 20 }, (_, i) => ({
    id: `new-${i}`,
    publishTime: now - hour,
    columns: { quality: -1, length: 0 },
    labels: { creator: 'brand new' },
  }));
  await own.upsert(added);
  expect((await feed.rank({ now })).degraded).toEqual([]);
});

test('a given list is ordered by score and neither thinned out nor diversified', async () => {
  const ids = items.slice(0, 40).map((item) => item.id);
  const strict = await makeFeed(mmr({ space: 'taste' }), {
    diversity: 1,
    perAuthor: 1,
    authorSpacing: 3,
    exposure: [{ group: 'creator', value: 'small', share: 1 }],
  });
  const plain = await makeFeed(topN());
  const slate = await strict.rerank({ now }, ids);
  expect(answerOf(slate)).toEqual(answerOf(await plain.rerank({ now }, ids)));
  expect(slate.items).toHaveLength(40);
  expect(slate.degraded).toEqual([]);
});

test('a selector that is out of time takes the rest by score and says so', async () => {
  const feed = await makeFeed(mmr({ space: 'taste' }), { budgetMs: 1e-9 });
  const slate = await feed.rank({ now });
  expect(slate.items).toHaveLength(50);
  expect(slate.degraded).toContainEqual({ stage: 'mmr', reason: 'budget' });
});

const target = { group: 'creator', value: 'small', share: 0.5 };

test.each<[string, RankProfile, ErrorCode, string]>([
  ['diversity above 1', { diversity: 1.01 }, 'INVALID_ARGUMENT', 'profile.diversity'],
  ['diversity below 0', { diversity: -0.01 }, 'INVALID_ARGUMENT', 'profile.diversity'],
  ['diversity NaN', { diversity: NaN }, 'INVALID_ARGUMENT', 'profile.diversity'],
  ['negative spacing', { authorSpacing: -1 }, 'INVALID_ARGUMENT', 'profile.authorSpacing'],
  ['half a spacing', { topicSpacing: 0.5 }, 'INVALID_ARGUMENT', 'profile.topicSpacing'],
  ['all quotas 0', { quotas: { fresh: 0 } }, 'INVALID_ARGUMENT', 'profile.quotas'],
  [
    'an unknown group',
    { exposure: [{ ...target, group: 'nobody' }] },
    'UNKNOWN_GROUP',
    'profile.exposure[0].group',
  ],
  [
    'a group named as what every object has',
    { exposure: [{ ...target, group: '__proto__' }] },
    'UNKNOWN_GROUP',
    'profile.exposure[0].group',
  ],
  [
    'a share above 1',
    { exposure: [{ ...target, share: 1.1 }] },
    'INVALID_ARGUMENT',
    'profile.exposure.0.share',
  ],
  [
    'a share of NaN',
    { exposure: [{ ...target, share: NaN }] },
    'INVALID_ARGUMENT',
    'profile.exposure.0.share',
  ],
  [
    'a negative tolerance',
    { exposure: [{ ...target, tolerance: -0.1 }] },
    'INVALID_ARGUMENT',
    'profile.exposure.0.tolerance',
  ],
  ['one group twice', { exposure: [target, target] }, 'INVALID_ARGUMENT', 'profile.exposure[1]'],
  [
    'shares of one label above 1',
    { exposure: [target, { ...target, value: 'large', share: 0.6 }] },
    'INVALID_ARGUMENT',
    'profile.exposure[1].share',
  ],
  [
    'more than 8 targets',
    { exposure: Array.from({ length: 9 }, (_, i) => ({ ...target, value: `${i}`, share: 0.01 })) },
    'INVALID_ARGUMENT',
    'profile.exposure',
  ],
])('%s is refused, and nothing changes', async (_, profile, code, argument) => {
  await expectRefusal(() => makeFeed(topN(), profile), { code, argument });
  const feed = await makeFeed(topN());
  const before = answerOf(await feed.rank({ now }));
  await expectRefusal(() => feed.setProfile(profile), { code });
  await expectRefusal(() => feed.rank({ now, profile }), { code });
  expect(answerOf(await feed.rank({ now }))).toEqual(before);
});

test('shares that add up to 1 within their tolerances are no contradiction', async () => {
  const feed = await makeFeed(topN(), {
    exposure: [target, { ...target, value: 'large', share: 0.53 }],
  });
  expect((await feed.rank({ now })).degraded).toEqual([]);
});

test.each<[string, () => unknown, ErrorCode, string]>([
  ['mmr without options', () => mmr(undefined as never), 'INVALID_ARGUMENT', 'options'],
  ['mmr of nothing', () => mmr({} as never), 'INVALID_ARGUMENT', 'space'],
  ['dpp by authors', () => dpp({ by: 'authors' } as never), 'INVALID_ARGUMENT', 'by'],
  ['dpp by both', () => dpp({ by: 'topics', space: 'taste' } as never), 'INVALID_ARGUMENT', 'by'],
  ['a name that is none', () => mmr({ by: 'topics', name: '' }), 'INVALID_ARGUMENT', 'name'],
  [
    'an unknown space',
    () => makeFeed(mmr({ space: 'nowhere' })),
    'UNKNOWN_SPACE',
    'selector.mmr.space',
  ],
])('%s is refused', async (_, call, code, argument) => {
  await expectRefusal(call, { code, argument });
});
