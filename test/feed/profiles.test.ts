import {
  decayedDot,
  Feed,
  fresh,
  tauOfHalfLife,
  weightedSum,
  type RankProfile,
  type RankSettings,
} from '../../src';
import { expectRefusal, untyped } from '../support/errors';
import { Lcg } from '../support/random';
import { hour, makeCatalog, makeItems, now, unhurried } from '../support/world';

const items = makeItems(new Lcg(2), 40);

async function makeFeed(profile: RankProfile, profiles: RankProfile[] = []) {
  const seen: RankSettings[] = [];
  const feed = await Feed.create({
    catalog: await makeCatalog(items),
    generators: [decayedDot({ space: 'taste' }), fresh()],
    filters: [
      {
        name: 'look',
        filter: (batch, context) => {
          seen.push(context.settings);
          return batch.ids.map(() => true);
        },
      },
    ],
    ranker: weightedSum({ age: -1 }),
    profile: { ...unhurried, ...profile },
    profiles,
  });
  /** The settings that a query is answered with. */
  const settings = async (query: { profile?: string | RankProfile; budgetMs?: number } = {}) => {
    const slate = await feed.rank({ now, ...query });
    return { ...seen.at(-1)!, answeredAs: slate.profile };
  };
  return { feed, settings };
}

test('what no profile sets has the default of the process', async () => {
  const { settings } = await makeFeed({});
  expect(await settings()).toEqual({
    profile: 'default',
    answeredAs: 'default',
    tauMs: tauOfHalfLife(24 * hour),
    negativeDots: 'decay',
    retrieval: 'exact',
    retrievalEffort: 0.35,
    maxCandidates: 500,
    quotas: {},
    maxAgeMs: Infinity,
    maxAnswerAgeMs: 0,
    seenAfterImpressions: 0,
    limit: 50,
    perAuthor: 0,
    perTopic: 0,
    authorSpacing: 0,
    topicSpacing: 0,
    diversity: 0.3,
    exposure: [],
    maxReports: Infinity,
    maxReportRate: Infinity,
    maxHideRate: Infinity,
    headWeights: {},
    budgetMs: 600_000,
    budgetPercentile: 99,
    stageBudgetMs: Infinity,
  });
  expect(tauOfHalfLife(Math.LN2)).toBe(1);
});

test('a request overrides its profile, a profile what it extends, and that the defaults', async () => {
  const { settings } = await makeFeed({ limit: 7, quotas: { fresh: 3 } }, [
    { name: 'base', ...unhurried, tauMs: hour, limit: 9, quotas: { fresh: 1, 'decayed-dot': 2 } },
    { name: 'middle', extends: 'base', limit: 8, quotas: { fresh: 4 } },
    { name: 'leaf', extends: 'middle', perAuthor: 1 },
  ]);
  expect(await settings({ profile: 'leaf' })).toMatchObject({
    profile: 'leaf',
    answeredAs: 'leaf',
    tauMs: hour,
    limit: 8,
    perAuthor: 1,
    quotas: { fresh: 4, 'decayed-dot': 2 },
  });
  // A named profile that extends nothing starts from the defaults of the process.
  expect(await settings({ profile: 'base' })).toMatchObject({ limit: 9, perAuthor: 0 });
  // Settings on the spot start from the feed's default profile, or from the one that they name.
  expect(await settings({ profile: { perTopic: 2 } })).toMatchObject({
    limit: 7,
    perTopic: 2,
    quotas: { fresh: 3 },
    answeredAs: '(request)',
  });
  expect(await settings({ profile: { extends: 'leaf', tauMs: 5 } })).toMatchObject({
    tauMs: 5,
    limit: 8,
    perAuthor: 1,
  });
  expect(await settings({ profile: 'leaf', budgetMs: 500_000 })).toMatchObject({
    budgetMs: 500_000,
  });
});

test('a limit holds as request over profile', async () => {
  const { feed } = await makeFeed({ limit: 5 }, [{ name: 'short', ...unhurried, limit: 2 }]);
  const length = async (query: object) => (await feed.rank({ now, ...query })).items.length;
  expect(await length({})).toBe(5);
  expect(await length({ profile: 'short' })).toBe(2);
  expect(await length({ profile: 'short', limit: 9 })).toBe(9);
  expect(await length({ limit: 10_000 })).toBe(40);
});

test('a profile set at run time holds for requests that begin afterwards, and for what extends it', async () => {
  const { feed, settings } = await makeFeed({}, [
    { name: 'base', ...unhurried, limit: 9 },
    { name: 'leaf', extends: 'base' },
  ]);
  const before = feed.rank({ now, profile: 'leaf' });
  feed.setProfile({ name: 'base', ...unhurried, limit: 4 });
  expect((await before).items).toHaveLength(9);
  expect(await settings({ profile: 'leaf' })).toMatchObject({ limit: 4 });
  feed.setProfile({ ...unhurried, limit: 3 });
  expect(await settings()).toMatchObject({ limit: 3, answeredAs: 'default' });
  feed.setProfile({ name: 'new', extends: 'leaf', perAuthor: 2 });
  expect(await settings({ profile: 'new' })).toMatchObject({ limit: 4, perAuthor: 2 });
});

