import fc from 'fast-check';
import {
  blocked,
  Catalog,
  coRead,
  eligible,
  Feed,
  followed,
  muted,
  trending,
  weightedSum,
  where,
  type CandidateBatch,
  type CandidateGenerator,
  type Condition,
  type FeedEvent,
  type FeedStages,
  type Filter,
  type Item,
  type Query,
  type RankProfile,
  type StageContext,
} from '../../src';
import { compareTies, eventWeight } from '../support/oracle';
import { Lcg } from '../support/random';
import { answerOf, hour, now, unhurried } from '../support/world';

const halfLifeMs = 3 * hour;
/** Whole hours before `now` are whole half-lives, so that decayed sums of reads are exact. */
const coReadHalfLifeMs = hour;
const conditions: Condition[] = [
  { column: 'quality', atLeast: 0.5 },
  { column: 'length', atMost: 0.75, missing: 'keep' },
  { label: 'status', isNoneOf: ['hidden', 'unheard of'] },
  { by: 'author', isNoneOf: ['author-0'] },
];

interface PlainItem extends Item {
  readonly id: string;
  readonly publishTime: number;
  readonly author?: string;
  readonly topics: readonly string[];
}

/** What a service would know when it writes every stage by itself. */
interface World {
  readonly items: readonly PlainItem[];
  readonly events: readonly FeedEvent[];
}

function makeItems(random: Lcg, count: number): PlainItem[] {
  const maybe = <T>(value: T) => (random.below(9) > 0 ? value : undefined);
  return Array.from({ length: count }, (_, i) => {
    const author = maybe(`author-${random.below(5)}`);
    const quality = maybe(random.below(8) / 4);
    const length = maybe(random.below(5) / 4);
    const status = maybe(random.pick(['shown', 'hidden', 'new']));
    return {
      id: `item-${i}`,
      // Some are not published yet.
      publishTime: now + hour - random.below(12) * hour,
      topics: Array.from({ length: random.below(3) }, () => `topic-${random.below(4)}`),
      ...(author !== undefined && { author }),
      columns: {
        ...(quality !== undefined && { quality }),
        ...(length !== undefined && { length }),
        mark: random.below(6) === 0 ? 0 : 1,
      },
      ...(status !== undefined && { labels: { status } }),
    };
  });
}

function randomEvents(random: Lcg, items: readonly PlainItem[]): FeedEvent[] {
  const events = Array.from({ length: items.length === 0 ? 0 : 300 }, (): FeedEvent => ({
    type: random.pick(['read', 'read', 'click', 'click', 'impression', 'hide', 'report']),
    userId: `reader-${random.below(8)}`,
    itemId: random.pick(items).id,
    at: now - random.below(4) * hour,
    segments: { device: random.pick(['desktop', 'mobile']) },
  }));
  return events.sort((a, b) => Number(a.at) - Number(b.at));
}

function best(
  found: readonly { item: PlainItem; score: number }[],
  name: string,
  { settings }: StageContext,
) {
  const sorted = [...found]
    .sort((a, b) => b.score - a.score || compareTies(a.item, b.item))
    .slice(0, settings.quotas[name] ?? settings.maxCandidates);
  return { ids: sorted.map(({ item }) => item.id), scores: sorted.map(({ score }) => score) };
}

function ownTrending({ items, events }: World): CandidateGenerator {
  return {
    name: 'trending',
    generate: (context) => {
      const device = context.segments['device'];
      if (device === undefined) return { ids: [] };
      const scored = items.map((item) => ({
        item,
        score: events
          .filter(({ type, itemId, segments }) => {
            return type === 'click' && itemId === item.id && segments!['device'] === device;
          })
          .reduce((sum, event) => sum + eventWeight(Number(event.at), context.now, halfLifeMs), 0),
      }));
      // Of sums that are equal but for rounding, the newer comes first.
      const rounded = scored.map(({ item, score }) => ({ item, score: Number(score.toFixed(9)) }));
      return best(
        rounded.filter(({ score }) => score > 0),
        'trending',
        context,
      );
    },
  };
}

function ownFollowed({ items }: World): CandidateGenerator {
  return {
    name: 'followed',
    generate: (context) => {
      const { authors, topics } = context.follows;
      const wanted = items.filter(
        (item) =>
          authors.includes(item.author ?? '') ||
          item.topics.some((topic) => topics.includes(topic)),
      );
      const sorted = wanted.sort(compareTies).map((item) => item.id);
      return { ids: sorted.slice(0, context.settings.quotas['followed']) };
    },
  };
}

