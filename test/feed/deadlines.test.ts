import {
  Feed,
  FeedrankError,
  fresh,
  trending,
  weightedSum,
  type Catalog,
  type FeedStages,
  type RankProfile,
  type Slate,
  type StageContext,
} from '../../src';
import { refusal } from '../support/errors';
import { Lcg } from '../support/random';
import { answerOf, makeCatalog, makeItems, now, unhurried } from '../support/world';

const items = makeItems(new Lcg(4), 60);
let catalog: Catalog;

beforeAll(async () => {
  catalog = await makeCatalog(items);
});

/** Never answers; says when it was called and when it was told to give up. */
function stuck() {
  const signals: AbortSignal[] = [];
  let called: () => void = () => undefined;
  const wasCalled = new Promise<void>((resolve) => (called = resolve));
  const wait = (context: StageContext) => {
    signals.push(context.signal);
    called();
    return new Promise<never>(() => undefined);
  };
  return { signals, wasCalled, wait };
}

type Kind = 'generator' | 'filter' | 'enricher' | 'ranker' | 'selector';
const kinds: Kind[] = ['generator', 'filter', 'enricher', 'ranker', 'selector'];

/** A feed whose stage `own` of the given kind does what the test wants. */
function withOwn(
  kind: Kind,
  body: (context: StageContext) => Promise<never> | never,
  failClosed: boolean,
): FeedStages {
  const stage = { name: 'own', failClosed };
  const call = (_: unknown, context: StageContext) => body(context);
  const native = { generators: [fresh()], ranker: weightedSum({ age: -1 }) };
  if (kind === 'generator') {
    return { ...native, generators: [fresh(), { ...stage, generate: body }] };
  }
  if (kind === 'filter') return { ...native, filters: [{ ...stage, filter: call }] };
  if (kind === 'enricher') {
    const ranker = weightedSum({ own: 1, age: -1 });
    return { ...native, ranker, enrichers: [{ ...stage, features: ['own'], enrich: call }] };
  }
  if (kind === 'ranker') return { ...native, ranker: { ...stage, rank: call } };
  return { ...native, selector: { ...stage, select: call } };
}

/** What the feed answers where the stage `own` takes no part. */
async function withoutOwn(kind: Kind): Promise<Pick<Slate, 'items'>> {
  const native = { catalog, generators: [fresh()], profile: unhurried };
  const feed = await Feed.create({ ...native, ranker: weightedSum({ age: -1 }) });
  const slate = await feed.rank({ now });
  if (kind !== 'ranker') return slate;
  // Without a ranker the order of the merged candidates stands, best first.
  const ids = items
    .map(({ id, publishTime }) => ({ id, publishTime }))
    .sort((a, b) => b.publishTime - a.publishTime || (a.id < b.id ? -1 : 1))
    .slice(0, 50)
    .map((item) => item.id);
  return {
    items: slate.items.map((item, i) => ({ ...item, id: ids[i]!, score: 1 / (i + 1) })),
  };
}

describe.each(kinds)('a %s that never answers', (kind) => {
  test('is given up after its own budget, told so, and left out', async () => {
    const { signals, wait } = stuck();
    const feed = await Feed.create({
      catalog,
      ...withOwn(kind, wait, false),
      profile: { ...unhurried, stageBudgetMs: 5 },
    });
    const slate = await feed.rank({ now });
    expect(answerOf(slate)).toEqual(answerOf(await withoutOwn(kind)));
    expect(slate.degraded).toEqual([{ stage: 'own', reason: 'deadline' }]);
    expect(slate.trace.stages.find((stage) => stage.name === 'own')).toMatchObject({
      kind,
      skipped: 'deadline',
      ms: expect.any(Number) as number,
    });
    expect(signals).toHaveLength(1);
    expect(signals[0]!.aborted).toBe(true);
  });

  test('fails the request where it fails closed', async () => {
    const { wait } = stuck();
    const feed = await Feed.create({
      catalog,
      ...withOwn(kind, wait, true),
      profile: { ...unhurried, stageBudgetMs: 5 },
    });
    const error = await refusal(() => feed.rank({ now }));
    expect(error).toMatchObject({ code: 'STAGE_FAILED', argument: 'own' });
    expect(error.message).toMatch(/'own'.*deadline/);
  });

  test('is given up when the whole request runs out of budget', async () => {
    const { wait } = stuck();
    const feed = await Feed.create({ catalog, ...withOwn(kind, wait, false), profile: unhurried });
    const slate = await feed.rank({ now, budgetMs: 300 });
    expect(slate.degraded).toContainEqual({ stage: 'own', reason: 'deadline' });
    expect(slate.items.length).toBeGreaterThan(0);
  });

  test('ends with the request when the caller gives up', async () => {
    const { signals, wasCalled, wait } = stuck();
    const feed = await Feed.create({ catalog, ...withOwn(kind, wait, false), profile: unhurried });
    const caller = new AbortController();
    const pending = feed.rank({ now, signal: caller.signal });
    await wasCalled;
    caller.abort(new Error('the reader left'));
    const error = await refusal(() => pending);
    expect(error).toMatchObject({
      code: 'ABORTED',
      argument: 'signal',
      cause: caller.signal.reason as unknown,
    });
    expect(signals[0]!.aborted).toBe(true);
    // The feed answers on as if nothing had happened.
    const { items: after } = await feed.rank({ now, budgetMs: 300 });
    expect(after.length).toBeGreaterThan(0);
  });
});

