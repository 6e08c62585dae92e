import fc from 'fast-check';
import {
  decayedDot,
  Feed,
  fresh,
  maximumAge,
  nativeFeatures,
  seen,
  topN,
  trending,
  weightedSum,
  type CandidateBatch,
  type CandidateGenerator,
  type Catalog,
  type FeatureEnricher,
  type FeedStages,
  type FeedEvent,
  type Filter,
  type Query,
  type Ranker,
  type RankProfile,
  type Selector,
  type StageContext,
} from '../../src';
import { compareTies, decayedScore, dot, eventWeight } from '../support/oracle';
import { Lcg } from '../support/random';
import {
  answerOf,
  hour,
  makeCatalog,
  makeItems,
  now,
  unhurried,
  type WorldItem,
} from '../support/world';

const halfLifeMs = 3 * hour;
const columns = [
  { name: 'quality', source: 'column', column: 'quality' },
  { name: 'length', source: 'column', column: 'length', transformation: 'log1p' },
] as const;
const weights = { quality: 2, length: 0.5, age: -0.125, affinity: 1 };

/** What a service would know when it writes every stage by itself. */
interface World {
  readonly items: readonly WorldItem[];
  readonly events: readonly FeedEvent[];
}

function best(
  found: readonly { item: WorldItem; score: number }[],
  name: string,
  context: StageContext,
) {
  const { settings } = context;
  const sorted = [...found]
    .sort((a, b) => b.score - a.score || compareTies(a.item, b.item))
    .slice(0, settings.quotas[name] ?? settings.maxCandidates);
  return { ids: sorted.map(({ item }) => item.id), scores: sorted.map(({ score }) => score) };
}

function ownDecayedDot({ items }: World): CandidateGenerator {
  return {
    name: 'decayed-dot',
    generate: (context) => {
      const users = context.userVectors.flatMap(({ values }) =>
        Array.from({ length: values.length / 4 }, (_, u) =>
          Array.from({ length: 4 }, (_, d) => values[u * 4 + d]!),
        ),
      );
      if (users.length === 0) return { ids: [] };
      const { tauMs, negativeDots } = context.settings;
      const scored = items.map((item) => {
        const scores = users.map((user) =>
          decayedScore(
            dot(user, item.embeddings.taste),
            item.publishTime,
            context.now,
            tauMs,
            negativeDots,
          ),
        );
        return { item, score: Math.max(...scores) };
      });
      const kept = scored.filter(({ score }) => negativeDots !== 'drop' || score >= 0);
      return best(kept, 'decayed-dot', context);
    },
  };
}

function ownTrending({ items, events }: World): CandidateGenerator {
  return {
    name: 'trending',
    generate: async (context) => {
      await Promise.resolve();
      const scored = items.map((item) => ({
        item,
        score: events
          .filter((event) => event.itemId === item.id && event.type === 'click')
          .reduce((sum, event) => sum + eventWeight(Number(event.at), context.now, halfLifeMs), 0),
      }));
      return best(
        scored.filter(({ score }) => score > 0),
        'trending',
        context,
      );
    },
  };
}

function ownFresh({ items }: World): CandidateGenerator {
  return {
    name: 'fresh',
    generate: (context) =>
      best(
        items.map((item) => ({ item, score: item.publishTime })),
        'fresh',
        context,
      ),
  };
}

function ownSeen({ events }: World): Filter {
  return {
    name: 'seen',
    filter: (batch, context) => {
      const own = events.filter((event) => event.userId === context.userId);
      const read = own.filter((event) => event.type !== 'impression').map((event) => event.itemId);
      const bound = context.settings.seenAfterImpressions || Infinity;
      const shown = (id: unknown) =>
        own.filter((event) => event.type === 'impression' && event.itemId === id).length;
      const known = new Set([...context.seen, ...read]);
      return batch.ids.map((id) => !known.has(id) && shown(id) < bound);
    },
  };
}

const ownMaximumAge: Filter = {
  name: 'maximum-age',
  filter: (batch, context) =>
    Uint8Array.from(batch.publishTimes, (at) =>
      context.now - at <= context.settings.maxAgeMs ? 1 : 0,
    ),
};

function ownColumns({ items }: World): FeatureEnricher {
  const byId = new Map(items.map((item) => [item.id, item]));
  return {
    name: 'features',
    features: ['quality', 'length'],
    enrich: (batch) =>
      batch.ids.flatMap((id) => {
        const { quality, length } = byId.get(id as string)!.columns;
        return [quality, Math.sign(length) * Math.log1p(Math.abs(length))];
      }),
  };
}

const column = (batch: CandidateBatch, name: string) => {
  const c = batch.featureNames.indexOf(name);
  const width = batch.featureNames.length;
  return Array.from({ length: batch.size }, (_, i) => batch.features[i * width + c]!);
};

