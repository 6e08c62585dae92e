import fc from 'fast-check';
import { Catalog, type Item, type ItemId } from '../../src';
import { compareTies, decayedScore, dot } from '../support/oracle';
import { Lcg } from '../support/random';

const now = Date.UTC(2026, 0, 15, 12);
const hour = 3_600_000;

interface Known {
  readonly id: ItemId;
  readonly publishTime: number;
  readonly vector: Float32Array | undefined;
}

/** A catalog and what a plain map says that it holds, after random writes. */
async function writeRandomly(
  random: Lcg,
  ids: 'string' | 'integer',
  dimensions: number,
  writes: number,
): Promise<{ catalog: Catalog; known: Map<ItemId, Known> }> {
  const catalog = await Catalog.create({ ids, spaces: { taste: { dimensions } } });
  const known = new Map<ItemId, Known>();
  const toId = (n: number): ItemId => (ids === 'integer' ? n - 20 : `é${n}`);
  for (let w = 0; w < writes; w++) {
    if (random.below(4) === 0) {
      const chosen = Array.from({ length: random.below(30) }, () => toId(random.below(160)));
      const { removed, unknown } = await catalog.remove(chosen);
      const before = known.size;
      for (const id of chosen) known.delete(id);
      expect({ removed, unknown }).toEqual({
        removed: before - known.size,
        unknown: chosen.length - (before - known.size),
      });
      continue;
    }
    const batch = new Map<ItemId, Known>();
    for (let i = random.below(60); i > 0; i--) {
      const id = toId(random.below(160));
      // Coarse values and times make equal scores common; a few items are of the future.
      const vector = Float32Array.from({ length: dimensions }, () => (random.below(5) - 2) / 2);
      batch.set(id, {
        id,
        publishTime: now + (2 - random.below(8)) * hour,
        vector: random.below(12) === 0 ? undefined : vector,
      });
    }
    const { inserted, replaced } = await catalog.upsert(
      [...batch.values()].map(({ id, publishTime, vector }): Item => ({
        id,
        publishTime,
        ...(vector && { embeddings: { taste: vector } }),
      })),
    );
    const there = [...batch.keys()].filter((id) => known.has(id)).length;
    expect({ inserted, replaced }).toEqual({ inserted: batch.size - there, replaced: there });
    for (const [id, item] of batch) known.set(id, item);
  }
  return { catalog, known };
}

test('retrieval finds the exact top k of any catalog after any updates and removals, ties newer first and then by id', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        seed: fc.integer({ min: 0, max: 2 ** 31 }),
        ids: fc.constantFrom('string', 'integer'),
        dimensions: fc.integer({ min: 1, max: 9 }),
        writes: fc.integer({ min: 0, max: 14 }),
        k: fc.oneof(fc.integer({ min: 1, max: 200 }), fc.constant(2 ** 31 - 1)),
        taus: fc.array(fc.constantFrom(1, 600_000, hour, 24 * hour, 1e15, Infinity), {
          minLength: 1,
          maxLength: 3,
        }),
        negativeDots: fc.constantFrom('decay', 'keep', 'drop'),
      }),
      async ({ seed, ids, dimensions, writes, k, taus, negativeDots }) => {
        const random = new Lcg(seed);
        const { catalog, known } = await writeRandomly(random, ids, dimensions, writes);
        expect(catalog.size).toBe(known.size);
        const users = taus.map(() => random.floats(dimensions).map((x) => Math.round(4 * x) / 2));
        const nows = taus.map(() => now + random.below(3) * hour);
        const found = await catalog.retrieve({
          space: 'taste',
          vectors: users.flatMap((user) => [...user]),
          k,
          tauMs: taus,
          now: nows,
          negativeDots,
        });
        expect(found).toHaveLength(taus.length);
        found.forEach(({ ids: foundIds, scores }, q) => {
          const oracle = [...known.values()]
            .filter((item) => item.vector !== undefined)
            .map((item) => ({ ...item, product: dot(users[q]!, item.vector!) }))
            .filter((item) => negativeDots !== 'drop' || item.product >= 0)
            .map((item) => ({
              ...item,
              score: decayedScore(item.product, item.publishTime, nows[q]!, taus[q]!, negativeDots),
            }))
            .sort((a, b) => b.score - a.score || compareTies(a, b))
            .slice(0, k);
          // Scores are computed as the oracle computes them, so ids are equal to the last tie.
          expect(foundIds).toEqual(oracle.map((item) => item.id));
          oracle.forEach((item, i) => {
            const tolerance = 1e-12 * Math.max(1e-300, Math.abs(item.score));
            expect(Math.abs(scores[i]! - item.score)).toBeLessThanOrEqual(tolerance);
          });
        });
        catalog.dispose();
      },
    ),
    { numRuns: 80 },
  );
});

