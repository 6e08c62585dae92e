import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import {
  Bundle,
  Catalog,
  decayedDot,
  Feed,
  fresh,
  torchScript,
  weightedSum,
  type FeedOptions,
  type Filter,
  type Item,
  type Slate,
} from '../../src';
import { binding, type NativeModel } from '../../src/binding';
import { sealManifest } from '../../src/bundles/seal-manifest';
import { writeBundle } from '../../src/bundles/write-bundle';
import { towerParts } from '../bundles/small-ranker';
import { expectRefusal, untyped } from '../support/errors';
import { Lcg } from '../support/random';
import { temporaryFolder } from '../support/temporary-folder';
import { answerOf, makeCatalog, makeItems, now, unhurried } from '../support/world';
import { sumBundle } from './smaller-bundle';

const items = makeItems(new Lcg(31), 300);
const quality = new Map(items.map(({ id, columns }) => [id, columns.quality]));
let catalog: Catalog;
let one: string;
let two: string;
let checksums: Record<'one' | 'two', string>;

beforeAll(async () => {
  catalog = await makeCatalog(items);
  one = await sumBundle({ quality: 1 });
  two = await sumBundle({ quality: 2 });
  checksums = { one: checksumOf(one), two: checksumOf(two) };
});

function checksumOf(folder: string): string {
  const manifest = readFileSync(path.join(folder, 'manifest.json'), 'utf8');
  return (JSON.parse(manifest) as { checksum: string }).checksum;
}

const weighing = (sum: number) => ({ ...unhurried, headWeights: { sum } });

async function makeFeed(options: Partial<FeedOptions> = {}): Promise<Feed> {
  return Feed.create({
    catalog,
    generators: [fresh()],
    bundle: one,
    profile: weighing(1),
    ...options,
  } as FeedOptions);
}

/** What a slate's bundle and profile make of each of its items, to the last bit. */
function expectUnmixed(slate: Slate): 'one' | 'two' {
  const which = slate.bundle?.checksum === checksums.one ? 'one' : 'two';
  expect(slate.bundle).toEqual({ checksum: checksums[which], precision: 'float32' });
  expect(slate.degraded).toEqual([]);
  expect(slate.items).toHaveLength(50);
  // Bundle one comes with a head weight of 1, and bundle two, which doubles, with one of 4.
  const factor = which === 'one' ? 1 : 8;
  const scores = slate.items.map(({ id }) => factor * quality.get(id as string)!);
  expect(slate.items.map(({ score, terms }) => ({ score, terms }))).toEqual(
    scores.map((score) => ({ score, terms: { sum: score } })),
  );
  return which;
}