const refused: [string, RankProfile, string, string][] = [
  ['a circle', { name: 'base', extends: 'leaf' }, 'INVALID_ARGUMENT', 'profile.extends'],
  ['itself', { name: 'x', extends: 'x' }, 'INVALID_ARGUMENT', 'profile.extends'],
  ['an unknown base', { name: 'x', extends: 'nobody' }, 'UNKNOWN_PROFILE', 'profile.extends'],
  [
    'an unknown generator',
    { name: 'x', quotas: { nobody: 1 } },
    'UNKNOWN_STAGE',
    'profile.quotas.nobody',
  ],
  ['τ of 0', { name: 'x', tauMs: 0 }, 'INVALID_ARGUMENT', 'profile.tauMs'],
  ['a negative τ', { name: 'x', tauMs: -1 }, 'INVALID_ARGUMENT', 'profile.tauMs'],
  ['τ of NaN', { name: 'x', tauMs: NaN }, 'INVALID_ARGUMENT', 'profile.tauMs'],
  ['an infinite τ', { name: 'x', tauMs: Infinity }, 'INVALID_ARGUMENT', 'profile.tauMs'],
  ['a limit of 0', { name: 'x', limit: 0 }, 'INVALID_ARGUMENT', 'profile.limit'],
  ['a limit of 2^31', { name: 'x', limit: 2 ** 31 }, 'INVALID_ARGUMENT', 'profile.limit'],
  [
    'half a candidate',
    { name: 'x', maxCandidates: 0.5 },
    'INVALID_ARGUMENT',
    'profile.maxCandidates',
  ],
  ['a cap of −1', { name: 'x', perAuthor: -1 }, 'INVALID_ARGUMENT', 'profile.perAuthor'],
  ['an enormous cap', { name: 'x', perAuthor: 2 ** 40 }, 'INVALID_ARGUMENT', 'profile.perAuthor'],
  [
    'an enormous topic cap',
    { name: 'x', perTopic: 2 ** 32 },
    'INVALID_ARGUMENT',
    'profile.perTopic',
  ],
  ['no budget', { name: 'x', budgetMs: 0 }, 'INVALID_ARGUMENT', 'profile.budgetMs'],
  [
    'a quota of −1',
    { name: 'x', quotas: { fresh: -1 } },
    'INVALID_ARGUMENT',
    'profile.quotas.fresh',
  ],
  ['a misspelt setting', { name: 'x', tau: 1 } as RankProfile, 'INVALID_ARGUMENT', 'profile.tau'],
  ['an empty name', { name: '' }, 'INVALID_ARGUMENT', 'profile.name'],
  [
    'an unknown way with negatives',
    { name: 'x', negativeDots: 'flip' } as never,
    'INVALID_ARGUMENT',
    'profile.negativeDots',
  ],
];

test.each(refused)(
  'setProfile refuses %s and leaves the profiles as they were',
  async (_, profile, code, argument) => {
    const { feed, settings } = await makeFeed({ limit: 6 }, [
      { name: 'base', ...unhurried, limit: 9 },
      { name: 'leaf', extends: 'base' },
    ]);
    await expectRefusal(() => feed.setProfile(profile), { code: code as never, argument });
    expect(await settings()).toMatchObject({ limit: 6 });
    expect(await settings({ profile: 'leaf' })).toMatchObject({ limit: 9 });
    await expectRefusal(() => feed.rank({ now, profile: 'x' }), { code: 'UNKNOWN_PROFILE' });
  },
);

test.each([null, undefined, 5, 'leaf', []])('setProfile refuses %p', async (value) => {
  const { feed, settings } = await makeFeed({ limit: 6 });
  await expectRefusal(() => untyped(feed, 'setProfile', value), {
    code: 'INVALID_ARGUMENT',
    argument: 'profile',
  });
  expect(await settings()).toMatchObject({ limit: 6 });
});

test('a feed is not made with profiles that it could not answer with', async () => {
  const make = (profiles: RankProfile[], profile: RankProfile = {}) => makeFeed(profile, profiles);
  await expectRefusal(() => make([{ name: 'x', quotas: { nobody: 1 } }]), {
    code: 'UNKNOWN_STAGE',
    argument: 'profile.quotas.nobody',
  });
  await expectRefusal(() => make([], { quotas: { nobody: 1 } }), { code: 'UNKNOWN_STAGE' });
  await expectRefusal(() => make([{ limit: 1 }]), {
    code: 'INVALID_ARGUMENT',
    argument: 'profiles[0].name',
  });
  await expectRefusal(
    () =>
      make([
        { name: 'a', extends: 'b' },
        { name: 'b', extends: 'a' },
      ]),
    { code: 'INVALID_ARGUMENT', argument: 'profile.extends', message: /a → b → a/ },
  );
  await expectRefusal(() => make([{ name: 'a', extends: 'nobody' }]), { code: 'UNKNOWN_PROFILE' });
});

test('names that every object has are names like any other', async () => {
  const catalog = await makeCatalog(items);
  const feed = await Feed.create({
    catalog,
    generators: [fresh({ name: 'constructor' }), decayedDot({ space: 'taste', name: 'toString' })],
    ranker: weightedSum({ age: -1 }),
    profile: { ...unhurried, name: '__proto__', limit: 4 },
  });
  expect((await feed.rank({ now })).items).toHaveLength(4);
  await expectRefusal(() => feed.rank({ now, profile: 'constructor' }), {
    code: 'UNKNOWN_PROFILE',
  });
});
