import path from 'node:path';
import fc from 'fast-check';
import {
  Catalog,
  decayedDot,
  Feed,
  fresh,
  maximumAge,
  Model,
  nativeFeatures,
  seen,
  torchScript,
  trending,
  weightedSum,
  type CandidateBatch,
  type FeedSettings,
  type FeedStages,
  type Filter,
  type ItemId,
  type Query,
  type SlateItem,
} from '../../src';
import { expectRefusal, untyped } from '../support/errors';
import { compareTies } from '../support/oracle';
import { Lcg } from '../support/random';
import { answerOf, hour, makeCatalog, makeItems, now, unhurried } from '../support/world';

const columns = [
  { name: 'quality', source: 'column', column: 'quality' },
  { name: 'length', source: 'column', column: 'length', transformation: 'log1p' },
] as const;
const weights = { quality: 2, length: 0.5, age: -0.125, clicks_3h: 1 };
const features = nativeFeatures(columns);
const generators = [decayedDot({ space: 'taste' }), trending(), fresh()];
const stages: FeedStages = {
  generators,
  filters: [seen(), maximumAge()],
  enrichers: [features],
  ranker: weightedSum(weights),
};

/** Keeps everything, and remembers the candidates as they came. */
function probe(name: string) {
  const met: { ids: readonly ItemId[] } = { ids: [] };
  const filter: Filter = {
    name,
    filter: (batch) => {
      met.ids = batch.ids;
      return batch.ids.map(() => true);
    },
  };
  return { met, filter };
}

interface Witness {
  readonly lists: Readonly<Record<string, readonly ItemId[]>>;
  readonly after: Readonly<Record<string, readonly ItemId[]>>;
  readonly last: CandidateBatch;
}

type Options = FeedSettings & FeedStages;

/** What stages of one's own see of the same request: each generator's list, and every step. */
async function witness(options: Options, from: Feed, query: Query): Promise<Witness> {
  const attach = (changed: Partial<Options>) =>
    Feed.attach(from.handle(), { ...options, ...changed });
  const lists: Record<string, readonly ItemId[]> = {};
  for (const generator of generators) {
    const { met, filter } = probe('probe');
    const feed = await attach({
      generators: [generator],
      filters: [filter],
      profile: { ...options.profile, quotas: ownQuota(options, generator.name) },
    });
    await feed.rank(query);
    lists[generator.name] = met.ids;
  }
  const probes = { merge: probe('a'), seen: probe('b'), 'maximum-age': probe('c') };
  let last: CandidateBatch | undefined;
  const feed = await attach({
    filters: [
      probes.merge.filter,
      seen(),
      probes.seen.filter,
      maximumAge(),
      probes['maximum-age'].filter,
    ],
    selector: {
      name: 'last',
      select: (batch) => {
        last = batch;
        return [];
      },
    },
  });
  await feed.rank(query);
  const after = Object.fromEntries(
    Object.entries(probes).map(([name, { met }]) => [name, met.ids]),
  );
  return { lists, after, last: last! };
}

function ownQuota({ profile }: Options, name: string) {
  const quota = profile?.quotas?.[name];
  return quota === undefined ? {} : { [name]: quota };
}