describe.each(kinds)('a %s that throws', (kind) => {
  test.each<[string, () => never | Promise<never>]>([
    [
      'at once',
      () => {
        throw new Error('no luck');
      },
    ],
    ['later', () => Promise.reject(new Error('no luck'))],
    [
      'something that is no error',
      () => {
        // eslint-disable-next-line @typescript-eslint/only-throw-error -- Users do.
        throw 'no luck';
      },
    ],
  ])('%s is left out, and the reason told', async (_, body) => {
    const feed = await Feed.create({ catalog, ...withOwn(kind, body, false), profile: unhurried });
    const slate = await feed.rank({ now });
    expect(answerOf(slate)).toEqual(answerOf(await withoutOwn(kind)));
    expect(slate.degraded).toEqual([
      { stage: 'own', reason: expect.stringMatching(/^stage 'own' failed: .*no luck/) as string },
    ]);
  });

  test('fails the request where it fails closed, with what it threw as the cause', async () => {
    const cause = new Error('no luck');
    const body = () => Promise.reject(cause);
    const feed = await Feed.create({ catalog, ...withOwn(kind, body, true), profile: unhurried });
    const error = await refusal(() => feed.rank({ now }));
    expect(error).toMatchObject({ code: 'STAGE_FAILED', argument: 'own', cause });
  });
});

test('a budget longer than a timer can run does not give up at once', async () => {
  const feed = await Feed.create({
    catalog,
    generators: [fresh()],
    filters: [
      {
        name: 'slow',
        filter: async (batch) => {
          await new Promise((resolve) => setTimeout(resolve, 25));
          return batch.ids.map(() => true);
        },
      },
    ],
    ranker: weightedSum({ age: -1 }),
  });
  for (const budgetMs of [2 ** 31, 1e15, Infinity]) {
    expect((await feed.rank({ now, budgetMs })).degraded).toEqual([]);
  }
});

test('a signal that is aborted already rejects before anything runs', async () => {
  const { signals, wait } = stuck();
  const feed = await Feed.create({
    catalog,
    ...withOwn('filter', wait, false),
    profile: unhurried,
  });
  const error = await refusal(() => feed.rank({ now, signal: AbortSignal.abort('too late') }));
  expect(error).toMatchObject({ code: 'ABORTED', argument: 'signal', cause: 'too late' });
  expect(signals).toHaveLength(0);
});

test('aborting during native work rejects every request and disturbs no other', async () => {
  const feed = await Feed.create({
    catalog,
    generators: [fresh(), trending()],
    ranker: weightedSum({ age: -1 }),
    profile: unhurried,
  });
  const expected = answerOf(await feed.rank({ now }));
  const caller = new AbortController();
  const given = Array.from({ length: 10 }, () => feed.rank({ now, signal: caller.signal }));
  const kept = Array.from({ length: 10 }, () => feed.rank({ now }));
  caller.abort();
  const outcomes = await Promise.allSettled(given);
  for (const outcome of outcomes) {
    expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'ABORTED' } });
    expect((outcome as PromiseRejectedResult).reason).toBeInstanceOf(FeedrankError);
  }
  for (const slate of await Promise.all(kept)) expect(answerOf(slate)).toEqual(expected);
  // Aborting after the answer changes nothing, and leaves no listener behind.
  const late = new AbortController();
  const slate = await feed.rank({ now, signal: late.signal });
  late.abort();
  expect(answerOf(slate)).toEqual(expected);
});

test('a trace tells what every stage did, in order, and what came in and out', async () => {
  const profile: RankProfile = { ...unhurried, maxCandidates: 30, limit: 10 };
  const feed = await Feed.create({
    catalog,
    generators: [fresh(), trending()],
    filters: [{ name: 'half', filter: (batch) => batch.ids.map((_, i) => i % 2 === 0) }],
    ranker: weightedSum({ age: -1 }),
    profile,
  });
  const slate = await feed.rank({ now });
  expect(
    slate.trace.stages.map(({ name, kind, in: came, out }) => [name, kind, came, out]),
  ).toEqual([
    ['fresh', 'generator', 0, 30],
    ['trending', 'generator', 0, 0],
    ['merge', 'merge', 0, 30],
    ['half', 'filter', 30, 15],
    ['features', 'enricher', 15, 15],
    ['weighted-sum', 'ranker', 15, 15],
    ['top-n', 'selector', 15, 10],
  ]);
  const { totalMs, nativeMs, queueMs } = slate.trace;
  for (const ms of [totalMs, nativeMs, queueMs]) expect(ms).toBeGreaterThanOrEqual(0);
  expect(slate).toMatchObject({ now, profile: 'default', epoch: catalog.epoch, degraded: [] });
  expect(slate.items.map((item) => item.position)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(slate.items.every((item) => item.sources[0]?.generator === 'fresh')).toBe(true);
});

test('a budget that is spent skips stages, says so, and still answers', async () => {
  const feed = await Feed.create({
    catalog,
    generators: [fresh()],
    filters: [{ name: 'own', filter: (batch) => batch.ids.map(() => true) }],
    ranker: weightedSum({ age: -1 }),
  });
  const slate = await feed.rank({ now, budgetMs: 1e-6 });
  expect(slate.items).toHaveLength(50);
  expect(slate.degraded).toEqual([
    { stage: 'own', reason: 'budget' },
    { stage: 'features', reason: 'budget' },
    { stage: 'weighted-sum', reason: 'budget' },
  ]);
});
