import fc from 'fast-check';
import {
  blocked,
  eligible,
  Feed,
  fresh,
  maximumAge,
  muted,
  runtimeStatus,
  seen,
  weightedSum,
  type Catalog,
  type FeedOptions,
  type Filter,
  type Query,
  type Slate,
} from '../../src';
import { AnswerCache } from '../../src/feed/answer-cache';
import { expectRefusal, untyped } from '../support/errors';
import { Lcg } from '../support/random';
import { answerOf, hour, makeCatalog, makeItems, now, unhurried } from '../support/world';
import { sumBundle } from './smaller-bundle';

const items = makeItems(new Lcg(51), 120);
const limit = 10;
const profile = { ...unhurried, limit, maxAnswerAgeMs: 1000 };
let catalog: Catalog;

beforeEach(async () => {
  catalog = await makeCatalog(items);
});

async function makeFeed(options: Partial<FeedOptions> = {}): Promise<Feed> {
  return Feed.create({
    catalog,
    generators: [fresh()],
    filters: [seen(), blocked(), muted(), maximumAge(), eligible()],
    ranker: options.bundle === undefined ? byClicks : undefined,
    profile,
    ...options,
  } as FeedOptions);
}

/** What is clicked on comes first, so that an old answer can be told from a new one. */
const byClicks = weightedSum({ clicks_3h: 100, age: -0.01 });
const ann = { userId: 'ann', now };

/** Resolves when rankings that nobody waits for have been computed. */
async function settled(): Promise<void> {
  do {
    await new Promise((resolve) => setTimeout(resolve, 20));
  } while (runtimeStatus().queued > 0);
}

