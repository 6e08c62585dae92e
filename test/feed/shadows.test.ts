import { Feed, fresh, type Catalog, type FeedOptions, type ShadowReport } from '../../src';
import { expectRefusal } from '../support/errors';
import { Lcg } from '../support/random';
import { makeCatalog, makeItems, now, unhurried } from '../support/world';
import { sumBundle } from './smaller-bundle';

const items = makeItems(new Lcg(41), 200);
let catalog: Catalog;
let live: string;
let bundles: Record<'same' | 'reversed' | 'other' | 'broken', string>;

beforeAll(async () => {
  catalog = await makeCatalog(items);
  live = await sumBundle({ quality: 1, age: -1 });
  bundles = {
    same: await sumBundle({ quality: 2, age: -2 }),
    reversed: await sumBundle({ quality: -1, age: 1 }),
    // Reads what the live ranker does not.
    other: await sumBundle({ length: 1, age: -0.5 }),
    // Well within range on golden and on warm-up rows, and infinite for qualities above 1.
    broken: await sumBundle({ quality: 3.2e38 }),
  };
});

async function makeFeed(shadowBundle?: string, more: Partial<FeedOptions> = {}): Promise<Feed> {
  return Feed.create({
    catalog,
    generators: [fresh()],
    bundle: live,
    bundles,
    profile: { ...unhurried, ...(shadowBundle === undefined ? {} : { shadowBundle }) },
    ...more,
  } as FeedOptions);
}

