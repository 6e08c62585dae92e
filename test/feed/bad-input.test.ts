import type { Catalog } from '../../src';
import {
  decayedDot,
  decayedDotRanker,
  Feed,
  fresh,
  maximumAge,
  nativeFeatures,
  seen,
  topN,
  torchScript,
  trending,
  weightedSum,
  type ErrorCode,
} from '../../src';
import { expectRefusal, untyped } from '../support/errors';
import { Lcg } from '../support/random';
import { answerOf, hour, makeCatalog, makeItems, now, unhurried } from '../support/world';

const items = makeItems(new Lcg(8), 30);
const vector = { space: 'taste', values: [1, 0, 0, 0] };
let catalog: Catalog;
let feed: Feed;

beforeAll(async () => {
  catalog = await makeCatalog(items);
  feed = await Feed.create({
    catalog,
    generators: [decayedDot({ space: 'taste' }), trending(), fresh()],
    filters: [seen()],
    ranker: weightedSum({ age: -1, clicks_3h: 1 }),
    profile: unhurried,
  });
  await feed.record([{ type: 'click', userId: 'u', itemId: 'item-1', at: now }], { now });
});

/** Everything that a caller can see: a refused call must not change it. */
async function view() {
  const counted = await feed.assemble({ now }, ['item-1', 'item-2'], ['clicks_3h', 'ctr_12h']);
  const slate = await feed.rank({ now, userId: 'u', userVector: vector });
  return [catalog.size, catalog.epoch, feed.stats, [...counted.values], answerOf(slate)];
}

async function refusesWithoutEffect(
  call: () => unknown,
  expected: { code: ErrorCode; argument: string; message?: RegExp },
) {
  const before = await view();
  await expectRefusal(call, expected);
  expect(await view()).toEqual(before);
}

function detached(): Float32Array {
  const array = new Float32Array(4);
  structuredClone(array.buffer, { transfer: [array.buffer] });
  return array;
}

const notObjects = [undefined, null, 5, 'text', true, []];