/** Asks again until the answer is a newer one: who waits for a thread comes before it. */
async function refreshed(feed: Feed, query: Query, stale: Slate): Promise<Slate> {
  for (let i = 0; i < 500; i++) {
    const slate = await feed.rank(query);
    if (slate.now !== stale.now || slate.epoch !== stale.epoch) return slate;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error('the answer was never computed anew');
}

test('the last ranking answers until it is too old, and says how old it is', async () => {
  const feed = await makeFeed();
  const first = await feed.rank(ann);
  expect(first.answerAgeMs).toBeUndefined();
  const later = await feed.rank({ ...ann, now: now + 400 });
  expect(later.answerAgeMs).toBe(400);
  expect(later.now).toBe(now);
  expect(answerOf(later)).toEqual(answerOf(first));
  const json = (slate: Slate) => JSON.parse(JSON.stringify(slate)) as object;
  expect(json(later)).toEqual({ ...json(first), answerAgeMs: 400 });
  const newer = await refreshed(feed, { ...ann, now: now + 500 }, first);
  expect(newer.now).toBeGreaterThan(now);
  await settled();
  const tooOld = await feed.rank({ ...ann, now: now + 5000 });
  expect(tooOld.answerAgeMs).toBeUndefined();
  // Nor does a ranking answer for an instant before its own.
  expect((await feed.rank({ ...ann, now: now + 4999 })).answerAgeMs).toBeUndefined();
});

test('a slate may be taken apart by its caller', async () => {
  const feed = await makeFeed();
  const first = await feed.rank(ann);
  const expected = JSON.stringify(first.items);
  untyped(first.items, 'reverse');
  const again = await feed.rank(ann);
  expect(again.answerAgeMs).toBe(0);
  expect(JSON.stringify(again.items)).toBe(expected);
});

test('what was recorded meanwhile is in the next answer but one', async () => {
  const feed = await makeFeed();
  const first = await feed.rank(ann);
  const clicked = items.find(({ id }) => !first.items.some((item) => item.id === id))!;
  const click = { type: 'click', userId: 'bob', itemId: clicked.id, at: now } as const;
  await feed.record([click], { now });
  expect((await feed.rank({ ...ann, now: now + 1 })).items[0]!.id).toBe(first.items[0]!.id);
  const next = await refreshed(feed, { ...ann, now: now + 2 }, first);
  expect(next.items[0]!.id).toBe(clicked.id);
});

test.each<[string, Query, boolean]>([
  ['another reader', { userId: 'bob' }, false],
  ['nobody', { userId: undefined } as never, false],
  ['another limit', { limit: 5 }, false],
  ['another profile', { profile: 'other' }, false],
  ['settings of its own', { profile: { tauMs: 7 } }, false],
  ['another context', { context: { hour: 3 } }, false],
  ['another place', { segments: { device: 'phone' } }, false],
  ['another page', { currentItemId: 'item-5' }, false],
  ['another seed', { seed: 5 }, false],
  ['a request for explanations', { explain: true }, false],
  ['another budget', { budgetMs: 500_000 }, true],
  ['other follows', { follows: { authors: ['author-1'] } }, true],
  ['a block of nobody', { blocked: { authors: ['nobody'] } }, true],
])('%s is answered by what fits it', async (_, query, repeats) => {
  const feed = await makeFeed({
    profiles: [{ ...profile, name: 'other' }],
    segments: { device: ['phone', 'desk'] },
  });
  await feed.rank(ann);
  const slate = await feed.rank({ ...ann, ...query });
  expect(slate.answerAgeMs).toBe(repeats ? 0 : undefined);
  if (query.userId !== undefined || !('userId' in query)) {
    expect((await feed.rank({ ...ann, ...query })).answerAgeMs).toBe(0);
  }
  expect((await feed.rank(ann)).answerAgeMs).toBe(0);
});

test('rerank, and a profile that does not say so, compute every answer', async () => {
  const feed = await makeFeed({ profiles: [{ ...unhurried, name: 'plain' }] });
  for (let i = 0; i < 3; i++) {
    expect((await feed.rank({ ...ann, profile: 'plain' })).answerAgeMs).toBeUndefined();
    expect((await feed.rerank(ann, ['item-1'])).answerAgeMs).toBeUndefined();
  }
});

describe('an item of the last ranking is not shown again', () => {
  const cases: [string, (feed: Feed, id: string) => Promise<unknown>, (id: string) => Query][] = [
    ['that left the catalog', (_, id) => catalog.remove([id]), () => ({})],
    [
      'whose author is blocked now',
      async () => undefined,
      (id) => ({ blocked: { authors: [items.find((item) => item.id === id)!.author] } }),
    ],
    [
      'whose author is muted now',
      async () => undefined,
      (id) => ({ muted: { authors: [items.find((item) => item.id === id)!.author] } }),
    ],
    [
      'that came to be by a blocked author',
      (_, id) => catalog.upsert([{ ...items.find((item) => item.id === id)!, author: 'troll' }]),
      () => ({ blocked: { authors: ['troll'] } }),
    ],
    ['that the query knows as seen', async () => undefined, (id) => ({ seen: [id] })],
    [
      'that was read',
      (feed, itemId) => feed.record([{ type: 'click', userId: 'ann', itemId, at: now }], { now }),
      () => ({}),
    ],
    [
      'that was hidden',
      (feed, itemId) => feed.record([{ type: 'hide', userId: 'ann', itemId, at: now }], { now }),
      () => ({}),
    ],
    [
      'that was shown often enough',
      (feed, itemId) =>
        feed.record([{ type: 'impression', userId: 'ann', itemId, at: now }], { now }),
      () => ({}),
    ],
    [
      'that others report',
      (feed, itemId) => feed.record([{ type: 'report', userId: 'bob', itemId, at: now }], { now }),
      () => ({}),
    ],
  ];

  test.each(cases)('%s', async (_, happens, query) => {
    const feed = await makeFeed({
      profile: { ...profile, seenAfterImpressions: 1, maxReports: 0.5 },
    });
    const first = await feed.rank(ann);
    const id = first.items[3]!.id as string;
    expect((await feed.rank(ann)).items.map((item) => item.id)).toContain(id);
    await settled();
    await happens(feed, id);
    const slate = await feed.rank({ ...ann, ...query(id) });
    expect(slate.answerAgeMs).toBeUndefined();
    expect(slate.items).toHaveLength(limit);
    expect(slate.items.map((item) => item.id)).not.toContain(id);
    // It is the new one that answers from then on.
    const next = await feed.rank({ ...ann, ...query(id) });
    expect(next.answerAgeMs).toBe(0);
    expect(next.items.map((item) => item.id)).not.toContain(id);
  });

  test('that has grown too old', async () => {
    const feed = await makeFeed({
      // The oldest first.
      ranker: weightedSum({ age: 1 }),
      profile: { ...profile, maxAnswerAgeMs: 24 * hour, maxAgeMs: 6 * hour },
    });
    const oldest = ({ items: [first] }: Slate) =>
      items.find(({ id }) => id === first!.id)!.publishTime;
    expect(oldest(await feed.rank(ann))).toBe(now - 6 * hour);
    const later = await feed.rank({ ...ann, now: now + hour });
    expect(later.answerAgeMs).toBeUndefined();
    expect(oldest(later)).toBe(now - 5 * hour);
  });
});

test('a filter of your own that fails closed is asked every time', async () => {
  let asked = 0;
  const own = (failClosed: boolean): Filter => ({
    name: 'own',
    failClosed,
    filter: ({ ids }) => {
      asked += 1;
      return ids.map(() => true);
    },
  });
  const closed = await makeFeed({ filters: [own(true)] });
  for (let i = 0; i < 3; i++) expect((await closed.rank(ann)).answerAgeMs).toBeUndefined();
  expect(asked).toBe(3);
  const open = await makeFeed({ filters: [own(false)] });
  await open.rank(ann);
  expect((await open.rank(ann)).answerAgeMs).toBe(0);
});

test('one ranking a reader is computed at a time', async () => {
  let running = 0;
  let most = 0;
  let computed = 0;
  const slow: Filter = {
    name: 'slow',
    filter: async ({ ids }) => {
      most = Math.max(most, ++running);
      computed += 1;
      await new Promise((resolve) => setTimeout(resolve, 20));
      running -= 1;
      return ids.map(() => true);
    },
  };
  const feed = await makeFeed({ filters: [slow] });
  await feed.rank(ann);
  for (let i = 0; i < 20; i++) expect((await feed.rank(ann)).answerAgeMs).toBe(0);
  await settled();
  expect(most).toBe(1);
  expect(computed).toBeGreaterThanOrEqual(1);
  expect(computed).toBeLessThanOrEqual(3);
});

test('a ranking that fails off the critical path leaves the last one, until that is too old', async () => {
  let fails = false;
  const generator = {
    name: 'own',
    failClosed: true,
    generate: () => {
      if (fails) throw new Error('out of order');
      return { ids: items.map(({ id }) => id) };
    },
  };
  const feed = await makeFeed({ generators: [generator] });
  await feed.rank(ann);
  fails = true;
  for (let i = 0; i < 3; i++) {
    expect((await feed.rank({ ...ann, now: now + 500 })).answerAgeMs).toBe(500);
    await settled();
  }
  await expectRefusal(() => feed.rank({ ...ann, now: now + 1001 }), { code: 'STAGE_FAILED' });
});

test('forget, setProfile and a swap drop rankings, those on their way among them', async () => {
  const bundle = await sumBundle({ quality: 1 });
  const feed = await makeFeed({ bundle });
  const drops: [string, () => unknown][] = [
    ['forget', () => feed.forget('ann')],
    ['setProfile', () => feed.setProfile(profile)],
    ['swapBundle', () => feed.swapBundle(bundle)],
  ];
  for (const [, drop] of drops) {
    await feed.rank(ann);
    expect((await feed.rank(ann)).answerAgeMs).toBe(0);
    await drop();
    expect((await feed.rank(ann)).answerAgeMs).toBeUndefined();
    await settled();
    // A ranking that began before is not kept.
    const begun = feed.rank({ ...ann, now: now + 100_000 });
    await drop();
    await begun;
    await settled();
    expect((await feed.rank({ ...ann, now: now + 100_000 })).answerAgeMs).toBeUndefined();
    feed.forget('ann');
  }
  // Others stay where one reader is forgotten.
  await feed.rank({ ...ann, userId: 'bob' });
  feed.forget('ann');
  expect((await feed.rank({ ...ann, userId: 'bob' })).answerAgeMs).toBe(0);
});

test('slices count what was shown, and not what was computed', async () => {
  const feed = await makeFeed();
  await feed.rank(ann);
  const { exposure, meanScore } = feed.slices({ now }).all;
  expect(exposure).toBeGreaterThan(0);
  for (let i = 0; i < 4; i++) {
    expect((await feed.rank(ann)).answerAgeMs).toBe(0);
    await settled();
  }
  const five = feed.slices({ now }).all;
  expect(five.exposure).toBeCloseTo(5 * exposure, 9);
  expect(five.meanScore).toBeCloseTo(meanScore!, 9);
});

test.each([
  ['maxAnswerItems', { maxAnswerItems: 0 }],
  ['profile.maxAnswerAgeMs', { profile: { maxAnswerAgeMs: -1 } }],
  ['profile.maxAnswerAgeMs', { profile: { maxAnswerAgeMs: Infinity } }],
] as const)('%s out of range is refused', async (argument, options) => {
  await expectRefusal(() => makeFeed(options), {
    code: 'INVALID_ARGUMENT',
    argument,
  });
});

test('a caller who has given up is not answered from the cache either', async () => {
  const feed = await makeFeed();
  await feed.rank(ann);
  await expectRefusal(() => feed.rank({ ...ann, signal: AbortSignal.abort() }), {
    code: 'ABORTED',
  });
});

test('the cache holds as many items as it may, the latest used, and forgets whole readers', () => {
  const answer = (at: number, size: number) =>
    ({ native: { ids: new Array<string>(size).fill('x') }, now: at }) as never;
  fc.assert(
    fc.property(
      fc.array(
        fc.record({
          what: fc.constantFrom('store', 'find', 'forget', 'clear'),
          user: fc.constantFrom<string | number>('a', 'b', 1, '1'),
          place: fc.integer({ min: 0, max: 3 }),
          size: fc.integer({ min: 0, max: 12 }),
        }),
        { maxLength: 60 },
      ),
      (steps) => {
        const most = 20;
        const cache = new AnswerCache(most);
        // Least recently used first.
        let model: { key: string; user: string | number; size: number }[] = [];
        for (const { what, user, place, size } of steps) {
          const key = JSON.stringify([user, place]);
          const known = model.find((entry) => entry.key === key);
          if (what === 'store') {
            cache.store(cache.ticket, user, key, answer(0, size));
            model = [...model.filter((entry) => entry !== known), { key, user, size: size + 1 }];
            while (model.reduce((sum, entry) => sum + entry.size, 0) > most) model.shift();
          } else if (what === 'find') {
            expect(cache.find(key, 0, 1) !== undefined).toBe(known !== undefined);
            if (known) model = [...model.filter((entry) => entry !== known), known];
          } else if (what === 'forget') {
            cache.forget(user);
            model = model.filter((entry) => entry.user !== user);
          } else {
            cache.clear();
            model = [];
          }
        }
        const keys = ['a', 'b', 1, '1'].flatMap((user) =>
          [0, 1, 2, 3].map((place) => JSON.stringify([user, place])),
        );
        expect(keys.filter((key) => cache.find(key, 0, 1) !== undefined).sort()).toEqual(
          model.map(({ key }) => key).sort(),
        );
      },
    ),
  );
});
