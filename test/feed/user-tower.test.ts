import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import {
  Catalog,
  decayedDot,
  decayedDotRanker,
  Feed,
  fresh,
  nativeFeatures,
  Towers,
  weightedSum,
  type CandidateGenerator,
  type FeedStages,
  type Item,
  type Query,
  type TrainedTowers,
} from '../../src';
import { expectRefusal } from '../support/errors';
import { answerOf, hour, unhurried } from '../support/world';
import { smallWorld, trainSmall } from '../training/trained-towers';

const dataset = smallWorld();
const now = Math.max(...dataset.items.map(({ publishTime = 0 }) => publishTime)) + hour;
const profile = { ...unhurried, tauMs: 24 * hour };
const context = { hour: 9, unrelated: 3 };

let trained: TrainedTowers;
let towers: Towers;
let catalog: Catalog;

/** Makes a feed on the catalog, with the towers where they are given. */
async function makeFeed(options: Partial<FeedStages> = {}, given: Towers | undefined = towers) {
  const feed = await Feed.create({
    catalog,
    generators: [decayedDot({ space: 'tower' })],
    ranker: decayedDotRanker({ space: 'tower' }),
    profile,
    latenessMs: 365 * 24 * hour,
    ...(given && { towers: given }),
    ...options,
  });
  await feed.record(
    [3, 1, 40, 17].map((item, i) => ({
      type: 'click',
      userId: 'reader',
      itemId: dataset.items[item]!.id,
      at: now - (9 - i) * hour,
    })),
    { now },
  );
  return feed;
}

/** What the user tower answers for a reader, by its module alone. */
async function vectorOf(feed: Feed, query: Query): Promise<Float32Array> {
  const { dimensions, maxReads } = towers.description;
  const { ids, hours } = feed.recentReads(query, now, maxReads);
  const read = await towers.embed(ids.map((id) => dataset.items.find((item) => item.id === id)!));
  const input = {
    reads: new Float32Array(maxReads * dimensions),
    hours: new Float32Array(maxReads),
    present: new Float32Array(maxReads),
    context: Float32Array.of(query.context?.['hour'] ?? NaN),
  };
  read.forEach(({ embeddings }, r) => {
    input.reads.set(embeddings['tower']!, r * dimensions);
    input.hours[r] = hours[r]!;
    input.present[r] = 1;
  });
  return towers.native.user.encode(input);
}

beforeAll(async () => {
  trained = await trainSmall({ epochs: 2, refit: false });
  towers = await Towers.load(trained, { allowUnverified: true });
  catalog = await Catalog.create({
    ids: 'string',
    spaces: { ...dataset.spaces, tower: { dimensions: 16 } },
    columns: dataset.columns,
    labels: dataset.labels,
  });
  await catalog.upsert(await towers.embed(dataset.items as Item[]));
}, 120_000);

afterAll(() => {
  catalog.dispose();
  towers.dispose();
});