const ownWeightedSum: Ranker = {
  name: 'weighted-sum',
  rank: (batch) => {
    const scores = new Float64Array(batch.size);
    const terms: Record<string, number[]> = {};
    for (const [name, weight] of Object.entries(weights)) {
      terms[name] = column(batch, name).map((value) => weight * value);
      terms[name].forEach((term, i) => (scores[i]! += term));
    }
    return { scores, terms };
  },
};

const ownTopN: Selector = {
  name: 'top-n',
  select: (batch, context) => {
    const { perAuthor, perTopic } = context.settings;
    const item = (i: number) => ({ id: batch.ids[i]!, publishTime: batch.publishTimes[i]! });
    const order = Array.from(batch.scores.keys()).sort(
      (a, b) => batch.scores[b]! - batch.scores[a]! || compareTies(item(a), item(b)),
    );
    const counts = new Map<string, number>();
    const taken: number[] = [];
    for (const i of order) {
      if (taken.length === context.limit) break;
      const author = batch.authors[i] === undefined ? [] : [`author ${batch.authors[i]}`];
      const topics = batch.topics[i]!.map((topic) => `topic ${topic}`);
      const full = (names: string[], cap: number) =>
        cap > 0 && names.some((name) => (counts.get(name) ?? 0) >= cap);
      if (full(author, perAuthor) || full(topics, perTopic)) continue;
      for (const name of [...author, ...topics]) counts.set(name, (counts.get(name) ?? 0) + 1);
      taken.push(i);
    }
    return taken;
  },
};

function nativeStages(): Required<FeedStages> {
  return {
    generators: [decayedDot({ space: 'taste' }), trending({ halfLifeMs }), fresh()],
    filters: [seen(), maximumAge()],
    enrichers: [
      nativeFeatures(['age', { name: 'affinity', source: 'dot', space: 'taste' }, ...columns]),
    ],
    ranker: weightedSum(weights),
    selector: topN(),
  };
}

/** The native stages, with one of them (or all) written in TypeScript. */
function swaps(world: World): [string, FeedStages][] {
  const native = nativeStages();
  const [dots, trend, newest] = native.generators;
  const own = {
    generators: [ownDecayedDot(world), ownTrending(world), ownFresh(world)] as const,
    filters: [ownSeen(world), ownMaximumAge] as const,
    // The columns come from TypeScript; age and affinity still from the native core.
    enrichers: [
      ownColumns(world),
      nativeFeatures(['age', { name: 'affinity', source: 'dot', space: 'taste' }], {
        name: 'more features',
      }),
    ] as const,
  };
  return [
    ['decayed dot', { ...native, generators: [own.generators[0], trend!, newest!] }],
    ['trending', { ...native, generators: [dots!, own.generators[1], newest!] }],
    ['fresh', { ...native, generators: [dots!, trend!, own.generators[2]] }],
    ['seen', { ...native, filters: [own.filters[0], native.filters[1]!] }],
    ['maximum age', { ...native, filters: [native.filters[0]!, own.filters[1]] }],
    ['enricher', { ...native, enrichers: own.enrichers }],
    ['ranker', { ...native, ranker: ownWeightedSum }],
    ['selector', { ...native, selector: ownTopN }],
    ['everything', { ...own, ranker: ownWeightedSum, selector: ownTopN }],
  ];
}

function randomEvents(random: Lcg, items: readonly WorldItem[]): FeedEvent[] {
  // All at one instant an item, so that its decayed sum is one weight times a count, and equal
  // counts at equal instants tie exactly in any order of summation.
  return items.slice(0, 30).flatMap((item) => {
    const at = now - random.below(3) * 100_000;
    return Array.from({ length: random.below(5) }, () => ({
      type: random.pick(['click', 'impression', 'dwell']),
      userId: random.pick(['ann', 'bob']),
      itemId: item.id,
      at,
      dwellMs: 1000,
    }));
  });
}

function randomQuery(random: Lcg): Query {
  const vectors = random.below(3);
  return {
    userId: random.pick(['ann', 'bob', 'eve']),
    ...(vectors > 0 && { userVector: { space: 'taste', values: random.floats(4 * vectors) } }),
    now: now + random.below(2) * hour,
    limit: 1 + random.below(40),
    seen: Array.from({ length: random.below(6) }, () => `item-${random.below(90)}`),
  };
}

function randomProfile(random: Lcg): RankProfile {
  return {
    ...unhurried,
    tauMs: random.pick([hour, 24 * hour, 1e15]),
    negativeDots: random.pick(['decay', 'keep', 'drop']),
    maxCandidates: random.pick([1, 7, 40, 500]),
    quotas: { fresh: random.below(20), trending: random.below(20) },
    maxAgeMs: random.pick([4 * hour, 11 * hour]),
    seenAfterImpressions: random.below(3),
    perAuthor: random.below(4),
    perTopic: random.below(4),
  };
}

