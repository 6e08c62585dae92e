/**
 * Counts real crossings into native code: every constructor, method and getter of the addon is
 * shadowed by one that counts and then calls the real one.
 */
const crossings: string[] = [];

function counted<T extends object>(kind: string, instance: T): T {
  const methods = Object.getOwnPropertyDescriptors(Object.getPrototypeOf(instance) as object);
  for (const [name, { value, get }] of Object.entries(methods)) {
    if (name === 'constructor') continue;
    const counting = (original: (...args: unknown[]) => unknown) =>
      function (...args: unknown[]): unknown {
        crossings.push(`${kind}.${name}`);
        const result = original.apply(instance, args);
        return kind === 'Plan' && name === 'begin' ? counted('Request', result as object) : result;
      };
    if (typeof value === 'function') {
      const original = value as (...args: unknown[]) => unknown;
      Object.defineProperty(instance, name, { value: counting(original) });
    } else if (get) {
      Object.defineProperty(instance, name, { get: counting(get) });
    }
  }
  return instance;
}

jest.mock('../../lib/load-addon.js', () => {
  const real = jest.requireActual<{ loadAddon(): Record<string, unknown> }>(
    '../../lib/load-addon.js',
  );
  return {
    loadAddon: () => {
      const addon = real.loadAddon();
      const shadowed: Record<string, unknown> = { ...addon };
      for (const kind of ['Catalog', 'Engagement', 'Plan']) {
        const Native = addon[kind] as new (...args: unknown[]) => object;
        shadowed[kind] = function (...args: unknown[]) {
          crossings.push(`new ${kind}`);
          return counted(kind, new Native(...args));
        };
      }
      return shadowed;
    },
  };
});

import path from 'node:path';
import {
  decayedDot,
  decayedDotRanker,
  Feed,
  fresh,
  maximumAge,
  Model,
  nativeFeatures,
  saveScriptedNetwork,
  seen,
  topN,
  torchScript,
  trending,
  weightedSum,
  type Query,
} from '../../src';
import { Lcg } from '../support/random';
import { hour, makeCatalog, makeItems, now, unhurried } from '../support/world';
import { temporaryFolder } from '../support/temporary-folder';

const random = new Lcg(5);
const items = makeItems(random, 300);
const query: Query = {
  userId: 'ann',
  userVector: { space: 'taste', values: random.floats(4) },
  now,
  limit: 20,
  seen: ['item-3'],
  context: { mood: 1 },
  signal: new AbortController().signal,
};
const generators = () => [decayedDot({ space: 'taste' }), trending(), fresh()];

test('counting sees every call', async () => {
  crossings.length = 0;
  const catalog = await makeCatalog(items);
  void catalog.size;
  expect(crossings).toEqual(['new Catalog', 'Catalog.upsert', 'Catalog.stats']);
});

test.each(['weighted-sum', 'decayed-dot', 'model'])(
  'a feed of native stages with the %s ranker crosses into native code once a request',
  async (kind) => {
    const folder = temporaryFolder();
    const file = path.join(folder, 'model.pt');
    await saveScriptedNetwork(
      {
        mean: [0, 0],
        scale: [1, 1],
        layers: [{ inputs: 2, outputs: 1, weights: [1, -1], bias: [0] }],
      },
      file,
    );
    const model = await Model.load(file, {
      allowUnverified: true,
      description: { formatVersion: 1, features: [{ name: 'age' }, { name: 'ctr_3h' }] },
    });
    const ranker =
      kind === 'model'
        ? torchScript(model)
        : kind === 'decayed-dot'
          ? decayedDotRanker({ space: 'taste' })
          : weightedSum({ age: -1, clicks_3h: 2 });
    const catalog = await makeCatalog(items);
    const feed = await Feed.create({
      catalog,
      generators: generators(),
      filters: [seen(), maximumAge()],
      enrichers: [nativeFeatures(['ctr_12h'])],
      ranker,
      selector: topN(),
      profile: { ...unhurried, maxAgeMs: 10 * hour, perAuthor: 5, perTopic: 9 },
    });
    await feed.record([{ type: 'click', userId: 'ann', itemId: 'item-1', at: now }], { now });

    crossings.length = 0;
    const slate = await feed.rank(query);
    expect(crossings).toEqual(['Plan.rank']);
    expect(slate.trace.nativeCalls).toBe(1);
    expect(slate.items).toHaveLength(20);
    expect(slate.degraded).toEqual([]);

    crossings.length = 0;
    const reranked = await feed.rerank(query, ['item-7', 'item-8', 'nowhere']);
    expect(crossings).toEqual(['Plan.rank']);
    expect(reranked.trace).toMatchObject({ nativeCalls: 1, unknownIds: 1 });
  },
);

test('one TypeScript stage costs one crossing more than it takes to begin, and is counted', async () => {
  const catalog = await makeCatalog(items);
  const feed = await Feed.create({
    catalog,
    generators: generators(),
    filters: [{ name: 'all', filter: (batch) => batch.ids.map(() => true) }, seen()],
    ranker: weightedSum({ age: -1 }),
    profile: unhurried,
  });
  crossings.length = 0;
  const slate = await feed.rank(query);
  expect(crossings).toEqual(['Plan.begin', 'Request.run', 'Request.run', 'Request.end']);
  expect(slate.trace.nativeCalls).toBe(3);
  // A rerank has no filters, so this feed answers it in one crossing.
  crossings.length = 0;
  expect((await feed.rerank(query, ['item-1'])).trace.nativeCalls).toBe(1);
  expect(crossings).toEqual(['Plan.rank']);
});