describe('a query', () => {
  test.each(notObjects)('that is %p is refused by rank, rerank and assemble', async (query) => {
    const refused = { code: 'INVALID_ARGUMENT', argument: 'query' } as const;
    await refusesWithoutEffect(() => untyped(feed, 'rank', query), refused);
    await refusesWithoutEffect(() => untyped(feed, 'rerank', query, ['item-1']), refused);
    await refusesWithoutEffect(() => untyped(feed, 'assemble', query, ['item-1']), refused);
  });

  test.each<[string, object, ErrorCode, string]>([
    ['a misspelt field', { usreId: 'a' }, 'INVALID_ARGUMENT', 'query.usreId'],
    ['a user of NaN', { userId: NaN }, 'INVALID_ARGUMENT', 'query.userId'],
    ['an empty user', { userId: '' }, 'INVALID_ARGUMENT', 'query.userId'],
    ['a user of null', { userId: null }, 'INVALID_ARGUMENT', 'query.userId'],
    ['a user of 64 KB', { userId: 'x'.repeat(65536) }, 'INVALID_ARGUMENT', 'query.userId'],
    ['a user with a lone surrogate', { userId: '\ud800' }, 'INVALID_ARGUMENT', 'query.userId'],
    ['now of NaN', { now: NaN }, 'INVALID_ARGUMENT', 'query.now'],
    ['a negative now', { now: -1 }, 'INVALID_ARGUMENT', 'query.now'],
    ['now in text', { now: '2026' }, 'INVALID_ARGUMENT', 'query.now'],
    ['an invalid Date', { now: new Date('x') }, 'INVALID_ARGUMENT', 'query.now'],
    ['a limit of 0', { limit: 0 }, 'INVALID_ARGUMENT', 'query.limit'],
    ['a limit of −1', { limit: -1 }, 'INVALID_ARGUMENT', 'query.limit'],
    ['a limit of 2^31', { limit: 2 ** 31 }, 'INVALID_ARGUMENT', 'query.limit'],
    ['a limit of NaN', { limit: NaN }, 'INVALID_ARGUMENT', 'query.limit'],
    ['an infinite limit', { limit: Infinity }, 'INVALID_ARGUMENT', 'query.limit'],
    ['half an item', { limit: 0.5 }, 'INVALID_ARGUMENT', 'query.limit'],
    ['a context that is a list', { context: [] }, 'INVALID_ARGUMENT', 'query.context'],
    ['a context of NaN', { context: { a: NaN } }, 'INVALID_ARGUMENT', 'query.context.a'],
    ['a context in text', { context: { a: '1' } }, 'INVALID_ARGUMENT', 'query.context.a'],
    ['seen that is text', { seen: 'item-1' }, 'INVALID_ARGUMENT', 'query.seen'],
    ['a hole in seen', { seen: ['item-1', undefined] }, 'INVALID_ARGUMENT', 'query.seen[1]'],
    ['an unknown profile', { profile: 'nobody' }, 'UNKNOWN_PROFILE', 'query.profile'],
    ['a profile that is a number', { profile: 5 }, 'UNKNOWN_PROFILE', 'query.profile'],
    ['a profile of null', { profile: null }, 'INVALID_ARGUMENT', 'query.profile'],
    ['a profile with τ of 0', { profile: { tauMs: 0 } }, 'INVALID_ARGUMENT', 'query.profile.tauMs'],
    [
      'a profile that extends nobody',
      { profile: { extends: 'nobody' } },
      'UNKNOWN_PROFILE',
      'profile.extends',
    ],
    [
      'a quota for nobody',
      { profile: { quotas: { nobody: 1 } } },
      'UNKNOWN_STAGE',
      'profile.quotas.nobody',
    ],
    ['a budget of 0', { budgetMs: 0 }, 'INVALID_ARGUMENT', 'query.budgetMs'],
    ['a negative budget', { budgetMs: -1 }, 'INVALID_ARGUMENT', 'query.budgetMs'],
    ['a budget of NaN', { budgetMs: NaN }, 'INVALID_ARGUMENT', 'query.budgetMs'],
    [
      'a vector that is a list',
      { userVector: [[1, 2, 3, 4]] },
      'INVALID_ARGUMENT',
      'query.userVector',
    ],
    ['a vector of null', { userVector: null }, 'INVALID_ARGUMENT', 'query.userVector'],
    [
      'an unknown space',
      { userVector: { ...vector, space: 'x' } },
      'UNKNOWN_SPACE',
      'query.userVector.space',
    ],
    [
      'no space',
      { userVector: { values: [1, 0, 0, 0] } },
      'UNKNOWN_SPACE',
      'query.userVector.space',
    ],
    [
      'no values',
      { userVector: { space: 'taste' } },
      'INVALID_ARGUMENT',
      'query.userVector.values',
    ],
    [
      'a short vector',
      { userVector: { ...vector, values: [1] } },
      'DIMENSION_MISMATCH',
      'query.userVector.values',
    ],
    [
      'an empty vector',
      { userVector: { ...vector, values: [] } },
      'DIMENSION_MISMATCH',
      'query.userVector.values',
    ],
    [
      'a vector of NaN',
      { userVector: { ...vector, values: [1, 0, NaN, 0] } },
      'INVALID_ARGUMENT',
      'query.userVector.values[2]',
    ],
    [
      'a detached vector',
      { userVector: { ...vector, values: detached() } },
      'INVALID_ARGUMENT',
      'query.userVector.values',
    ],
    [
      'a shared vector',
      { userVector: { ...vector, values: new Float32Array(new SharedArrayBuffer(16)) } },
      'INVALID_ARGUMENT',
      'query.userVector.values',
    ],
    [
      'a bad one of two vectors',
      { userVector: [vector, { ...vector, values: [1] }] },
      'DIMENSION_MISMATCH',
      'query.userVector[1].values',
    ],
  ])('with %s is refused', async (_, wrong, code, argument) => {
    const query = { now, ...wrong };
    await refusesWithoutEffect(() => untyped(feed, 'rank', query), { code, argument });
    await refusesWithoutEffect(() => untyped(feed, 'rerank', query, ['item-1']), {
      code,
      argument,
    });
    await refusesWithoutEffect(() => untyped(feed, 'assemble', query, ['item-1']), {
      code,
      argument,
    });
  });

  test.each(['now', {}, 5, null])('with a signal of %p is refused', async (signal) => {
    await refusesWithoutEffect(() => untyped(feed, 'rank', { now, signal }), {
      code: 'INVALID_ARGUMENT',
      argument: 'query.signal',
    });
  });
});