async function compile(catalog: Catalog, stages: FeedStages, profile: RankProfile, from?: Feed) {
  const options = { catalog, halfLivesMs: [halfLifeMs], profile, ...stages };
  return from === undefined ? Feed.create(options) : Feed.attach(from.handle(), options);
}

test('a feed with any one of its stages, or all, written in TypeScript gives the same slate', async () => {
  let answered = 0;
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 2 ** 31 }), async (seed) => {
      const random = new Lcg(seed);
      const all = makeItems(random, random.below(90));
      const catalog = await makeCatalog(all);
      const items = all.filter(() => random.below(8) > 0);
      const kept = new Set(items.map((item) => item.id));
      await catalog.remove(all.filter((item) => !kept.has(item.id)).map((item) => item.id));
      const world = { items, events: randomEvents(random, items) };
      const profile = randomProfile(random);
      const native = await compile(catalog, nativeStages(), profile);
      await native.record(world.events, { now });
      const queries = [randomQuery(random), randomQuery(random)];
      const expected = await Promise.all(queries.map((query) => native.rank(query)));
      for (const [name, stages] of swaps(world)) {
        const feed = await compile(catalog, stages, profile, native);
        const slates = await Promise.all(queries.map((query) => feed.rank(query)));
        slates.forEach((slate, q) => {
          expect({ name, degraded: slate.degraded }).toEqual({ name, degraded: [] });
          expect({ name, answer: answerOf(slate) }).toEqual({
            name,
            answer: answerOf(expected[q]!),
          });
          expect(slate.items.map((item) => item.terms)).toEqual(
            expected[q]!.items.map((item) => item.terms),
          );
          expect(slate.items.map((item) => item.sources.map((source) => source.generator))).toEqual(
            expected[q]!.items.map((item) => item.sources.map((source) => source.generator)),
          );
          answered += slate.items.length;
        });
      }
      for (const { trace } of expected) expect(trace.nativeCalls).toBe(1);
      catalog.dispose();
    }),
    { numRuns: 40 },
  );
  // The property would hold for empty slates alone, too.
  expect(answered).toBeGreaterThan(1000);
});

test('the slate is the best of the candidates by score, within the caps, whatever the profile', async () => {
  const random = new Lcg(17);
  const items = makeItems(random, 200);
  const catalog = await makeCatalog(items);
  for (let round = 0; round < 20; round++) {
    const profile = { ...randomProfile(random), maxCandidates: 500, quotas: {} };
    const feed = await compile(catalog, { ...nativeStages(), filters: [maximumAge()] }, profile);
    const query = randomQuery(random);
    const slate = await feed.rank(query);
    const user =
      query.userVector === undefined
        ? undefined
        : (query.userVector as unknown as { values: Float32Array }).values;
    const affinity = (item: WorldItem) =>
      user === undefined
        ? 0
        : Math.max(
            ...Array.from({ length: user.length / 4 }, (_, u) =>
              dot(user.subarray(4 * u, 4 * u + 4), item.embeddings.taste),
            ),
          );
    const score = (item: WorldItem) =>
      2 * Math.fround(item.columns.quality) +
      0.5 *
        Math.fround(Math.sign(item.columns.length) * Math.log1p(Math.abs(item.columns.length))) -
      0.125 * Math.fround(Math.log1p((Number(query.now) - item.publishTime) / hour)) +
      Math.fround(affinity(item));
    const eligible = items.filter(
      (item) => Number(query.now) - item.publishTime <= profile.maxAgeMs!,
    );
    expect(slate.items.length).toBeLessThanOrEqual(query.limit!);
    const byAuthor = new Map<string, number>();
    const chosen = new Set<unknown>();
    slate.items.forEach((answered, i) => {
      const item = items.find((candidate) => candidate.id === answered.id)!;
      expect(eligible).toContain(item);
      expect(answered.score).toBeCloseTo(score(item), 5);
      if (i > 0) expect(answered.score).toBeLessThanOrEqual(slate.items[i - 1]!.score);
      byAuthor.set(item.author, (byAuthor.get(item.author) ?? 0) + 1);
      chosen.add(answered.id);
    });
    expect(chosen.size).toBe(slate.items.length);
    if (profile.perAuthor! > 0) {
      expect(Math.max(0, ...byAuthor.values())).toBeLessThanOrEqual(profile.perAuthor!);
    }
    if (profile.perAuthor === 0 && profile.perTopic === 0) {
      const best = eligible.map(score).sort((a, b) => b - a);
      expect(slate.items.length).toBe(Math.min(query.limit!, eligible.length));
      slate.items.forEach((answered, i) => expect(answered.score).toBeCloseTo(best[i]!, 5));
    }
  }
});