describe('a feed with towers', () => {
  const queries: [string, Query][] = [
    ['a reader of four items', { userId: 'reader', now, context }],
    ['a reader on a page', { userId: 'reader', now, currentItemId: dataset.items[60]!.id }],
    [
      'a reader on a page that was read before',
      { userId: 'reader', now, currentItemId: dataset.items[1]!.id },
    ],
    ['a reader of nothing', { userId: 'stranger', now, context }],
    ['nobody', { now }],
  ];

  it.each(queries)('answers %s as the module itself does', async (_, query) => {
    const feed = await makeFeed();
    const bare = await makeFeed({}, undefined);
    const values = await vectorOf(feed, query);
    const slate = await feed.rank(query);
    const expected = await bare.rank({ ...query, userVector: { space: 'tower', values } });
    expect(slate.items.length).toBe(50);
    expect(answerOf(slate)).toEqual(answerOf(expected));
    expect(slate.degraded).toEqual([]);
    expect(slate.trace.nativeCalls).toBe(1);
    const [encoder] = slate.trace.stages;
    expect(encoder).toMatchObject({ name: 'user-tower', kind: 'encoder' });
    expect(encoder!.ms).toBeGreaterThan(0);
    expect(expected.trace.stages[0]!.name).toBe('decayed-dot');
  });

  it('reads differ, and so do answers', async () => {
    const feed = await makeFeed();
    const [reader, stranger, elsewhere] = await Promise.all([
      feed.rank({ userId: 'reader', now, context }),
      feed.rank({ userId: 'stranger', now, context }),
      feed.rank({ userId: 'reader', now, context: { hour: 21 } }),
    ]);
    expect(answerOf(reader)).not.toEqual(answerOf(stranger));
    expect(answerOf(reader)).not.toEqual(answerOf(elsewhere));
  });

  it('gives way to a vector of the query', async () => {
    const feed = await makeFeed();
    const bare = await makeFeed({}, undefined);
    const userVector = { space: 'tower', values: new Float32Array(16).fill(0.25) };
    const query = { userId: 'reader', now, userVector };
    const slate = await feed.rank(query);
    expect(answerOf(slate)).toEqual(answerOf(await bare.rank(query)));
    expect(slate.trace.stages.map(({ name }) => name)).not.toContain('user-tower');
    // Of another space, it says nothing about this one.
    const other = { space: 'content', values: new Float32Array(16).fill(0.25) };
    const both = await feed.rank({ userId: 'reader', now, userVector: other });
    expect(answerOf(both)).toEqual(answerOf(await feed.rank({ userId: 'reader', now })));
  });

  it('answers as a generator in TypeScript that asks the same module', async () => {
    const feed = await makeFeed();
    const twin: CandidateGenerator = {
      name: 'twin',
      async generate({ userId, now: at, context: given }) {
        const vectors = await vectorOf(feed, { userId: userId!, now: at, context: given });
        const [found] = await catalog.retrieve({
          ...{ space: 'tower', vectors, k: 500, tauMs: profile.tauMs, now: at },
        });
        return { ids: found!.ids, scores: found!.scores };
      },
    };
    const query = { userId: 'reader', now, context, limit: 100 };
    const ranker = weightedSum({ age: -1 });
    const native = await (await makeFeed({ ranker })).rank(query);
    const own = await (await makeFeed({ ranker, generators: [twin] }, undefined)).rank(query);
    expect(answerOf(own)).toEqual(answerOf(native));
    expect(own.items.map(({ sources }) => sources[0]!.score)).toEqual(
      native.items.map(({ sources }) => sources[0]!.score),
    );
  });

  it('gives the dot feature the same value in slates, lists and assembled rows', async () => {
    const dot = { name: 'dot', source: 'dot', space: 'tower' } as const;
    const feed = await makeFeed({
      enrichers: [nativeFeatures([dot])],
      ranker: weightedSum({ dot: 1 }),
    });
    const query = { userId: 'reader', now, context };
    const slate = await feed.rank(query);
    const ids = slate.items.map(({ id }) => id);
    const list = await feed.rerank(query, ids);
    expect(answerOf(list)).toEqual(answerOf(slate));
    expect(list.trace.stages[0]!.name).toBe('user-tower');
    const { values } = await feed.assemble(query, ids);
    expect([...values]).toEqual(slate.items.map(({ score }) => Math.fround(score)));
    expect(Math.max(...values.map(Math.abs))).toBeGreaterThan(0.01);
  });

  it('asks no tower where no stage reads its space', async () => {
    const feed = await makeFeed({ generators: [fresh()], ranker: weightedSum({ age: -1 }) });
    const slate = await feed.rank({ userId: 'reader', now });
    expect(slate.trace.stages[0]!.name).toBe('fresh');
    const both = await makeFeed({ ranker: weightedSum({ age: -1 }) });
    const list = await both.rerank({ userId: 'reader', now }, [dataset.items[0]!.id]);
    expect(list.trace.stages.map(({ name }) => name)).not.toContain('user-tower');
  });

  it('goes on without a tower that answers NaN, and says so', async () => {
    const userTower = readFileSync(join(__dirname, '../fixtures/towers/nan-for-readers.pt'));
    const failing = await Towers.load({ ...trained, userTower }, { allowUnverified: true });
    const query = { userId: 'reader', now };
    const generators = [decayedDot({ space: 'tower' }), fresh()];
    const ranker = weightedSum({ age: -1 });
    const feed = await makeFeed({ generators, ranker }, failing);
    const slate = await feed.rank(query);
    expect(slate.items.length).toBe(50);
    expect(new Set(slate.items.flatMap(({ sources }) => sources.map((s) => s.generator)))).toEqual(
      new Set(['fresh']),
    );
    expect(slate.degraded).toEqual([
      { stage: 'user-tower', reason: expect.stringMatching(/^MODEL_OUTPUT: .*NaN/) as string },
      { stage: 'decayed-dot', reason: expect.stringMatching(/failed: MODEL_OUTPUT/) as string },
    ]);
    // Nothing is wrong with readers of whom nothing is known.
    expect((await feed.rank({ userId: 'stranger', now })).degraded).toEqual([]);
    const closed = await makeFeed(
      { generators: [decayedDot({ space: 'tower', failClosed: true })] },
      failing,
    );
    await expectRefusal(() => closed.rank(query), {
      code: 'STAGE_FAILED',
      argument: 'decayed-dot',
    });
    await expectRefusal(
      () =>
        feed.assemble(
          query,
          [dataset.items[0]!.id],
          [{ name: 'dot', source: 'dot', space: 'tower' }],
        ),
      { code: 'MODEL_OUTPUT' },
    );
  });
});