/** Ranks until the shadow has been asked so often; on a busy machine some are skipped. */
async function watched(feed: Feed, name: string, times: number): Promise<ShadowReport> {
  for (let i = 0; i < 2000; i++) {
    const report = feed.shadows()[name]!;
    if (report.scored + report.failed >= times) return report;
    await feed.rank({ now });
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  throw new Error(`the shadow never came to ${times}: ${JSON.stringify(feed.shadows()[name])}`);
}

test('a shadow is compared with the live ranker on the same candidates', async () => {
  const same = await watched(await makeFeed('same'), 'same', 5);
  expect(same).toMatchObject({
    failed: 0,
    lastFailure: undefined,
    agreement: { topOverlap: 1, kendallTau: 1 },
  });
  expect(same.bundle.checksum).toMatch(/^[0-9a-f]{64}$/);
  for (const { p50, p99 } of [same.rankerMs!.live, same.rankerMs!.shadow]) {
    expect(p50).toBeGreaterThan(0);
    expect(p99).toBeGreaterThanOrEqual(p50);
  }
  const reversed = await watched(await makeFeed('reversed'), 'reversed', 5);
  expect(reversed.agreement).toMatchObject({ topOverlap: 0, kendallTau: -1 });
});

test('agreement is what the two rankers alone would say', async () => {
  const { agreement } = await watched(await makeFeed('other'), 'other', 3);
  const everything = { ...unhurried, limit: items.length };
  const scoresOf = async (bundle: string) => {
    const feed = await makeFeed(undefined, { bundle, profile: everything });
    return (await feed.rank({ now })).items;
  };
  const [ours, theirs] = [await scoresOf(live), await scoresOf(bundles.other)];
  const top = new Set(ours.slice(0, 50).map(({ id }) => id));
  const overlap = theirs.slice(0, 50).filter(({ id }) => top.has(id)).length / 50;
  expect(agreement!.topOverlap).toBeCloseTo(overlap, 12);
  const other = new Map(theirs.map(({ id, score }) => [id, score]));
  const pairs = ours.flatMap((a, i) => ours.slice(0, i).map((b) => [a, b] as const));
  const signs = pairs.map(([a, b]) => [
    Math.sign(a.score - b.score),
    Math.sign(other.get(a.id)! - other.get(b.id)!),
  ]);
  const sum = (of: (pair: number[]) => number) =>
    signs.reduce((total, pair) => total + of(pair), 0);
  const tau =
    sum(([a, b]) => a! * b!) / Math.sqrt(sum(([a]) => Math.abs(a!)) * sum(([, b]) => Math.abs(b!)));
  expect(Math.abs(tau)).toBeLessThan(0.99);
  expect(agreement!.kendallTau).toBeCloseTo(tau, 12);
});

test.each(['other', 'broken'])('slates are the same bits beside shadow %s', async (name) => {
  const [beside, alone] = [await makeFeed(name), await makeFeed()];
  const expected = JSON.stringify(await alone.rank({ now, explain: true }));
  const { failed, lastFailure, scored } = await watched(beside, name, 3);
  if (name === 'broken') {
    expect({ scored, lastFailure }).toEqual({
      scored: 0,
      lastFailure: expect.stringMatching(/^MODEL_OUTPUT: .*'item-\d+'$/) as string,
    });
    expect(failed).toBeGreaterThanOrEqual(3);
  }
  const slates = await Promise.all(
    Array.from({ length: 40 }, () => beside.rank({ now, explain: true })),
  );
  for (const slate of slates) expect(JSON.stringify(slate)).toBe(expected);
  const list = items.slice(0, 20).map(({ id }) => id);
  expect(JSON.stringify(await beside.rerank({ now }, list))).toBe(
    JSON.stringify(await alone.rerank({ now }, list)),
  );
});

test('a feed with stages of your own has shadows, too', async () => {
  const filter = {
    name: 'even',
    filter: ({ ids }: { ids: readonly unknown[] }) => ids.map((_, i) => i % 2 === 0),
  };
  const ranker = {
    name: 'own',
    rank: ({ size }: { size: number }) => ({
      scores: Float64Array.from({ length: size }, (_, i) => -i),
    }),
  };
  const feed = await makeFeed('same', { filters: [filter], ranker, bundle: undefined });
  expect((await watched(feed, 'same', 2)).agreement!.topOverlap).toBeGreaterThan(0);
});

test('who was skipped is counted, and a profile without a shadow asks none', async () => {
  const feed = await makeFeed('same');
  await Promise.all(Array.from({ length: 60 }, () => feed.rank({ now })));
  const asked = () => {
    const { scored, skipped, failed } = feed.shadows()['same']!;
    return scored + skipped + failed;
  };
  // The last of them may still be at it.
  while (asked() < 60) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(asked()).toBe(60);
  const silent = await makeFeed();
  await silent.rank({ now });
  expect(silent.shadows()).toEqual(
    Object.fromEntries(
      Object.keys(bundles).map((name) => [
        name,
        {
          bundle: { checksum: expect.any(String) as string, precision: 'float32' },
          ...{ scored: 0, skipped: 0, failed: 0 },
        },
      ]),
    ),
  );
});

test('a shadow can be named and swapped while the feed runs', async () => {
  const feed = await makeFeed();
  feed.setProfile({ ...unhurried, shadowBundle: 'same' });
  const before = await watched(feed, 'same', 1);
  await feed.swapBundle(bundles.reversed, { name: 'same' });
  expect(feed.shadows()['same']).toMatchObject({ scored: 0, skipped: 0 });
  const after = await watched(feed, 'same', 1);
  expect(after.agreement!.kendallTau).toBe(-1);
  expect(after.bundle).not.toEqual(before.bundle);
  // The shadow that held its own goes live.
  const { bundle } = await feed.swapBundle(bundles.reversed);
  expect(bundle).toEqual(after.bundle);
  expect((await feed.rank({ now })).bundle).toEqual(bundle);
});

test('a shadow that the feed has not is refused', async () => {
  const feed = await makeFeed();
  const expected = { code: 'UNKNOWN_BUNDLE', argument: 'profile.shadowBundle' } as const;
  await expectRefusal(() => feed.setProfile({ shadowBundle: 'none' }), expected);
  await expectRefusal(() => makeFeed('none'), expected);
  await expectRefusal(() => feed.rank({ now, profile: { shadowBundle: 'none' } }), expected);
  feed.dispose();
  await expectRefusal(() => feed.shadows(), { code: 'DISPOSED' });
});
