import {
  blocked,
  Catalog,
  coRead,
  eligible,
  Feed,
  followed,
  fresh,
  maximumAge,
  muted,
  seen,
  topN,
  trending,
  weightedSum,
  where,
  type Condition,
  type ErrorCode,
  type FeedStages,
} from '../../src';
import { expectRefusal, refusal } from '../support/errors';
import { hour, now, unhurried } from '../support/world';

let catalog: Catalog;

beforeAll(async () => {
  catalog = await Catalog.create({ ids: 'string', columns: ['words'], labels: ['desk'] });
  await catalog.upsert(
    Array.from({ length: 6 }, (_, i) => ({
      id: `item-${i}`,
      publishTime: now - i * hour,
      author: `author-${i % 3}`,
      columns: { words: i },
      labels: { desk: i === 0 ? 'sales' : 'news' },
    })),
  );
});

const ranker = weightedSum({ age: -1 });
const segments = { device: ['desktop', 'mobile'] };

const create = (stages: Partial<FeedStages>) =>
  Feed.create({ catalog, ranker, segments, profile: unhurried, generators: [fresh()], ...stages });

describe('options of generators and filters', () => {
  test.each<[string, () => unknown, string]>([
    ['a number for options', () => trending(5 as never), 'options'],
    ['an empty name', () => followed({ name: '' }), 'name'],
    ['a failClosed that is text', () => blocked({ failClosed: 'no' as never }), 'failClosed'],
    ['a half-life of 0', () => trending({ halfLifeMs: 0 }), 'halfLifeMs'],
    ['an unknown counter', () => trending({ counter: 'reports' as never }), 'counter'],
    [
      'a counter that segments do not have',
      () => trending({ counter: 'dwells', segment: 'device' }),
      'counter',
    ],
    ['a segment that is no name', () => trending({ segment: 5 as never }), 'segment'],
    ['a column that is no name', () => eligible({ column: '' }), 'column'],
    ['a label that is a name alone', () => eligible({ label: 'desk' as never }), 'label'],
    [
      'a label without values',
      () => eligible({ label: { name: 'desk', notEligible: [] } }),
      'label.notEligible',
    ],
  ])('are refused when they are or hold %s', async (_, make, argument) => {
    await expectRefusal(make, { code: 'INVALID_ARGUMENT', argument });
  });
});

describe('conditions', () => {
  const at = 'conditions[0]';
  test.each<[string, unknown, string]>([
    ['no array', { column: 'words', atLeast: 1 }, 'conditions'],
    ['none', [], 'conditions'],
    ['too many', Array.from({ length: 101 }, () => ({ column: 'words', equals: 1 })), 'conditions'],
    ['null', [null], at],
    ['of nothing', [{ atLeast: 1 }], at],
    ['of two things', [{ column: 'words', label: 'desk', atLeast: 1 }], at],
    ['a misspelt bound', [{ column: 'words', atleast: 1 }], `${at}.atleast`],
    ['without a bound', [{ column: 'words' }], at],
    ['a bound of NaN', [{ column: 'words', atLeast: NaN }], `${at}.atLeast`],
    ['an infinite bound', [{ column: 'words', atMost: Infinity }], `${at}.atMost`],
    ['a bound in text', [{ column: 'words', equals: '1' }], `${at}.equals`],
    ['bounds that cross', [{ column: 'words', atLeast: 2, atMost: 1 }], `${at}.atLeast`],
    ['equals beside a bound', [{ column: 'words', equals: 2, atMost: 3 }], `${at}.equals`],
    ['missing of another kind', [{ column: 'words', equals: 2, missing: 1 }], `${at}.missing`],
    ['a column with names', [{ column: 'words', isOneOf: ['a'] }], `${at}.isOneOf`],
    ['no names', [{ label: 'desk', isOneOf: [] }], `${at}.isOneOf`],
    ['names in text', [{ label: 'desk', isOneOf: 'news' }], `${at}.isOneOf`],
    ['an empty name', [{ by: 'author', isNoneOf: ['a', ''] }], `${at}.isNoneOf[1]`],
    ['both kinds of names', [{ by: 'topics', isOneOf: ['a'], isNoneOf: ['b'] }], at],
    ['neither kind of names', [{ by: 'topics' }], at],
    ['by something else', [{ by: 'topic', isOneOf: ['a'] }], `${at}.by`],
    [
      'bounds that exclude one another',
      [
        { column: 'words', atLeast: 5 },
        { label: 'desk', isOneOf: ['news'] },
        { column: 'words', equals: 4 },
      ],
      'conditions[2]',
    ],
  ])('are refused when they are or hold %s', async (_, conditions, argument) => {
    await expectRefusal(() => where(conditions as Condition[]), {
      code: 'INVALID_ARGUMENT',
      argument,
    });
  });

  test('that are changed afterwards are what they were', async () => {
    const names = ['news'];
    const filter = where([{ label: 'desk', isOneOf: names }]);
    names[0] = 'sales';
    const feed = await create({ filters: [filter] });
    expect((await feed.rank({ now })).items).toHaveLength(5);
  });
});

