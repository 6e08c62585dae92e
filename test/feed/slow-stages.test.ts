import {
  decayedDot,
  Feed,
  fresh,
  topN,
  weightedSum,
  type FeedStages,
  type Filter,
  type Item,
} from '../../src';
import { Lcg } from '../support/random';
import { makeCatalog, makeItems, now, unhurried } from '../support/world';

/** A promise that a test resolves. */
function gate() {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}

/** A filter that keeps everything, but only once it is let through. */
function slowFilter() {
  const reached = gate();
  const release = gate();
  const filter: Filter = {
    name: 'slow',
    filter: async (batch) => {
      reached.open();
      await release.opened;
      return batch.ids.map(() => true);
    },
  };
  return { filter, reached: reached.opened, release: release.open };
}

type Place = 'generator' | 'filter' | 'enricher' | 'ranker' | 'selector';

/** A feed whose one TypeScript stage waits at the given place. */
function slowStages(place: Place, wait: () => Promise<void>): FeedStages {
  const native: FeedStages = {
    generators: [decayedDot({ space: 'taste' })],
    ranker: weightedSum({ quality: 1, age: -1 }),
    enrichers: [],
    selector: topN(),
  };
  const quality = { name: 'quality', source: 'column', column: 'quality' } as const;
  const columns = {
    name: 'columns',
    native: { stage: 'enricher', kind: 'features', features: [quality] },
  } as const;
  const withColumns = { ...native, enrichers: [columns] };
  switch (place) {
    case 'generator':
      return {
        ...withColumns,
        generators: [
          fresh(),
          {
            name: 'own',
            generate: async () => {
              await wait();
              return { ids: Array.from({ length: 100 }, (_, i) => `item-${i}`) };
            },
          },
        ],
      };
    case 'filter':
      return {
        ...withColumns,
        filters: [
          { name: 'own', filter: async (batch) => (await wait(), batch.ids.map(() => true)) },
        ],
      };
    case 'enricher':
      return {
        ...native,
        enrichers: [
          {
            name: 'own',
            features: ['quality'],
            enrich: async (batch) => (await wait(), batch.ids.map(() => 1)),
          },
        ],
      };
    case 'ranker':
      return {
        ...withColumns,
        ranker: {
          name: 'own',
          rank: async (batch) => (await wait(), { scores: batch.ids.map((_, i) => -i) }),
        },
      };
    case 'selector':
      return {
        ...withColumns,
        selector: {
          name: 'own',
          select: async (batch) => (await wait(), batch.ids.map((_, i) => i)),
        },
      };
  }
}

test.each<Place>(['generator', 'filter', 'enricher', 'ranker', 'selector'])(
  'a slow %s, while its candidates are removed and new items want their rows, never yields a wrong or removed item',
  async (place) => {
    const random = new Lcg(23);
    const items = makeItems(random, 100);
    const catalog = await makeCatalog(items);
    const reached = gate();
    const release = gate();
    const feed = await Feed.create({
      catalog,
      ...slowStages(place, async () => {
        reached.open();
        await release.opened;
      }),
      profile: { ...unhurried, limit: 500, maxCandidates: 500 },
    });
    const query = { userVector: { space: 'taste', values: [1, 0, 0, 0] }, now };
    const pending = feed.rank(query);
    await reached.opened;
    const epoch = catalog.epoch;

    const removed = items.filter((_, i) => i % 3 === 0).map((item) => item.id);
    const replaced = items.filter((_, i) => i % 3 === 1);
    await catalog.remove(removed);
    // More rows than were there, so that every row that may be reused is.
    for (let round = 0; round < 5; round++) {
      const intruders = Array.from({ length: 200 }, (_, i): Item => ({
        id: `intruder-${round}-${i}`,
        publishTime: now,
        author: 'intruder',
        topics: ['intruder'],
        columns: { quality: 1000, length: 0 },
        embeddings: { taste: [1000, 0, 0, 0] },
      }));
      await catalog.upsert(intruders);
      await catalog.upsert(replaced.map((item) => ({ ...item, author: `new-${round}` })));
      await catalog.remove(intruders.filter((_, i) => i % 2 === 0).map((item) => item.id));
    }
    // An id that comes back is another item; the request still leaves the one that it knew out.
    await catalog.upsert([items[0]!]);
    release.open();
    const slate = await pending;
    const answered = slate.items.map((item) => item.id);

    const kept = items.filter((_, i) => i % 3 !== 0).map((item) => item.id);
    expect(new Set(answered)).toEqual(new Set(kept));
    expect(answered).toHaveLength(kept.length);
    expect(slate.trace.removedMeanwhile).toBe(removed.length);
    expect(slate.epoch).toBe(epoch);
    expect(slate.degraded).toEqual([]);
    // The next request sees what is there now.
    const after = await feed.rank({ ...query, seen: [] });
    expect(after.epoch).toBe(catalog.epoch);
  },
);

test('a batch shows a stage the state that the request began with, and rows are used again once it ends', async () => {
  const random = new Lcg(29);
  const items = makeItems(random, 50);
  const catalog = await makeCatalog(items);
  const slow = slowFilter();
  const seenAuthors: unknown[] = [];
  const feed = await Feed.create({
    catalog,
    generators: [fresh()],
    filters: [
      slow.filter,
      {
        name: 'look',
        filter: (batch) => {
          seenAuthors.push(...batch.authors);
          return batch.ids.map(() => true);
        },
      },
    ],
    ranker: weightedSum({ age: -1 }),
    profile: unhurried,
  });
  const pending = feed.rank({ now, limit: 50 });
  await slow.reached;
  await catalog.upsert(items.map((item) => ({ ...item, author: 'rewritten' })));
  slow.release();
  await pending;
  expect(seenAuthors).toHaveLength(50);
  expect(seenAuthors).not.toContain('rewritten');

  // With no request in flight, rewriting everything over and over takes no more rows.
  await catalog.upsert(items);
  await catalog.upsert(items);
  const rows = catalog.allocatedRows;
  for (let i = 0; i < 30; i++) await catalog.upsert(items);
  expect(catalog.allocatedRows).toBe(rows);
});

test('requests whose stages finish in any order each get their own answer', async () => {
  const random = new Lcg(31);
  const catalog = await makeCatalog(makeItems(random, 60));
  const feed = await Feed.create({
    catalog,
    generators: [fresh()],
    filters: [
      {
        name: 'only',
        filter: async (batch, context) => {
          for (let i = random.below(20); i > 0; i--) await new Promise(setImmediate);
          return batch.ids.map((id) => id === `item-${context.context['wanted']}`);
        },
      },
    ],
    ranker: weightedSum({ age: -1 }),
    profile: unhurried,
  });
  const slates = await Promise.all(
    Array.from({ length: 60 }, (_, wanted) => feed.rank({ now, context: { wanted } })),
  );
  expect(slates.map((slate) => slate.items.map((item) => item.id))).toEqual(
    slates.map((_, wanted) => [`item-${wanted}`]),
  );
});