describe('the ids of rerank and assemble', () => {
  test.each<[string, unknown, ErrorCode, string]>([
    ['nothing', undefined, 'INVALID_ARGUMENT', 'ids'],
    ['text', 'item-1', 'INVALID_ARGUMENT', 'ids'],
    ['a set', new Set(['item-1']), 'INVALID_ARGUMENT', 'ids'],
    ['a number among them', ['item-1', 1], 'INVALID_ARGUMENT', 'ids[1]'],
    ['an id twice', ['item-1', 'item-2', 'item-1'], 'DUPLICATE_ID', 'ids'],
    ['an unknown id twice', ['nobody', 'nobody'], 'DUPLICATE_ID', 'ids'],
  ])('are refused when they are %s', async (_, ids, code, argument) => {
    await refusesWithoutEffect(() => untyped(feed, 'rerank', { now }, ids), { code, argument });
    await refusesWithoutEffect(() => untyped(feed, 'assemble', { now }, ids), { code, argument });
  });

  test('may be none, or all unknown', async () => {
    expect((await feed.rerank({ now }, [])).items).toEqual([]);
    const slate = await feed.rerank({ now }, ['nobody', '__proto__']);
    expect([slate.items, slate.trace.unknownIds]).toEqual([[], 2]);
    const found = await feed.assemble({ now }, ['nobody', 'item-1'], ['age']);
    expect([found.known, found.values[0]]).toEqual([[false, true], 0]);
  });
});

describe('the features of assemble', () => {
  const column = { name: 'x', source: 'column', column: 'quality' };
  test.each<[string, unknown, ErrorCode, string]>([
    ['text', 'age', 'INVALID_ARGUMENT', 'features'],
    ['null', null, 'INVALID_ARGUMENT', 'features'],
    ['an unknown name', ['age', 'agee'], 'UNKNOWN_FEATURE', 'features[1]'],
    ['a hole', [undefined], 'INVALID_ARGUMENT', 'features[0]'],
    ['a definition without a name', [{ source: 'age' }], 'INVALID_ARGUMENT', 'features[0].name'],
    [
      'an unknown source',
      [{ name: 'x', source: 'magic' }],
      'INVALID_ARGUMENT',
      'features[0].source',
    ],
    [
      'an unknown transformation',
      [{ ...column, transformation: 'exp' }],
      'INVALID_ARGUMENT',
      'features[0].transformation',
    ],
    [
      'a reference set that there is not',
      [{ ...column, reference: 'slate' }],
      'INVALID_ARGUMENT',
      'features[0].reference',
    ],
    ['an unknown column', [{ ...column, column: 'x' }], 'UNKNOWN_COLUMN', 'features.x.column'],
    [
      'a column without its name',
      [{ name: 'x', source: 'column' }],
      'INVALID_ARGUMENT',
      'features[0].column',
    ],
    [
      'NaN for what is missing',
      [{ ...column, missing: NaN }],
      'INVALID_ARGUMENT',
      'features[0].missing',
    ],
    [
      'another half-life',
      [{ name: 'x', source: 'clicks', halfLifeMs: 7 }],
      'INVALID_ARGUMENT',
      'features[0].halfLifeMs',
    ],
    [
      'no half-life',
      [{ name: 'x', source: 'clicks' }],
      'INVALID_ARGUMENT',
      'features[0].halfLifeMs',
    ],
    [
      'an unknown space',
      [{ name: 'x', source: 'dot', space: 'x' }],
      'UNKNOWN_SPACE',
      'features.x.space',
    ],
    [
      'a context without its key',
      [{ name: 'x', source: 'context' }],
      'INVALID_ARGUMENT',
      'features[0].key',
    ],
  ])('are refused when they are or hold %s', async (_, features, code, argument) => {
    await refusesWithoutEffect(() => untyped(feed, 'assemble', { now }, ['item-1'], features), {
      code,
      argument,
    });
  });
});