interface CoReads {
  readonly reads: ReadonlyMap<unknown, readonly string[]>;
  readonly totals: ReadonlyMap<string, number>;
  readonly pairs: ReadonlyMap<string, ReadonlyMap<string, number>>;
}

/** Counts pairs from the events themselves, as of `at`. */
function countCoReads(events: readonly FeedEvent[], at: number): CoReads {
  const reads = new Map<unknown, string[]>();
  const totals = new Map<string, number>();
  const pairs = new Map<string, Map<string, number>>();
  const add = <K>(map: Map<K, number>, key: K, amount: number) =>
    map.set(key, (map.get(key) ?? 0) + amount);
  for (const event of events) {
    if (event.type === 'impression' || event.type === 'hide' || event.type === 'report') continue;
    const own = reads.get(event.userId) ?? [];
    reads.set(event.userId, own);
    const id = event.itemId as string;
    const known = own.indexOf(id);
    if (known >= 0) {
      own.push(...own.splice(known, 1));
      continue;
    }
    const weight = eventWeight(Number(event.at), at, coReadHalfLifeMs);
    add(totals, id, weight);
    for (const other of own.slice(-20)) {
      for (const [a, b] of [
        [id, other],
        [other, id],
      ] as const) {
        if (!pairs.has(a)) pairs.set(a, new Map());
        add(pairs.get(a)!, b, weight);
      }
    }
    own.push(id);
  }
  return { reads, totals, pairs };
}

function ownCoRead({ items, events }: World): CandidateGenerator {
  return {
    name: 'co-read',
    generate: (context) => {
      const { reads, totals, pairs } = countCoReads(events, context.now);
      const own = [...(reads.get(context.userId) ?? [])];
      const page = context.currentItemId as string | undefined;
      const onPage = items.some((item) => item.id === page) ? [page!] : [];
      const last = own.slice(-20).reverse();
      const sources = [...onPage, ...last.filter((id) => id !== page)];
      const known = new Set([...own, ...onPage]);
      const scored = items
        .filter((item) => !known.has(item.id))
        .map((item) => ({
          item,
          score: sources.reduce((sum, source) => {
            const weight = pairs.get(source)?.get(item.id) ?? 0;
            if (weight === 0) return sum;
            const smoothed = (id: string) => totals.get(id)! + 10;
            return sum + weight / Math.sqrt(smoothed(source) * smoothed(item.id));
          }, 0),
        }));
      return best(
        scored.filter(({ score }) => score > 0),
        'co-read',
        context,
      );
    },
  };
}

const ownNames = (name: 'blocked' | 'muted'): Filter => ({
  name,
  filter: (batch, context) => {
    const { authors, topics } = context[name];
    return batch.ids.map(
      (_, i) =>
        !authors.includes(batch.authors[i] ?? '') &&
        !batch.topics[i]!.some((topic) => topics.includes(topic)),
    );
  },
});

function ownEligible({ events }: World): Filter {
  return {
    name: 'eligible',
    filter: (batch, context) => {
      const { maxReports, maxReportRate, maxHideRate } = context.settings;
      const count = (id: unknown, type: string) =>
        events
          .filter((event) => event.type === type && event.itemId === id)
          .reduce((sum, event) => sum + eventWeight(Number(event.at), context.now, halfLifeMs), 0);
      return batch.ids.map((id, i) => {
        const shown = count(id, 'impression') + 100;
        const reports = count(id, 'report');
        return (
          reports <= maxReports &&
          reports / shown <= maxReportRate &&
          count(id, 'hide') / shown <= maxHideRate &&
          batch.columns['mark']![i] !== 0 &&
          batch.labels['status']![i] !== 'hidden'
        );
      });
    },
  };
}

const ownWhere: Filter = {
  name: 'where',
  filter: (batch: CandidateBatch) =>
    batch.ids.map((_, i) => {
      const quality = batch.columns['quality']![i]!;
      const length = batch.columns['length']![i]!;
      return (
        quality >= 0.5 &&
        (Number.isNaN(length) || length <= 0.75) &&
        batch.labels['status']![i] !== 'hidden' &&
        batch.authors[i] !== 'author-0'
      );
    }),
};

function nativeStages(): FeedStages & Required<Pick<FeedStages, 'generators' | 'filters'>> {
  return {
    generators: [trending({ halfLifeMs, segment: 'device' }), followed(), coRead()],
    filters: [
      blocked(),
      muted(),
      eligible({ column: 'mark', label: { name: 'status', notEligible: ['hidden'] } }),
      where(conditions),
    ],
    ranker: weightedSum({ age: -1 }),
  };
}