describe('Towers', () => {
  it('embeds new items, by their attributes alone', async () => {
    const [known] = trained.items.ids;
    const item = dataset.items.find(({ id }) => id === known)!;
    const [old, renamed, again] = await towers.embed([
      item,
      { ...item, id: 'never seen' },
      { ...item, id: 'never seen either' },
    ]);
    expect([towers.has(item.id), towers.has('never seen')]).toEqual([true, false]);
    expect(renamed!.embeddings['tower']).toEqual(again!.embeddings['tower']);
    expect(renamed!.embeddings['tower']).not.toEqual(old!.embeddings['tower']);
    expect(old!.embeddings['content']).toBe(item.embeddings!['content']);
    const [empty] = await towers.embed([{ id: 'bare' }]);
    expect(Math.hypot(...(empty!.embeddings['tower'] as Float32Array))).toBeCloseTo(1, 5);
    expect(await towers.embed([])).toEqual([]);
  });

  it.each([
    [[{ id: 7 }], 'items[0].id'],
    [[{ id: 'a', columns: { body_length: NaN } }], 'items[0].columns.body_length'],
    [[{ id: 'a', author: 3 }], 'items[0].author'],
    [[{ id: 'a', topics: 'x' }], 'items[0].topics'],
    [[{ id: 'a', labels: { creator: '' } }], 'items[0].labels.creator'],
    [[null], 'items[0]'],
    ['items', 'items'],
  ])('refuses %j', async (items, argument) => {
    await expectRefusal(() => towers.embed(items as never), { code: 'INVALID_ARGUMENT', argument });
  });

  it('refuses parts that do not fit together', async () => {
    const load = (changes: object, options: object = { allowUnverified: true }) =>
      Towers.load({ ...trained, ...changes }, options);
    await expectRefusal(() => load({}, {}), { code: 'MODEL_UNVERIFIED' });
    await expectRefusal(() => load({ itemTower: Buffer.from('no archive') }), {
      code: 'MODEL_CORRUPT',
      argument: 'itemTower',
    });
    await expectRefusal(() => load({ itemTower: trained.userTower }), { code: 'MODEL_SHAPE' });
    await expectRefusal(() => load({ userTower: 'path' }), { code: 'INVALID_ARGUMENT' });
    const { description, items } = trained;
    await expectRefusal(() => load({ description: { ...description, topics: -1 } }), {
      code: 'MODEL_DESCRIPTION',
      argument: 'parts.description.topics',
    });
    await expectRefusal(() => load({ description: { ...description, columns: [] } }), {
      code: 'MODEL_SHAPE',
    });
    await expectRefusal(() => load({ items: { ...items, vectors: items.vectors.slice(1) } }), {
      code: 'DIMENSION_MISMATCH',
      argument: 'parts.items.vectors',
    });
    await expectRefusal(() => load({ space: { ...trained.space, dimensions: 8 } }), {
      code: 'DIMENSION_MISMATCH',
    });
  });

  it('a feed refuses towers that its catalog has no space for', async () => {
    const stages = { generators: [fresh()], ranker: weightedSum({ age: -1 }), towers };
    const on = async (spaces: object) => {
      const other = await Catalog.create({ ids: 'string', ...spaces });
      return Feed.create({ catalog: other, ...stages });
    };
    await expectRefusal(() => on({}), { code: 'UNKNOWN_SPACE', argument: 'towers.space' });
    await expectRefusal(() => on({ spaces: { tower: { dimensions: 8 } } }), {
      code: 'DIMENSION_MISMATCH',
      argument: 'towers.space',
    });
    await expectRefusal(() => on({ spaces: { tower: { dimensions: 16, version: '2' } } }), {
      code: 'INVALID_ARGUMENT',
      argument: 'towers.space',
    });
    const gone = await Towers.load(trained, { allowUnverified: true });
    gone.dispose();
    await expectRefusal(() => Feed.create({ catalog, ...stages, towers: gone }), {
      code: 'DISPOSED',
      argument: 'towers',
    });
    await expectRefusal(() => gone.embed([]), { code: 'DISPOSED' });
    await expectRefusal(() => Feed.create({ catalog, ...stages, towers: {} as Towers }), {
      code: 'INVALID_ARGUMENT',
      argument: 'towers',
    });
  });
});