describe('Feed.record', () => {
  const good = { type: 'click', userId: 'u', itemId: 'item-2', at: now };

  test.each([undefined, null, 5, 'text', {}])('refuses %p for events', async (events) => {
    await refusesWithoutEffect(() => untyped(feed, 'record', events, { now }), {
      code: 'INVALID_ARGUMENT',
      argument: 'events',
    });
  });

  test.each([null, 5, 'text', []])('refuses %p for options', async (options) => {
    await refusesWithoutEffect(() => untyped(feed, 'record', [good], options), {
      code: 'INVALID_ARGUMENT',
      argument: 'options',
    });
  });

  test.each<[string, unknown, string]>([
    ['null', null, 'events[1]'],
    ['no type', { type: undefined }, 'events[1].type'],
    ['an empty type', { type: '' }, 'events[1].type'],
    ['a type that is a number', { type: 1 }, 'events[1].type'],
    ['no user', { userId: undefined }, 'events[1].userId'],
    ['a user of 1.5', { userId: 1.5 }, 'events[1].userId'],
    ['no item', { itemId: undefined }, 'events[1].itemId'],
    ['an item of the other kind', { itemId: 2 }, 'events[1].itemId'],
    ['no instant', { at: undefined }, 'events[1].at'],
    ['an instant of NaN', { at: NaN }, 'events[1].at'],
    ['a negative instant', { at: -1 }, 'events[1].at'],
    ['an instant far ahead', { at: now + hour }, 'events[1].at'],
    ['no dwell time', { type: 'dwell' }, 'events[1].dwellMs'],
    ['a negative dwell time', { type: 'dwell', dwellMs: -1 }, 'events[1].dwellMs'],
    ['a dwell time of NaN', { type: 'dwell', dwellMs: NaN }, 'events[1].dwellMs'],
    ['an infinite dwell time', { type: 'dwell', dwellMs: Infinity }, 'events[1].dwellMs'],
    ['an empty event id', { eventId: '' }, 'events[1].eventId'],
    ['an event id that is a number', { eventId: 1 }, 'events[1].eventId'],
    ['an enormous event id', { eventId: 'x'.repeat(257) }, 'events[1].eventId'],
    ['an event id with a lone surrogate', { eventId: '\udfff' }, 'events[1].eventId'],
  ])('refuses a batch with %s as a whole', async (_, wrong, argument) => {
    const second = wrong && typeof wrong === 'object' ? { ...good, ...wrong } : wrong;
    await refusesWithoutEffect(() => untyped(feed, 'record', [good, second, good], { now }), {
      code: 'INVALID_ARGUMENT',
      argument,
    });
  });

  test('refuses a now that is none', async () => {
    await refusesWithoutEffect(() => untyped(feed, 'record', [good], { now: NaN }), {
      code: 'INVALID_ARGUMENT',
      argument: 'now',
    });
  });
});

test.each([undefined, null, NaN, 1.5, '', {}, '\ud800'])('forget refuses %p', async (userId) => {
  await refusesWithoutEffect(() => untyped(feed, 'forget', userId), {
    code: 'INVALID_ARGUMENT',
    argument: 'userId',
  });
});

test('forget lets go of one reader, and 1 is not the reader "1"', async () => {
  const own = await Feed.create({
    catalog,
    generators: [fresh()],
    filters: [seen()],
    ranker: weightedSum({ age: -1 }),
    profile: unhurried,
  });
  const click = (userId: string | number) => ({ type: 'click', userId, itemId: 'item-1', at: now });
  await own.record([click(1), click('1')], { now });
  const sees = async (userId: string | number) =>
    (await own.rank({ now, userId })).items.some((item) => item.id === 'item-1');
  expect([await sees(1), await sees('1'), await sees(2), own.stats.users]).toEqual([
    false,
    false,
    true,
    2,
  ]);
  expect([own.forget(1), own.forget(1), own.forget('nobody')]).toEqual([true, false, false]);
  expect([await sees(1), await sees('1'), own.stats.users]).toEqual([true, false, 1]);
});