/** The native stages, with one of them (or all) written in TypeScript. */
function swaps(world: World): [string, FeedStages][] {
  const native = nativeStages();
  const generators = [ownTrending(world), ownFollowed(world), ownCoRead(world)];
  const filters = [ownNames('blocked'), ownNames('muted'), ownEligible(world), ownWhere];
  const replaced = <T>(list: readonly T[], place: number, by: T) =>
    list.map((stage, i) => (i === place ? by : stage));
  return [
    ...generators.map((own, g): [string, FeedStages] => [
      own.name,
      {
        ...native,
        generators: replaced<(typeof native.generators)[number]>(native.generators, g, own),
      },
    ]),
    ...filters.map((own, f): [string, FeedStages] => [
      own.name,
      { ...native, filters: replaced<(typeof native.filters)[number]>(native.filters, f, own) },
    ]),
    ['everything', { ...native, generators, filters }],
  ];
}

function randomQuery(random: Lcg): Query {
  const names = () => ({
    authors: Array.from({ length: random.below(3) }, () => `author-${random.below(7)}`),
    topics: Array.from({ length: random.below(2) }, () => `topic-${random.below(6)}`),
  });
  return {
    userId: `reader-${random.below(9)}`,
    now: now + random.below(2) * hour,
    limit: 1 + random.below(40),
    ...(random.below(4) > 0 && { segments: { device: random.pick(['desktop', 'mobile']) } }),
    ...(random.below(2) > 0 && { currentItemId: `item-${random.below(90)}` }),
    follows: names(),
    blocked: names(),
    muted: names(),
  };
}

function randomProfile(random: Lcg): RankProfile {
  return {
    ...unhurried,
    maxCandidates: random.pick([15, 40, 500]),
    quotas: {
      trending: 1 + random.below(29),
      followed: random.below(60),
      'co-read': random.below(60),
    },
    ...(random.below(2) > 0 && { maxReports: random.pick([0.5, 1.3]) }),
    ...(random.below(2) > 0 && { maxReportRate: random.pick([0.004, 0.011]) }),
    ...(random.below(2) > 0 && { maxHideRate: random.pick([0.004, 0.011]) }),
  };
}

test('a feed with any source or filter, or all, written in TypeScript gives the same slate', async () => {
  let answered = 0;
  const dropped = new Set<string>();
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 2 ** 31 }), async (seed) => {
      const random = new Lcg(seed);
      const items = makeItems(random, random.pick([0, 3, 60, 120, 600]));
      const catalog = await Catalog.create({
        ids: 'string',
        columns: ['quality', 'length', 'mark'],
        labels: ['status'],
      });
      await catalog.upsert(items);
      const world = { items, events: randomEvents(random, items) };
      const profile = randomProfile(random);
      const options = {
        catalog,
        profile,
        halfLivesMs: [halfLifeMs],
        segments: { device: ['desktop', 'mobile'] },
        segmentHalfLivesMs: [halfLifeMs],
        coRead: { halfLifeMs: coReadHalfLifeMs, maxPerItem: 1024 },
        latenessMs: 4 * hour,
      };
      const native = await Feed.create({ ...options, ...nativeStages() });
      await native.record(world.events, { now });
      const queries = [randomQuery(random), randomQuery(random)];
      const expected = await Promise.all(queries.map((query) => native.rank(query)));
      for (const [name, stages] of swaps(world)) {
        const feed = await Feed.attach(native.handle(), { ...options, ...stages });
        const slates = await Promise.all(queries.map((query) => feed.rank(query)));
        slates.forEach((slate, q) => {
          expect({ name, degraded: slate.degraded }).toEqual({ name, degraded: [] });
          expect({ name, answer: answerOf(slate) }).toEqual({
            name,
            answer: answerOf(expected[q]!),
          });
          const found = (of: typeof slate) =>
            of.items.map((item) => item.sources.map((source) => source.generator));
          expect(found(slate)).toEqual(found(expected[q]!));
          answered += slate.items.length;
        });
      }
      for (const { trace } of expected) {
        expect(trace.nativeCalls).toBe(1);
        for (const stage of trace.stages) {
          if (stage.kind === 'filter' && stage.out < stage.in) dropped.add(stage.name);
          if (stage.kind === 'generator' && stage.out > 0) dropped.add(stage.name);
        }
      }
      catalog.dispose();
    }),
    { numRuns: 60 },
  );
  // The property would hold for empty slates alone, and for stages that do nothing, too.

  expect(answered).toBeGreaterThan(300);
  expect([...dropped].sort()).toEqual(
    ['blocked', 'co-read', 'eligible', 'followed', 'muted', 'trending', 'where'].sort(),
  );
});