describe('a feed', () => {
  const of = (...conditions: Condition[]) => ({ filters: [where(conditions)] });
  test.each<[string, Partial<FeedStages>, ErrorCode, string]>([
    [
      'an unknown column',
      of({ column: 'words', atLeast: 1 }, { column: 'word', atLeast: 1 }),
      'UNKNOWN_COLUMN',
      'filters.where.conditions[1].column',
    ],
    [
      'an unknown label',
      of({ label: 'constructor', isOneOf: ['news'] }),
      'UNKNOWN_GROUP',
      'filters.where.conditions[0].label',
    ],
    [
      'an unknown mark',
      { filters: [eligible({ column: 'mark' })] },
      'UNKNOWN_COLUMN',
      'filters.eligible.column',
    ],
    [
      'an unknown label of marks',
      { filters: [eligible({ label: { name: 'mark', notEligible: ['x'] } })] },
      'UNKNOWN_GROUP',
      'filters.eligible.label',
    ],
    [
      'an unknown segment',
      { generators: [trending({ segment: 'surface' })] },
      'UNKNOWN_SEGMENT',
      'generators.trending.segment',
    ],
    [
      'a half-life that segments do not have',
      { generators: [trending({ segment: 'device', halfLifeMs: 3 * hour })] },
      'INVALID_ARGUMENT',
      'generators.trending.halfLifeMs',
    ],
    ['two stages of one name', { generators: [coRead(), coRead()] }, 'INVALID_ARGUMENT', 'stages'],
    ['a generator for a filter', { filters: [fresh() as never] }, 'INVALID_ARGUMENT', 'filters'],
  ])('with %s is refused', async (_, stages, code, argument) => {
    await expectRefusal(() => create(stages), { code, argument });
  });

  test.each([{ maxReports: -1 }, { maxReportRate: NaN }, { maxHideRate: '0.1' }, { maxHides: 1 }])(
    'refuses a profile of %p and keeps the one it had',
    async (profile) => {
      const feed = await create({ filters: [eligible()] });
      await expectRefusal(() => feed.setProfile(profile as never), {
        code: 'INVALID_ARGUMENT',
        argument: `profile.${Object.keys(profile)[0]}`,
      });
      expect((await feed.rank({ now })).items).toHaveLength(6);
    },
  );

  test('with every native stage and nothing to go by answers with what is fresh', async () => {
    const feed = await create({
      generators: [
        fresh(),
        trending({ name: 'here', segment: 'device' }),
        trending(),
        followed(),
        coRead(),
      ],
      filters: [seen(), maximumAge(), blocked(), muted(), eligible()],
      selector: topN(),
    });
    const slate = await feed.rank({ now, userId: 'stranger', currentItemId: 'no item' });
    expect(slate.items).toHaveLength(6);
    expect(slate.degraded).toEqual([]);
    const skipped = slate.trace.stages.flatMap(({ name, skipped: why }) =>
      why ? [[name, why]] : [],
    );
    expect(skipped).toEqual([
      ['here', 'no segment value'],
      ['followed', 'nothing followed'],
      ['co-read', 'nothing read'],
    ]);
    expect(slate.trace.nativeCalls).toBe(1);
  });
});

describe('stages that do not do their part', () => {
  test('a generator that never answers is left behind at its deadline, and told so', async () => {
    let told: unknown;
    const never = {
      name: 'never',
      generate: ({ signal }: { signal: AbortSignal }) => {
        signal.addEventListener('abort', () => (told = signal.reason as unknown));
        return new Promise<never>(() => undefined);
      },
    };
    const profile = { ...unhurried, stageBudgetMs: 20 };
    const feed = await create({ generators: [never, fresh()] });
    feed.setProfile(profile);
    const slate = await feed.rank({ now });
    expect(slate.items).toHaveLength(6);
    expect(slate.degraded).toEqual([{ stage: 'never', reason: 'deadline' }]);
    expect(told).toBeDefined();
    const closed = await create({ generators: [{ ...never, failClosed: true }, fresh()] });
    closed.setProfile(profile);
    expect(await refusal(() => closed.rank({ now }))).toMatchObject({
      code: 'STAGE_FAILED',
      argument: 'never',
    });
  });

  test('a filter that never answers is passed over, or fails the request', async () => {
    const never = { name: 'never', filter: () => new Promise<never>(() => undefined) };
    const profile = { ...unhurried, stageBudgetMs: 20 };
    const feed = await create({ filters: [never, where([{ column: 'words', atLeast: 3 }])] });
    feed.setProfile(profile);
    const slate = await feed.rank({ now });
    expect(slate.items).toHaveLength(3);
    expect(slate.degraded).toEqual([{ stage: 'never', reason: 'deadline' }]);
    const closed = await create({ filters: [{ ...never, failClosed: true }] });
    closed.setProfile(profile);
    expect(await refusal(() => closed.rank({ now }))).toMatchObject({
      code: 'STAGE_FAILED',
      argument: 'never',
    });
  });

  test('filters that drop everything, native or not, give an empty slate, and the trace says who', async () => {
    const all = { name: 'all', filter: (batch: { size: number }) => new Uint8Array(batch.size) };
    for (const filter of [where([{ column: 'words', atLeast: 99 }], { name: 'all' }), all]) {
      const feed = await create({ filters: [filter, seen()] });
      const slate = await feed.rank({ now });
      expect(slate.items).toEqual([]);
      expect(slate.degraded).toEqual([]);
      const counts = slate.trace.stages.map(({ name, in: before, out }) => [name, before, out]);
      expect(counts).toContainEqual(['all', 6, 0]);
      expect(counts).toContainEqual(['seen', 0, 0]);
    }
  });
});