describe.each([
  ['of native stages alone', []],
  [
    'with a filter in TypeScript, so that requests outlive swaps',
    [
      {
        name: 'slow',
        filter: async ({ ids }) => {
          await new Promise((resolve) => setTimeout(resolve, 3));
          return ids.map(() => true);
        },
      } satisfies Filter,
    ],
  ],
])('a feed %s', (_, filters) => {
  test('swaps bundle and profile under traffic: no request fails, and no slate mixes', async () => {
    const feed = await makeFeed({ filters });
    const seen = { one: 0, two: 0, outlived: 0 };
    let swapping = true;
    let version: 'one' | 'two' = 'one';
    const traffic = Array.from({ length: 4 }, async () => {
      while (swapping) {
        const atStart = version;
        const which = expectUnmixed(await feed.rank({ now }));
        seen[which] += 1;
        if (which === atStart && version !== atStart) seen.outlived += 1;
        // As between requests that come from a socket; answers alone would keep all else waiting.
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    });
    try {
      for (let swap = 0; swap < 16; swap++) {
        const [folder, weight, name] =
          swap % 2 === 0 ? ([two, 4, 'two'] as const) : ([one, 1, 'one'] as const);
        const { bundle, replaced } = await feed.swapBundle(folder, { profile: weighing(weight) });
        expect(bundle.checksum).toBe(checksums[name]);
        expect(replaced.checksum).toBe(checksums[version]);
        version = name;
        expect(expectUnmixed(await feed.rank({ now }))).toBe(name);
      }
    } finally {
      swapping = false;
    }
    await Promise.all(traffic);
    expect(seen.one).toBeGreaterThan(10);
    expect(seen.two).toBeGreaterThan(10);
    if (filters.length > 0) expect(seen.outlived).toBeGreaterThan(0);
    feed.dispose();
  });
});

test('the answer is that of a feed made with the bundle, and its JSON says which', async () => {
  const feed = await makeFeed();
  expect(JSON.parse(JSON.stringify(await feed.rank({ now })))).toMatchObject({
    bundle: { checksum: checksums.one, precision: 'float32' },
  });
  await feed.swapBundle(two);
  const fromStart = await makeFeed({ bundle: two });
  expect(JSON.stringify(await feed.rank({ now }))).toBe(
    JSON.stringify(await fromStart.rank({ now })),
  );
  const list = items.slice(0, 7).map(({ id }) => id);
  expect((await feed.rerank({ now }, list)).bundle?.checksum).toBe(checksums.two);
});

test('features come and go with the bundle', async () => {
  const feed = await makeFeed();
  expect(feed.featureNames).toEqual(['quality']);
  await feed.swapBundle(await sumBundle({ length: 1, age: 0.5 }));
  expect(feed.featureNames).toEqual(['length', 'age']);
  expect((await feed.assemble({ now }, ['item-3'])).names).toEqual(['length', 'age']);
  const [first] = (await feed.rank({ now, explain: true })).items;
  expect(Object.keys(first!.explanation!.features)).toEqual(['length', 'age']);
});

/** A bundle with one byte of its ranker changed in place. */
function withChangedByte(): string {
  const folder = path.join(temporaryFolder(), 'changed');
  cpSync(two, folder, { recursive: true });
  const bytes = readFileSync(path.join(folder, 'ranker.pt'));
  bytes[bytes.length >> 1]! ^= 1;
  writeFileSync(path.join(folder, 'ranker.pt'), bytes);
  return folder;
}

/** A bundle that vouches for itself, and says that its ranker answered otherwise when exported. */
function withOtherGolden(): string {
  const folder = path.join(temporaryFolder(), 'golden');
  cpSync(two, folder, { recursive: true });
  const file = path.join(folder, 'manifest.json');
  const manifest = JSON.parse(readFileSync(file, 'utf8')) as {
    checksum?: string;
    ranker: { golden: { outputs: number[][] } };
  };
  manifest.ranker.golden.outputs[1]![0]! += 0.5;
  delete manifest.checksum;
  writeFileSync(file, sealManifest(manifest));
  return folder;
}

describe('a bundle that is refused leaves the old one in service', () => {
  const refused: [string, () => unknown, Parameters<typeof expectRefusal>[1]][] = [
    ['one that is not there', () => '/nowhere', { code: 'BUNDLE_NOT_FOUND' }],
    ['one with a changed byte', withChangedByte, { code: 'BUNDLE_CORRUPT', message: /ranker\.pt/ }],
    ['one that answers otherwise', withOtherGolden, { code: 'BUNDLE_GOLDEN' }],
    [
      'one that reads what the catalog has not',
      () => sumBundle({ quality: 2, absent: 1 }),
      { code: 'UNKNOWN_COLUMN', message: /absent/ },
    ],
    [
      'one that could only rerank',
      () => sumBundle({ listed: 1 }),
      { code: 'INVALID_ARGUMENT', argument: 'bundle', message: /relative to the list/ },
    ],
    ['something else', () => 7, { code: 'INVALID_ARGUMENT', argument: 'bundle' }],
  ];

  test.each(refused)('%s', async (_, make, expected) => {
    const feed = await makeFeed();
    const before = JSON.stringify(await feed.rank({ now }));
    const bundle = await make();
    await expectRefusal(
      () => untyped(feed, 'swapBundle', bundle, { profile: weighing(4) }),
      expected,
    );
    expect(JSON.stringify(await feed.rank({ now }))).toBe(before);
    // Nor is anything in the way of one that fits.
    await feed.swapBundle(two, { profile: weighing(4) });
    expect(expectUnmixed(await feed.rank({ now }))).toBe('two');
  });

  test('one that does not fit a profile, or comes with one that does not fit', async () => {
    const other = { ...unhurried, name: 'other', headWeights: { sum: 2 } };
    const feed = await makeFeed({ profiles: [other] });
    const before = JSON.stringify(await feed.rank({ now }));
    const heads = path.join(temporaryFolder(), 'heads');
    const parts = await towerParts();
    await writeBundle(heads, { ...parts, towers: undefined } as never);
    await expectRefusal(() => feed.swapBundle(heads), {
      code: 'INVALID_ARGUMENT',
      argument: 'profile.headWeights.sum',
    });
    const profiles = [
      [{ headWeights: { none: 1 } }, 'INVALID_ARGUMENT'],
      [{ quotas: { none: 1 } }, 'UNKNOWN_STAGE'],
      [{ smallerBundle: 'none' }, 'UNKNOWN_BUNDLE'],
      [{ tauMs: 0 }, 'INVALID_ARGUMENT'],
    ] as const;
    for (const [profile, code] of profiles) {
      await expectRefusal(() => feed.swapBundle(two, { profile }), { code });
    }
    expect(JSON.stringify(await feed.rank({ now }))).toBe(before);
    expect((await feed.rank({ now, profile: 'other' })).bundle?.checksum).toBe(checksums.one);
  });

  test.each([
    ['of no bundle', { name: 'none' }, { code: 'UNKNOWN_BUNDLE', argument: 'options.name' }],
    ['misspelt', { nmae: 'x' }, { code: 'INVALID_ARGUMENT', argument: 'options.nmae' }],
    ['with a precision', { precision: 'int4' }, { code: 'INVALID_ARGUMENT' }],
    ['not an object', 7, { code: 'INVALID_ARGUMENT', argument: 'options' }],
  ] as const)('options %s', async (_, options, expected) => {
    const feed = await makeFeed();
    await expectRefusal(() => untyped(feed, 'swapBundle', two, options), expected);
    expect((await feed.rank({ now })).bundle?.checksum).toBe(checksums.one);
  });
});

test('swaps follow one another in the order of the calls, whatever becomes of one', async () => {
  const feed = await makeFeed();
  const swaps = await Promise.allSettled([
    feed.swapBundle(two),
    feed.swapBundle('/nowhere'),
    feed.swapBundle(one),
    feed.swapBundle(two, { profile: weighing(4) }),
  ]);
  const replaced = swaps.map((swap) =>
    swap.status === 'fulfilled' ? swap.value.replaced.checksum : 'refused',
  );
  expect(replaced).toEqual([checksums.one, 'refused', checksums.two, checksums.one]);
  expect(expectUnmixed(await feed.rank({ now }))).toBe('two');
});

test('a bundle that you opened stays yours, and may be disposed of at any time', async () => {
  const mine = await Bundle.open(two);
  const feed = await makeFeed({ bundle: mine, bundles: { small: mine } });
  mine.dispose();
  const slate = await feed.rank({ now });
  expect(slate.bundle?.checksum).toBe(checksums.two);
  // What is left in service is compiled anew.
  await feed.swapBundle(one);
  await feed.swapBundle(await Bundle.open(two), { name: 'small' });
  expect(answerOf(await feed.rank({ now }))).toEqual(
    answerOf(await (await makeFeed()).rank({ now })),
  );
  await expectRefusal(() => feed.swapBundle(mine), { code: 'DISPOSED' });
  const other = await Bundle.open(two);
  await feed.swapBundle(other);
  await feed.swapBundle(one);
  expect(await other.ranker!.score([1.5])).toEqual(Float32Array.of(3));
});

test('a feed with a ranker of its own swaps only its smaller bundles', async () => {
  const model = (await Bundle.open(one)).ranker!;
  for (const ranker of [weightedSum({ age: -1 }), torchScript(model)]) {
    const feed = await makeFeed({
      bundle: undefined,
      ranker,
      profile: unhurried,
      bundles: { small: one },
    });
    if (ranker.name === 'torchscript') model.dispose();
    const before = await feed.rank({ now });
    expect(before.bundle).toBeUndefined();
    expect(JSON.stringify(before)).not.toContain('"bundle"');
    await expectRefusal(() => feed.swapBundle(two), {
      code: 'INVALID_ARGUMENT',
      argument: 'options.name',
    });
    await feed.swapBundle(two, { name: 'small' });
    expect(answerOf(await feed.rank({ now }))).toEqual(answerOf(before));
  }
});

test('a swap that is under way when the feed is disposed of is refused', async () => {
  const feed = await makeFeed();
  const answer = feed.rank({ now });
  const swap = feed.swapBundle(two);
  feed.dispose();
  await expectRefusal(() => swap, { code: 'DISPOSED' });
  expect(expectUnmixed(await answer)).toBe('one');
  await expectRefusal(() => feed.swapBundle(two), { code: 'DISPOSED' });
});

test('a profile that is set while a bundle is opened is kept', async () => {
  const feed = await makeFeed();
  const swap = feed.swapBundle(two);
  feed.setProfile(weighing(4));
  await swap;
  expect(expectUnmixed(await feed.rank({ now }))).toBe('two');
});

test('what requests have taught of costs stays, and a slate names the smaller bundle', async () => {
  const large = await sumBundle({ quality: 1, age: -1 }, 510);
  const larger = await sumBundle({ quality: 2, age: -1 }, 511);
  const many = await makeCatalog(makeItems(new Lcg(33), 2000));
  const options: Partial<FeedOptions> = {
    catalog: many,
    bundle: large,
    bundles: { small: one },
    profile: { ...unhurried, maxCandidates: 2000, smallerBundle: 'small' },
  };
  const query = { now, limit: 500 };
  const feed = await makeFeed(options);
  const spent: number[] = [];
  for (let i = 0; i < 12; i++) {
    const { trace } = await feed.rank(query);
    spent.push(trace.stages.find((stage) => stage.kind === 'ranker')!.ms);
  }
  const tight = { ...query, budgetMs: spent.sort((a, b) => a - b)[6]! * 0.4 };
  await feed.swapBundle(larger);
  // A feed that knows nothing would try its own ranker.
  expect((await feed.rank(tight)).trace.budget.tier).not.toBe('full');
  expect((await (await makeFeed(options)).rank(tight)).trace.budget.tier).not.toBe('smaller');
  await feed.swapBundle(two, { name: 'small' });
  let slate = await feed.rank(tight);
  for (let i = 0; i < 200 && slate.trace.budget.tier !== 'smaller'; i++)
    slate = await feed.rank(tight);
  expect(slate.bundle).toEqual({ checksum: checksums.two, precision: 'float32' });
  const qualities = new Map(
    makeItems(new Lcg(33), 2000).map((item) => [item.id, item.columns.quality]),
  );
  for (const { id, score } of slate.items) expect(score).toBe(2 * qualities.get(id as string)!);
});

test('what has been replaced is let go of at once, and not when the collector comes by', async () => {
  const native = binding();
  const { loadModel } = native;
  const models: NativeModel[] = [];
  const load = jest.spyOn(native, 'loadModel').mockImplementation(async (options) => {
    const model = await loadModel(options);
    models.push(model);
    return model;
  });
  try {
    const feed = await makeFeed({ bundles: { small: one } });
    for (let i = 0; i < 6; i++) {
      const answer = feed.rank({ now });
      await feed.swapBundle(i % 2 === 0 ? two : one, i % 3 === 0 ? { name: 'small' } : {});
      expect((await answer).items).toHaveLength(50);
    }
    await expectRefusal(() => feed.swapBundle(withOtherGolden()), { code: 'BUNDLE_GOLDEN' });
    await expectRefusal(() => feed.swapBundle(two, { profile: { smallerBundle: 'none' } }), {
      code: 'UNKNOWN_BUNDLE',
    });
    const held = () => models.filter((model) => tryToShare(model)).length;
    expect(models).toHaveLength(2 + 6 + 2);
    expect(held()).toBe(2);
    feed.dispose();
    expect(held()).toBe(0);
  } finally {
    load.mockRestore();
  }
});

/** Whether a model's handle still stands for it. */
function tryToShare(model: NativeModel): boolean {
  try {
    model.share().release();
    return true;
  } catch (error) {
    expect(error).toMatchObject({ code: 'DISPOSED' });
    return false;
  }
}

describe('towers', () => {
  /** A bundle whose towers have this space. */
  async function towersIn(name: string, version: string): Promise<string> {
    const parts = await towerParts();
    const { towers } = parts as unknown as { towers: { space: object } };
    const folder = path.join(temporaryFolder(), 'towers');
    const space = { ...towers.space, name, version };
    await writeBundle(folder, { ...parts, towers: { ...towers, space } } as never);
    return folder;
  }

  async function withTowers(): Promise<{ feed: Feed; options: FeedOptions }> {
    const spaces = { old: { dimensions: 2, version: '1' }, new: { dimensions: 2, version: '2' } };
    const both = await Catalog.create({ ids: 'string', spaces });
    const embeddings = { old: [1, 0.5], new: [0.25, -1] };
    await both.upsert(['a', 'b', 'c'].map((id): Item => ({ id, publishTime: now, embeddings })));
    const options: FeedOptions = {
      catalog: both,
      generators: ['old', 'new'].map((space) => decayedDot({ name: space, space })),
      bundle: await towersIn('old', '1'),
      profile: unhurried,
    };
    return { feed: await Feed.create(options), options };
  }

  test('of a version that the catalog does not hold are refused', async () => {
    const { feed } = await withTowers();
    const before = JSON.stringify(await feed.rank({ now, userId: 'ann' }));
    const other = await towersIn('old', '2');
    await expectRefusal(() => feed.swapBundle(other), {
      code: 'INVALID_ARGUMENT',
      argument: 'towers.space',
      message: /version 2 .* got "1"/,
    });
    expect(JSON.stringify(await feed.rank({ now, userId: 'ann' }))).toBe(before);
  });

  test('of a space that the catalog holds beside the old one take over', async () => {
    const { feed, options } = await withTowers();
    const found = (slate: Slate) =>
      slate.trace.stages.filter(({ kind, out }) => kind === 'generator' && out > 0);
    expect(found(await feed.rank({ now, userId: 'ann' })).map(({ name }) => name)).toEqual(['old']);
    const bundle = await towersIn('new', '2');
    await feed.swapBundle(bundle);
    const slate = await feed.rank({ now, userId: 'ann' });
    expect(found(slate).map(({ name }) => name)).toEqual(['new']);
    const fromStart = await Feed.create({ ...options, bundle } as FeedOptions);
    expect(JSON.stringify(slate)).toBe(
      JSON.stringify(await fromStart.rank({ now, userId: 'ann' })),
    );
  });

  test('that stages rely on do not go without others to come', async () => {
    const { feed } = await withTowers();
    const alone = path.join(temporaryFolder(), 'alone');
    await writeBundle(alone, { ...(await towerParts()), towers: undefined } as never);
    for (const bundle of [alone, await towersIn('elsewhere', '1')]) {
      await expectRefusal(() => feed.swapBundle(bundle), {
        code: 'INVALID_ARGUMENT',
        argument: 'bundle',
        message: /towers/,
      });
    }
    expect((await feed.rank({ now, userId: 'ann' })).items).toHaveLength(3);
  });
});