test('retrieval among 20,000 items with arbitrary vectors misses nothing above the k-th score', async () => {
  const dimensions = 24;
  const random = new Lcg(7);
  const items = Array.from({ length: 20_000 }, (_, id) => ({
    id,
    publishTime: now - random.below(72 * hour),
    embeddings: { taste: random.floats(dimensions) },
  }));
  const catalog = await Catalog.create({ ids: 'integer', spaces: { taste: { dimensions } } });
  for (let i = 0; i < items.length; i += 5000) await catalog.upsert(items.slice(i, i + 5000));
  await catalog.remove(items.filter((item) => item.id % 7 === 3).map((item) => item.id));
  const live = items.filter((item) => item.id % 7 !== 3);
  const k = 200;
  const users = Array.from({ length: 4 }, () => random.floats(dimensions));
  const taus = [hour, 10 * hour, 100 * hour, Infinity];
  const found = await catalog.retrieve({
    space: 'taste',
    vectors: users.flatMap((user) => [...user]),
    k,
    tauMs: taus,
    now,
  });
  found.forEach(({ ids, scores }, q) => {
    const score = (item: (typeof items)[number]) =>
      decayedScore(dot(users[q]!, item.embeddings.taste), item.publishTime, now, taus[q]!);
    const truth = live.map(score).sort((a, b) => b - a);
    const kth = truth[k - 1]!;
    const slack = (value: number) => 1e-6 * Math.max(1, Math.abs(value));
    expect(ids).toHaveLength(k);
    expect(new Set(ids).size).toBe(k);
    ids.forEach((id, i) => {
      expect((id as number) % 7).not.toBe(3);
      const own = score(items[id as number]!);
      expect(own).toBeGreaterThanOrEqual(kth - slack(own));
      expect(Math.abs(scores[i]! - own)).toBeLessThanOrEqual(slack(own));
    });
    const returned = new Set(ids);
    for (const item of live) {
      if (score(item) > kth + slack(kth)) expect(returned.has(item.id)).toBe(true);
    }
  });
});

test('user vectors of any finite size find the right items, with finite scores', async () => {
  const catalog = await Catalog.create({ ids: 'integer', spaces: { taste: { dimensions: 2 } } });
  const random = new Lcg(11);
  const items = Array.from({ length: 6000 }, (_, id) => ({
    id,
    publishTime: now - random.below(50) * hour,
    embeddings: { taste: random.floats(2).map((x) => x * 10 ** (random.below(44) - 30)) },
  }));
  await catalog.upsert(items);
  const k = 5;
  for (const user of [
    [3e38, 3e38],
    [3e38, -3e38],
    [1e30, -1e30],
    [1, -1],
    [1e-38, 1e-38],
    [0, 0],
  ]) {
    const query = { space: 'taste', vectors: user, k, tauMs: 9 * hour, now };
    const [found] = await catalog.retrieve(query);
    const oracle = items
      .map((item) => ({
        ...item,
        score: decayedScore(dot(user, item.embeddings.taste), item.publishTime, now, 9 * hour),
      }))
      .sort((a, b) => b.score - a.score || compareTies(a, b))
      .slice(0, k);
    expect({ user, ids: found!.ids }).toEqual({ user, ids: oracle.map((item) => item.id) });
    expect([...found!.scores].every(Number.isFinite)).toBe(true);
  }
});

test('an empty catalog and a catalog without vectors answer with nothing', async () => {
  const catalog = await Catalog.create({ ids: 'string', spaces: { taste: { dimensions: 2 } } });
  const ask = () => catalog.retrieve({ space: 'taste', vectors: [1, 0], k: 5, tauMs: hour, now });
  expect(await ask()).toEqual([{ ids: [], scores: new Float64Array(0) }]);
  await catalog.upsert([{ id: 'bare', publishTime: now }]);
  expect(await ask()).toEqual([{ ids: [], scores: new Float64Array(0) }]);
  expect(catalog.size).toBe(1);
});

test('an old bad item outranks a new bad one under plain decay, and never displaces a good one', async () => {
  const catalog = await Catalog.create({ ids: 'string', spaces: { taste: { dimensions: 1 } } });
  await catalog.upsert([
    { id: 'good', publishTime: now - 100 * hour, embeddings: { taste: [1] } },
    { id: 'old-bad', publishTime: now - 10 * hour, embeddings: { taste: [-1] } },
    { id: 'new-bad', publishTime: now, embeddings: { taste: [-0.5] } },
  ]);
  const ask = async (negativeDots: 'decay' | 'keep' | 'drop') => {
    const options = { space: 'taste', vectors: [1], k: 3, tauMs: hour, now, negativeDots };
    return (await catalog.retrieve(options))[0]!.ids;
  };
  expect(await ask('decay')).toEqual(['good', 'old-bad', 'new-bad']);
  expect(await ask('keep')).toEqual(['good', 'new-bad', 'old-bad']);
  expect(await ask('drop')).toEqual(['good']);
});

test('a write is visible to every retrieval that begins after it resolved, and a retrieval sees one state', async () => {
  const catalog = await Catalog.create({ ids: 'integer', spaces: { taste: { dimensions: 1 } } });
  const batch = (value: number) =>
    Array.from({ length: 500 }, (_, id) => ({
      id,
      publishTime: now,
      embeddings: { taste: [value] },
    }));
  await catalog.upsert(batch(1));
  for (let version = 2; version < 30; version++) {
    const write = catalog.upsert(batch(version));
    const during = await catalog.retrieve({
      space: 'taste',
      vectors: [1],
      k: 1000,
      tauMs: Infinity,
      now,
    });
    // All of the batch or none of it: never a mixture, a gap or a repetition.
    expect(new Set(during[0]!.scores).size).toBe(1);
    expect(new Set(during[0]!.ids).size).toBe(500);
    await write;
    const options = { space: 'taste', vectors: [1], k: 1, tauMs: Infinity, now };
    expect((await catalog.retrieve(options))[0]!.scores[0]).toBe(version);
  }
});
