import fc from 'fast-check';
import { Catalog, Feed, fresh, weightedSum, type ItemId } from '../../src';
import { compareIds } from '../support/oracle';
import { expectRefusal } from '../support/errors';
import { unhurried } from '../support/world';

const now = Date.UTC(2026, 0, 15, 12);

const oddIds = [
  '__proto__',
  'constructor',
  'hasOwnProperty',
  '1',
  '01',
  ' ',
  'a\u0000b',
  'a',
  '\u0000',
  '\ufeff',
  'é',
  'e\u0301',
  '👩‍👩‍👧‍👦',
  '\uffee',
  '\u{10ffff}',
  'x'.repeat(1024),
  'line\nbreak',
];

async function withIds(ids: 'string' | 'integer', values: readonly ItemId[]) {
  const catalog = await Catalog.create({ ids, spaces: { taste: { dimensions: 1 } } });
  await catalog.upsert(values.map((id) => ({ id, publishTime: now, embeddings: { taste: [1] } })));
  return catalog;
}

test.each([
  ['string', oddIds],
  ['integer', [0, 1, -1, 2 ** 31, -(2 ** 31), 2 ** 53 - 1, -(2 ** 53) + 1, 4294967295, 42]],
] as const)(
  'odd %s ids come back as given from every call',
  async (kind, values: readonly ItemId[]) => {
    const catalog = await withIds(kind, values);
    const feed = await Feed.create({
      catalog,
      generators: [fresh()],
      ranker: weightedSum({ age: 1 }),
      profile: { ...unhurried, limit: 100 },
    });
    const sorted = [...values].sort(compareIds);
    for (const id of values) expect(catalog.has(id)).toBe(true);
    const options = { space: 'taste', vectors: [1], k: 100, tauMs: 1, now };
    expect((await catalog.retrieve(options))[0]!.ids).toEqual(sorted);
    expect((await feed.rank({ now })).items.map((item) => item.id)).toEqual(sorted);
    expect((await feed.rerank({ now }, values)).items.map((item) => item.id)).toEqual(sorted);
    expect((await feed.assemble({ now }, values)).known).toEqual(values.map(() => true));
    const reads = values.map((itemId) => ({ type: 'click', userId: '__proto__', itemId, at: now }));
    expect(await feed.record(reads, { now })).toMatchObject({ recorded: values.length });
    expect(await catalog.remove(values)).toMatchObject({ removed: values.length, unknown: 0 });
    expect(catalog.size).toBe(0);
  },
);

test('any well-formed string of 1 to 1,024 characters is an id of its own', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(fc.string({ unit: 'binary', minLength: 1, maxLength: 60 }), { maxLength: 40 }),
      async (ids) => {
        const catalog = await withIds('string', ids);
        expect(catalog.size).toBe(ids.length);
        const options = { space: 'taste', vectors: [1], k: 100, tauMs: 1, now };
        const [found] = await catalog.retrieve(options);
        expect(found!.ids).toEqual([...ids].sort(compareIds));
      },
    ),
    { numRuns: 60 },
  );
});

test('many ids of mixed scripts keep their own ends', async () => {
  const words = ['a', 'é', '語', '👩‍👩‍👧‍👦', 'longer than sixteen characters'];
  const ids = Array.from({ length: 10_001 }, (_, i) => `${words[i % words.length]!}${i}`);
  const plain = Array.from({ length: 10_001 }, (_, i) => `plain ${i}`);
  const catalog = await withIds('string', [...plain, ...ids]);
  expect(catalog.size).toBe(ids.length + plain.length);
  expect([...ids, ...plain].filter((id) => !catalog.has(id))).toEqual([]);
  expect(await catalog.upsert(ids.map((id) => ({ id, publishTime: now })))).toMatchObject({
    inserted: 0,
    replaced: ids.length,
  });
  expect(await catalog.remove(ids)).toMatchObject({ removed: ids.length, unknown: 0 });
  expect(plain.every((id) => catalog.has(id))).toBe(true);
});

test('minus zero is the id 0', async () => {
  const catalog = await withIds('integer', [-0]);
  expect(catalog.has(0)).toBe(true);
  expect(await catalog.upsert([{ id: 0, publishTime: now }])).toMatchObject({ replaced: 1 });
});

test.each([
  ['string', 1, 'a string of 1 to 1024'],
  ['integer', '1', 'a safe integer'],
] as const)(
  "a catalog of %s ids never takes %p for the other '1'",
  async (kind, wrong, expected) => {
    const catalog = await withIds(kind, [kind === 'string' ? '1' : 1]);
    const message = new RegExp(expected);
    const refused = { code: 'INVALID_ARGUMENT', message } as const;
    await expectRefusal(() => catalog.has(wrong), { ...refused, argument: 'id' });
    await expectRefusal(() => catalog.remove([wrong]), { ...refused, argument: 'ids[0]' });
    await expectRefusal(() => catalog.upsert([{ id: wrong, publishTime: now }]), {
      ...refused,
      argument: 'items[0].id',
    });
    const feed = await Feed.create({ catalog, ranker: weightedSum({ age: 1 }) });
    await expectRefusal(() => feed.rerank({ now }, [wrong]), { ...refused, argument: 'ids[0]' });
    await expectRefusal(() => feed.rank({ now, seen: [wrong] }), {
      ...refused,
      argument: 'query.seen[0]',
    });
    const event = { type: 'click', userId: 'u', itemId: wrong, at: now };
    await expectRefusal(() => feed.record([event], { now }), {
      ...refused,
      argument: 'events[0].itemId',
    });
    expect(catalog.size).toBe(1);
  },
);

const refusedIds: readonly (readonly [string, unknown])[] = [
  ['an empty id', ''],
  ['a lone high surrogate', 'a\ud83d'],
  ['a lone low surrogate', '\udc00'],
  ['surrogates in the wrong order', '\udc00\ud83d'],
  ['an id of 1,025 characters', 'x'.repeat(1025)],
  ['an id of 64 KB', 'é'.repeat(32 * 1024)],
  ['null', null],
  ['undefined', undefined],
  ['a String object', new String('a')],
  ['an object with toString', { toString: () => 'a' }],
  ['an array', ['a']],
  ['a symbol', Symbol('a')],
  ['a bigint', 1n],
  ['a boolean', true],
  ['NaN', NaN],
  ['infinity', Infinity],
  ['a fraction', 1.5],
  ['2^53', 2 ** 53],
];

describe.each(['string', 'integer'] as const)('a catalog of %s ids', (kind) => {
  test.each(refusedIds)('refuses %s and is unchanged', async (_, wrong) => {
    const good = kind === 'string' ? 'good' : 7;
    const catalog = await withIds(kind, [good]);
    const { epoch } = catalog;
    const id = wrong as ItemId;
    const refused = { code: 'INVALID_ARGUMENT' } as const;
    const fine = { id: kind === 'string' ? 'other' : 8, publishTime: now };
    await expectRefusal(() => catalog.upsert([fine, { id, publishTime: now }]), {
      ...refused,
      argument: 'items[1].id',
    });
    await expectRefusal(() => catalog.remove([good, id]), { ...refused, argument: 'ids[1]' });
    await expectRefusal(() => catalog.has(id), { ...refused, argument: 'id' });
    expect([catalog.size, catalog.epoch, catalog.has(good), catalog.has(fine.id)]).toEqual([
      1,
      epoch,
      true,
      false,
    ]);
  });
});