test('an explanation agrees with what stages of one’s own see at every step', async () => {
  let explained = 0;
  let moved = 0;
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 2 ** 31 }), async (seed) => {
      const random = new Lcg(seed);
      const items = makeItems(random, 10 + random.below(80));
      const byId = new Map<ItemId, (typeof items)[number]>(items.map((item) => [item.id, item]));
      const catalog = await makeCatalog(items);
      const options: Options = {
        catalog,
        ...stages,
        profile: {
          ...unhurried,
          maxCandidates: 500,
          quotas: { fresh: 5 + random.below(40), trending: 1 + random.below(20) },
          maxAgeMs: random.pick([6 * hour, 11 * hour]),
          perAuthor: random.below(6),
        },
      };
      const feed = await Feed.create(options);
      await feed.record(
        items.slice(0, 30).flatMap(({ id: itemId }) =>
          Array.from({ length: random.below(4) }, () => ({
            type: random.pick(['click', 'impression']),
            userId: random.pick(['ann', 'bob']),
            itemId,
            at: now - random.below(3) * hour,
          })),
        ),
        { now },
      );
      const query: Query = {
        userId: 'ann',
        ...(random.below(4) > 0 && { userVector: { space: 'taste', values: random.floats(4) } }),
        now: now + hour,
        limit: 1 + random.below(30),
      };
      const plain = await feed.rank(query);
      const slate = await feed.rank({ ...query, explain: true });
      expect(answerOf(slate)).toEqual(answerOf(plain));
      const { lists, after, last } = await witness(options, feed, query);
      const byScore = last.ids
        .map((id, i) => ({ id, score: last.scores[i]! }))
        .sort((a, b) => b.score - a.score || compareTies(byId.get(a.id)!, byId.get(b.id)!))
        .map(({ id }) => id);
      const assembled = await feed.assemble(
        query,
        slate.items.map(({ id }) => id),
      );
      slate.items.forEach((item, i) => {
        const { sources, features: read, outputs, penalties, positions } = item.explanation!;
        const found = generators.filter(({ name }) => lists[name]!.includes(item.id));
        expect(sources).toEqual(
          found.map(({ name }) => ({
            generator: name,
            score: item.sources.find(({ generator }) => generator === name)!.score,
            position: lists[name]!.indexOf(item.id),
          })),
        );
        const merged = after['merge']!.indexOf(item.id);
        const unseen = after['seen']!.indexOf(item.id);
        const young = after['maximum-age']!.indexOf(item.id);
        const ranked = byScore.indexOf(item.id);
        expect(positions).toEqual([
          { stage: 'merge', after: merged },
          { stage: 'seen', before: merged, after: unseen },
          { stage: 'maximum-age', before: unseen, after: young },
          { stage: 'weighted-sum', before: young, after: ranked },
          { stage: 'top-n', before: ranked, after: item.position },
        ]);
        const row = assembled.values.subarray(i * assembled.names.length);
        expect(read).toEqual(Object.fromEntries(assembled.names.map((name, f) => [name, row[f]])));
        const terms = Object.entries(weights).map(
          ([name, weight]) => [name, weight * read[name]!] as const,
        );
        expect(item.terms).toEqual(Object.fromEntries(terms));
        expect(item.score).toBe(terms.reduce((sum, [, term]) => sum + term, 0));
        expect(outputs).toEqual({});
        expect(penalties).toEqual({});
        explained += 1;
        if (ranked !== item.position) moved += 1;
      });
      catalog.dispose();
    }),
    { numRuns: 40 },
  );
  // The property would hold for empty slates and for a selector that moves nothing, too.
  expect(explained).toBeGreaterThan(200);
  expect(moved).toBeGreaterThan(20);
});