describe('Feed.create', () => {
  const good = () => ({ catalog, generators: [fresh()], ranker: weightedSum({ age: 1 }) });

  test.each(notObjects)('refuses %p for options', async (options) => {
    await expectRefusal(() => untyped(Feed, 'create', options), {
      code: 'INVALID_ARGUMENT',
      argument: 'options',
    });
  });

  const own = { name: 'own', filter: () => [] };
  test.each<[string, object, ErrorCode, string | undefined]>([
    ['no catalog', { catalog: undefined }, 'INVALID_ARGUMENT', 'catalog'],
    ['a catalog that is none', { catalog: {} }, 'INVALID_ARGUMENT', 'catalog'],
    ['no ranker', { ranker: undefined }, 'INVALID_ARGUMENT', 'ranker'],
    ['a ranker that is a generator', { ranker: fresh() }, 'INVALID_ARGUMENT', 'ranker'],
    ['a ranker without a method', { ranker: { name: 'x' } }, 'INVALID_ARGUMENT', 'ranker'],
    [
      'a ranker without a name',
      { ranker: { rank: () => ({ scores: [] }) } },
      'INVALID_ARGUMENT',
      'ranker.name',
    ],
    ['generators that are one', { generators: fresh() }, 'INVALID_ARGUMENT', 'generators'],
    [
      'a generator that is nothing',
      { generators: [fresh(), null] },
      'INVALID_ARGUMENT',
      'generators[1]',
    ],
    ['a generator that is a filter', { generators: [seen()] }, 'INVALID_ARGUMENT', 'generators'],
    ['filters that are text', { filters: 'seen' }, 'INVALID_ARGUMENT', 'filters'],
    ['two stages of one name', { filters: [own, own] }, 'INVALID_ARGUMENT', 'stages'],
    [
      'an enricher without columns',
      { enrichers: [{ name: 'x', features: [], enrich: () => [] }] },
      'INVALID_ARGUMENT',
      'enrichers.x.features',
    ],
    [
      'a feature from two sides',
      { enrichers: [{ name: 'x', features: ['age'], enrich: () => [] }, nativeFeatures(['age'])] },
      'INVALID_ARGUMENT',
      'enrichers',
    ],
    [
      'a ranker of an unknown feature',
      { ranker: weightedSum({ agee: 1 }) },
      'UNKNOWN_FEATURE',
      'ranker.weights.agee',
    ],
    [
      'a generator of an unknown space',
      { generators: [decayedDot({ space: 'x' })] },
      'UNKNOWN_SPACE',
      'generators.decayed-dot.space',
    ],
    [
      'a ranker of an unknown space',
      { ranker: decayedDotRanker({ space: 'x' }) },
      'UNKNOWN_SPACE',
      'ranker.decayed-dot-ranker.space',
    ],
    [
      'trending at another half-life',
      { generators: [trending({ halfLifeMs: 7000 })] },
      'INVALID_ARGUMENT',
      'generators.trending.halfLifeMs',
    ],
    ['no half-lives', { halfLivesMs: [] }, 'INVALID_ARGUMENT', 'halfLivesMs'],
    [
      'nine half-lives',
      { halfLivesMs: Array.from({ length: 9 }, (_, i) => 1000 + i) },
      'INVALID_ARGUMENT',
      'halfLivesMs',
    ],
    ['a half-life of 0', { halfLivesMs: [hour, 0] }, 'INVALID_ARGUMENT', 'halfLivesMs[1]'],
    ['a half-life of NaN', { halfLivesMs: [NaN] }, 'INVALID_ARGUMENT', 'halfLivesMs[0]'],
    ['a negative lateness', { latenessMs: -1 }, 'INVALID_ARGUMENT', 'latenessMs'],
    ['no users', { maxUsers: 0 }, 'INVALID_ARGUMENT', 'maxUsers'],
    ['enormously many users', { maxUsers: 2 ** 40 }, 'INVALID_ARGUMENT', 'maxUsers'],
    ['too long a memory', { maxShownPerUser: 2 ** 17 }, 'INVALID_ARGUMENT', 'maxShownPerUser'],
    ['an unknown device', { device: 'tpu' }, 'INVALID_ARGUMENT', 'device'],
    ['a profile that is a number', { profile: 5 }, 'INVALID_ARGUMENT', 'profile'],
    ['profiles that are one', { profiles: { name: 'x' } }, 'INVALID_ARGUMENT', 'profiles'],
    ['a profile that is nothing', { profiles: [null] }, 'INVALID_ARGUMENT', 'profiles[0]'],
  ])('refuses %s', async (_, wrong, code, argument) => {
    await expectRefusal(() => Feed.create({ ...good(), ...wrong }), {
      code,
      ...(argument !== undefined && { argument }),
    });
  });

  test('refuses a catalog that was disposed of', async () => {
    const gone = await makeCatalog([]);
    gone.dispose();
    await expectRefusal(() => Feed.create({ ...good(), catalog: gone }), {
      code: 'DISPOSED',
      argument: 'catalog',
    });
  });
});