describe('on a small catalog', () => {
  const items = makeItems(new Lcg(3), 20);
  const ids = items.map(({ id }) => id);
  let catalog: Catalog;

  beforeAll(async () => {
    catalog = await makeCatalog(items);
  });

  test('rerank explains from the given list, without what is no item', async () => {
    const feed = await Feed.create({ catalog, ...stages, profile: unhurried });
    const given = [ids[7]!, 'nothing', ids[2]!, ids[11]!];
    const slate = await feed.rerank({ now, explain: true }, given);
    expect(slate.items).toHaveLength(3);
    const known = given.filter((id) => id !== 'nothing');
    for (const { id, position, explanation } of slate.items) {
      expect(explanation!.sources).toEqual([]);
      expect(explanation!.positions).toEqual([
        { stage: 'list', after: known.indexOf(id as string) },
        { stage: 'weighted-sum', before: known.indexOf(id as string), after: position },
        { stage: 'top-n', before: position, after: position },
      ]);
    }
  });

  test('features of an own enricher stand beside native ones, as float32', async () => {
    const feed = await Feed.create({
      catalog,
      ...stages,
      enrichers: [
        features,
        { name: 'own', features: ['third'], enrich: (batch) => batch.ids.map((_, i) => i / 3) },
      ],
      ranker: weightedSum({ quality: 1, third: 0.5 }),
      profile: unhurried,
    });
    const slate = await feed.rerank({ now, explain: true }, ids);
    for (const { id, explanation } of slate.items) {
      const item = items.find((candidate) => candidate.id === id)!;
      expect(explanation!.features).toEqual({
        quality: Math.fround(item.columns.quality),
        length: expect.closeTo(
          Math.sign(item.columns.length) * Math.log1p(Math.abs(item.columns.length)),
          6,
        ) as number,
        third: Math.fround(ids.indexOf(id as string) / 3),
      });
    }
  });

  test('features that there was no time for are not explained as 0', async () => {
    const feed = await Feed.create({ catalog, ...stages });
    const slate = await feed.rank({ now, explain: true, budgetMs: 1e-6 });
    expect(slate.degraded.map(({ stage }) => stage)).toContain('features');
    expect(slate.items.length).toBeGreaterThan(0);
    for (const { explanation, terms, score } of slate.items) {
      expect(explanation!.features).toEqual({});
      expect(terms).toEqual({ mergedOrder: score });
    }
  });

  test('without explain there is no explanation, and the JSON is shorter by it', async () => {
    const feed = await Feed.create({ catalog, ...stages, profile: unhurried });
    const plain = await feed.rank({ now });
    const explained = await feed.rank({ now, explain: true });
    const off = await feed.rank({ now, explain: false });
    const strip = ({ explanation, ...rest }: SlateItem) => {
      expect(explanation).toBeDefined();
      return rest;
    };
    expect(plain.items.every((item) => !('explanation' in item))).toBe(true);
    expect(JSON.stringify(off)).toBe(JSON.stringify(plain));
    expect(explained.items.map(strip)).toEqual(plain.items);
  });

  test.each([[0], [1], ['true'], [null], [{}], [NaN]])(
    'explain: %p is refused',
    async (explain) => {
      const feed = await Feed.create({ catalog, ...stages });
      await expectRefusal(() => untyped(feed, 'rank', { now, explain }), {
        code: 'INVALID_ARGUMENT',
        argument: 'query.explain',
      });
    },
  );
});

test('a model’s outputs are explained before their weights', async () => {
  const folder = path.resolve(__dirname, '../fixtures/torchscript/heads');
  const model = await Model.load(path.join(folder, 'model.pt'), { allowUnverified: true });
  const inputs = model.description.features.length;
  const random = new Lcg(5);
  const rows = random.floats(8 * inputs);
  const catalog = await Catalog.create({
    ids: 'integer',
    columns: Array.from({ length: inputs }, (_, f) => `c${f}`),
  });
  const ids = [0, 1, 2, 3, 4, 5, 6, 7];
  await catalog.upsert(
    ids.map((id) => ({
      id,
      publishTime: now,
      columns: Object.fromEntries(
        Array.from({ length: inputs }, (_, f) => [`c${f}`, rows[id * inputs + f]!]),
      ),
    })),
  );
  const scored = await model.score(rows);
  const headWeights = { click: 1, dwell: 4, hide: -3 };
  const feed = await Feed.create({
    catalog,
    ranker: torchScript(model),
    profile: { ...unhurried, headWeights },
  });
  const slate = await feed.rerank({ now, explain: true }, ids);
  for (const { id, score, terms, explanation } of slate.items) {
    const names = ['click', 'dwell', 'hide'] as const;
    const outputs = names.map((_, h) => scored[(id as number) * names.length + h]!);
    expect(explanation!.outputs).toEqual(
      Object.fromEntries(names.map((name, h) => [name, outputs[h]])),
    );
    const weighted = names.map((name, h) => headWeights[name] * outputs[h]!);
    expect(terms).toEqual(Object.fromEntries(names.map((name, h) => [name, weighted[h]])));
    expect(score).toBe(weighted[0]! + weighted[1]! + weighted[2]!);
  }
});