describe('Feed.attach', () => {
  const options = () => ({ catalog, ranker: weightedSum({ age: 1 }) });

  test.each<[string, unknown, ErrorCode, string]>([
    ['nothing', undefined, 'INVALID_ARGUMENT', 'handle'],
    ['null', null, 'INVALID_ARGUMENT', 'handle'],
    [
      'the handle of a catalog',
      { kind: 'feedrank-catalog', number: 1 },
      'INVALID_ARGUMENT',
      'handle',
    ],
    [
      'a number in text',
      { kind: 'feedrank-feed', number: '1', halfLivesMs: [hour], latenessMs: 0 },
      'INVALID_ARGUMENT',
      'handle.number',
    ],
    ['a number that nobody has', { kind: 'feedrank-feed', number: 4e6 }, 'DISPOSED', 'handle'],
  ])('refuses %s', async (_, handle, code, argument) => {
    await expectRefusal(() => untyped(Feed, 'attach', handle, options()), { code, argument });
  });

  test.each(notObjects)('refuses %p for options', async (wrong) => {
    await expectRefusal(() => untyped(Feed, 'attach', feed.handle(), wrong), {
      code: 'INVALID_ARGUMENT',
      argument: 'options',
    });
  });

  test('refuses another catalog than the one that the feed counts for', async () => {
    const other = await makeCatalog(items);
    await expectRefusal(() => Feed.attach(feed.handle(), { ...options(), catalog: other }), {
      code: 'INVALID_ARGUMENT',
      argument: 'catalog',
    });
  });

  test('shares counters and readers with the feed that it attaches to', async () => {
    const own = await Feed.create({ ...options(), profile: unhurried });
    const attached = await Feed.attach(structuredClone(own.handle()), options());
    await own.record([{ type: 'click', userId: 'u', itemId: 'item-9', at: now }], { now });
    const { values } = await attached.assemble({ now }, ['item-9'], ['clicks_3h']);
    expect([values[0], attached.stats.users]).toEqual([Math.fround(Math.log1p(1)), 1]);
  });
});

test('a disposed feed is refused by every call, and disposing again does nothing', async () => {
  const own = await Feed.create({
    catalog,
    generators: [fresh()],
    ranker: weightedSum({ age: 1 }),
    profile: unhurried,
  });
  const pending = own.rank({ now });
  await own[Symbol.asyncDispose]();
  own.dispose();
  expect((await pending).items).toHaveLength(30);
  const calls: (() => unknown)[] = [
    () => own.rank({ now }),
    () => own.rerank({ now }, ['item-1']),
    () => own.assemble({ now }, ['item-1']),
    () => own.record([{ type: 'click', userId: 'u', itemId: 'item-1', at: now }], { now }),
    () => own.forget('u'),
    () => own.setProfile({ name: 'x' }),
    () => own.stats,
    () => own.handle(),
  ];
  for (const call of calls) await expectRefusal(call, { code: 'DISPOSED', argument: 'feed' });
});

test('a feed goes on after its catalog object was disposed of', async () => {
  const own = await makeCatalog(items);
  const going = await Feed.create({
    catalog: own,
    generators: [fresh()],
    ranker: weightedSum({ age: 1 }),
    profile: unhurried,
  });
  own.dispose();
  expect((await going.rank({ now })).items).toHaveLength(30);
});

test('await using lets go of feed, catalog and model at the end of the block', async () => {
  let kept: Feed;
  {
    await using ours = await makeCatalog(items);
    await using inner = await Feed.create({ catalog: ours, ranker: weightedSum({ age: 1 }) });
    kept = inner;
    expect(kept.featureNames).toEqual(['age']);
  }
  await expectRefusal(() => kept.rank({ now }), { code: 'DISPOSED', argument: 'feed' });
  await expectRefusal(() => kept.catalog.size, { code: 'DISPOSED', argument: 'catalog' });
});

describe('the makers of stages', () => {
  test.each<[string, () => unknown, string]>([
    ['decayedDot without options', () => untyped({ decayedDot }, 'decayedDot'), 'options'],
    ['decayedDot without a space', () => untyped({ decayedDot }, 'decayedDot', {}), 'space'],
    ['decayedDot without a name', () => decayedDot({ space: 'taste', name: '' }), 'name'],
    ['trending at 0', () => trending({ halfLifeMs: 0 }), 'halfLifeMs'],
    ['trending at NaN', () => trending({ halfLifeMs: NaN }), 'halfLifeMs'],
    ['trending with null', () => untyped({ trending }, 'trending', null), 'options'],
    ['fresh with a number', () => untyped({ fresh }, 'fresh', 5), 'options'],
    ['fresh with a name that is a number', () => untyped({ fresh }, 'fresh', { name: 5 }), 'name'],
    ['seen with null', () => untyped({ seen }, 'seen', null), 'options'],
    ['maximumAge with null', () => untyped({ maximumAge }, 'maximumAge', null), 'options'],
    ['topN with null', () => untyped({ topN }, 'topN', null), 'options'],
    [
      'nativeFeatures of text',
      () => untyped({ nativeFeatures }, 'nativeFeatures', 'age'),
      'features',
    ],
    ['weightedSum of nothing', () => weightedSum({}), 'weights'],
    ['weightedSum of null', () => untyped({ weightedSum }, 'weightedSum', null), 'weights'],
    ['weightedSum with NaN', () => weightedSum({ age: NaN }), 'weights.age'],
    ['weightedSum with infinity', () => weightedSum({ age: Infinity }), 'weights.age'],
    [
      'decayedDotRanker without options',
      () => untyped({ decayedDotRanker }, 'decayedDotRanker'),
      'options',
    ],
    [
      'decayedDotRanker without a space',
      () => untyped({ decayedDotRanker }, 'decayedDotRanker', {}),
      'space',
    ],
    ['torchScript of a path', () => untyped({ torchScript }, 'torchScript', 'model.pt'), 'model'],
  ])('refuse %s', async (_, call, argument) => {
    await expectRefusal(call, { code: 'INVALID_ARGUMENT', argument });
  });
});

test('the largest weights on the largest features give finite scores, and larger ones are refused', async () => {
  const columns = (i: number) => ({
    quality: i % 2 ? 1e300 : -1e300,
    length: i % 3 ? -1e300 : 1e300,
  });
  const big = await makeCatalog(items.map((item, i) => ({ ...item, columns: columns(i) })));
  const wild = await Feed.create({
    catalog: big,
    generators: [fresh()],
    enrichers: [
      nativeFeatures([
        { name: 'up', source: 'column', column: 'quality' },
        { name: 'down', source: 'column', column: 'length' },
      ]),
    ],
    ranker: weightedSum({ up: 1e100, down: -1e100 }),
    profile: unhurried,
  });
  const slate = await wild.rank({ now });
  expect(new Set(slate.items.map((item) => item.id)).size).toBe(30);
  expect(slate.items.filter((item) => !Number.isFinite(item.score))).toEqual([]);
  await expectRefusal(() => weightedSum({ up: 1.1e100 }), {
    code: 'INVALID_ARGUMENT',
    argument: 'weights.up',
  });
  await expectRefusal(() => wild.rank({ now, profile: { headWeights: { score: 1e200 } } }), {
    code: 'INVALID_ARGUMENT',
    argument: 'query.profile.headWeights.score',
  });
});
