import { Catalog, type CatalogOptions, type ErrorCode } from '../../src';
import { expectRefusal, untyped } from '../support/errors';

const now = Date.UTC(2026, 0, 15, 12);

async function makeCatalog(): Promise<Catalog> {
  const catalog = await Catalog.create({
    ids: 'string',
    spaces: { taste: { dimensions: 2 }, other: { dimensions: 3 } },
    columns: ['quality'],
    labels: ['group'],
  });
  await catalog.upsert([
    { id: 'a', publishTime: now, columns: { quality: 1 }, embeddings: { taste: [1, 0] } },
    { id: 'b', publishTime: now - 1000, embeddings: { taste: [0, 1] } },
  ]);
  return catalog;
}

/** Everything that a caller can see of a catalog. */
async function view(catalog: Catalog) {
  const options = { space: 'taste', vectors: [1, 0.5], k: 10, tauMs: 1000, now };
  return [catalog.size, catalog.epoch, catalog.bytes, await catalog.retrieve(options)];
}

function detached(): Float32Array {
  const array = new Float32Array([1, 0]);
  structuredClone(array.buffer, { transfer: [array.buffer] });
  return array;
}

function resizable(): Float32Array {
  const Resizable = ArrayBuffer as unknown as new (n: number, o: object) => ArrayBuffer;
  return new Float32Array(new Resizable(8, { maxByteLength: 16 }));
}

const notObjects = [undefined, null, 5, 'text', true, [], Symbol('s')];

describe('Catalog.create', () => {
  test.each(notObjects)('refuses %p for options', async (options) => {
    await expectRefusal(() => untyped(Catalog, 'create', options), {
      code: 'INVALID_ARGUMENT',
      argument: 'options',
    });
  });

  test.each<[string, object, string]>([
    ['no kind of ids', {}, 'ids'],
    ['an unknown kind of ids', { ids: 'uuid' }, 'ids'],
    ['spaces that are a list', { spaces: ['taste'] }, 'spaces'],
    ['a space without dimensions', { spaces: { taste: {} } }, 'spaces.taste.dimensions'],
    ['a space that is a number', { spaces: { taste: 2 } }, 'spaces.taste'],
    ['no dimensions', { spaces: { taste: { dimensions: 0 } } }, 'spaces.taste.dimensions'],
    ['−1 dimensions', { spaces: { taste: { dimensions: -1 } } }, 'spaces.taste.dimensions'],
    ['NaN dimensions', { spaces: { taste: { dimensions: NaN } } }, 'spaces.taste.dimensions'],
    ['half a dimension', { spaces: { taste: { dimensions: 1.5 } } }, 'spaces.taste.dimensions'],
    ['2^31 dimensions', { spaces: { t: { dimensions: 2 ** 31 } } }, 'spaces.t.dimensions'],
    [
      'a version that is a number',
      { spaces: { t: { dimensions: 1, version: 1 } } },
      'spaces.t.version',
    ],
    ['a space without a name', { spaces: { '': { dimensions: 1 } } }, 'spaces'],
    ['columns that are text', { columns: 'quality' }, 'columns'],
    ['a column without a name', { columns: [''] }, 'columns[0]'],
    ['a column that is a number', { columns: ['a', 1] }, 'columns[1]'],
    ['a column with a lone surrogate', { columns: ['\ud800'] }, 'columns[0]'],
    ['a column twice', { columns: ['a', 'a'] }, 'columns'],
    ['a label twice', { labels: ['a', 'a'] }, 'labels'],
    ['a label that is enormous', { labels: ['x'.repeat(64 * 1024)] }, 'labels[0]'],
  ])('refuses %s', async (_, options, argument) => {
    const ids = argument === 'ids' ? {} : { ids: 'string' };
    await expectRefusal(() => Catalog.create({ ...ids, ...options } as CatalogOptions), {
      code: 'INVALID_ARGUMENT',
      argument,
    });
  });
});

describe('Catalog.upsert', () => {
  const good = { id: 'new', publishTime: now };
  const embedding = (taste: unknown) => ({ embeddings: { taste } });

  test.each(notObjects.filter((value) => !Array.isArray(value)))(
    'refuses %p for items',
    async (items) => {
      const catalog = await makeCatalog();
      await expectRefusal(() => untyped(catalog, 'upsert', items), {
        code: 'INVALID_ARGUMENT',
        argument: 'items',
      });
    },
  );

  test.each<[string, unknown, ErrorCode, string, RegExp?]>([
    ['null', null, 'INVALID_ARGUMENT', 'items[1]'],
    ['a hole', undefined, 'INVALID_ARGUMENT', 'items[1]'],
    ['no publish time', { publishTime: undefined }, 'INVALID_ARGUMENT', 'items[1].publishTime'],
    [
      'a publish time of NaN',
      { publishTime: NaN },
      'INVALID_ARGUMENT',
      'items[1].publishTime',
      /NaN/,
    ],
    [
      'an infinite publish time',
      { publishTime: Infinity },
      'INVALID_ARGUMENT',
      'items[1].publishTime',
    ],
    ['a negative publish time', { publishTime: -1 }, 'INVALID_ARGUMENT', 'items[1].publishTime'],
    [
      'a publish time in text',
      { publishTime: '2026-01-15' },
      'INVALID_ARGUMENT',
      'items[1].publishTime',
      /"2026-01-15"/,
    ],
    [
      'an invalid Date',
      { publishTime: new Date(NaN) },
      'INVALID_ARGUMENT',
      'items[1].publishTime',
      /invalid Date/,
    ],
    [
      'a publish time in the year 10000',
      { publishTime: 253402300800000 },
      'INVALID_ARGUMENT',
      'items[1].publishTime',
    ],
    ['a publish time as a bigint', { publishTime: 5n }, 'INVALID_ARGUMENT', 'items[1].publishTime'],
    ['an author that is a number', { author: 5 }, 'INVALID_ARGUMENT', 'items[1].author'],
    ['an author of null', { author: null }, 'INVALID_ARGUMENT', 'items[1].author'],
    ['an empty author', { author: '' }, 'INVALID_ARGUMENT', 'items[1].author'],
    [
      'an enormous author',
      { author: 'x'.repeat(64 * 1024) },
      'INVALID_ARGUMENT',
      'items[1].author',
      /65536 characters/,
    ],
    ['topics that are text', { topics: 'sports' }, 'INVALID_ARGUMENT', 'items[1].topics'],
    ['a topic that is nothing', { topics: ['a', null] }, 'INVALID_ARGUMENT', 'items[1].topics[1]'],
    ['labels that are a list', { labels: [] }, 'INVALID_ARGUMENT', 'items[1].labels'],
    [
      'an unknown label',
      { labels: { gruop: 'x' } },
      'UNKNOWN_COLUMN',
      'items[1].labels.gruop',
      /group/,
    ],
    [
      'a label that is a number',
      { labels: { group: 1 } },
      'INVALID_ARGUMENT',
      'items[1].labels.group',
    ],
    [
      'an unknown column',
      { columns: { kwality: 1 } },
      'UNKNOWN_COLUMN',
      'items[1].columns.kwality',
      /quality/,
    ],
    [
      'a column of NaN',
      { columns: { quality: NaN } },
      'INVALID_ARGUMENT',
      'items[1].columns.quality',
    ],
    [
      'an infinite column',
      { columns: { quality: -Infinity } },
      'INVALID_ARGUMENT',
      'items[1].columns.quality',
    ],
    [
      'a column in text',
      { columns: { quality: '1' } },
      'INVALID_ARGUMENT',
      'items[1].columns.quality',
    ],
    [
      'an unknown space',
      { embeddings: { toste: [1, 0] } },
      'UNKNOWN_SPACE',
      'items[1].embeddings.toste',
      /taste, other/,
    ],
    [
      'the space __proto__',
      { embeddings: JSON.parse('{"__proto__":[1,0]}') as unknown },
      'UNKNOWN_SPACE',
      'items[1].embeddings.__proto__',
    ],
    [
      'too few dimensions',
      embedding([1]),
      'DIMENSION_MISMATCH',
      'items[1].embeddings.taste',
      /expected 2 dimensions, got 1/,
    ],
    [
      'too many dimensions',
      embedding([1, 2, 3]),
      'DIMENSION_MISMATCH',
      'items[1].embeddings.taste',
    ],
    ['an empty vector', embedding([]), 'DIMENSION_MISMATCH', 'items[1].embeddings.taste'],
    ['NaN in a vector', embedding([1, NaN]), 'INVALID_ARGUMENT', 'items[1].embeddings.taste[1]'],
    [
      'infinity in a vector',
      embedding([Infinity, 1]),
      'INVALID_ARGUMENT',
      'items[1].embeddings.taste[0]',
    ],
    [
      'more than float32 holds',
      embedding([1, 1e39]),
      'INVALID_ARGUMENT',
      'items[1].embeddings.taste[1]',
    ],
    [
      'a vector longer than 1e15',
      embedding([3e38, 3e38]),
      'INVALID_ARGUMENT',
      'items[1].embeddings.taste',
    ],
    ['text in a vector', embedding([1, '2']), 'INVALID_ARGUMENT', 'items[1].embeddings.taste[1]'],
    ['a hole in a vector', embedding([, 1]), 'INVALID_ARGUMENT', 'items[1].embeddings.taste[0]'], // eslint-disable-line no-sparse-arrays
    ['a vector that is nothing', embedding(null), 'INVALID_ARGUMENT', 'items[1].embeddings.taste'],
    ['a vector that is text', embedding('12'), 'INVALID_ARGUMENT', 'items[1].embeddings.taste'],
    [
      'a vector of bigints',
      embedding(new BigInt64Array(2)),
      'INVALID_ARGUMENT',
      'items[1].embeddings.taste',
    ],
    [
      'a DataView',
      embedding(new DataView(new ArrayBuffer(8))),
      'INVALID_ARGUMENT',
      'items[1].embeddings.taste',
    ],
    [
      'a detached vector',
      embedding(detached()),
      'INVALID_ARGUMENT',
      'items[1].embeddings.taste',
      /detached/,
    ],
    [
      'a resizable vector',
      embedding(resizable()),
      'INVALID_ARGUMENT',
      'items[1].embeddings.taste',
      /resizable/,
    ],
    [
      'a shared vector',
      embedding(new Float32Array(new SharedArrayBuffer(8))),
      'INVALID_ARGUMENT',
      'items[1].embeddings.taste',
      /SharedArrayBuffer/,
    ],
    ['an id that comes twice', { id: 'new' }, 'DUPLICATE_ID', 'items', /'new' comes twice/],
  ])(
    'refuses %s, naming it, and changes nothing',
    async (_, item, code, argument, ...[message]) => {
      const catalog = await makeCatalog();
      const before = await view(catalog);
      const second =
        item && typeof item === 'object' ? { id: 'second', publishTime: now, ...item } : item;
      await expectRefusal(
        () => untyped(catalog, 'upsert', [good, second, { ...good, id: 'third' }]),
        {
          code,
          argument,
          ...(message && { message }),
        },
      );
      expect(catalog.has('new')).toBe(false);
      expect(await view(catalog)).toEqual(before);
    },
  );

  test('refuses an enormous vector without making room for it', async () => {
    const catalog = await makeCatalog();
    const taste = new Array<number>(2 ** 32 - 1);
    await expectRefusal(() => catalog.upsert([{ ...good, ...embedding(taste) } as never]), {
      code: 'INVALID_ARGUMENT',
      argument: 'items[0].embeddings.taste',
      message: /4294967295/,
    });
  });

  test('takes nothing for nothing', async () => {
    const catalog = await makeCatalog();
    const before = await view(catalog);
    expect(await catalog.upsert([])).toMatchObject({ inserted: 0, replaced: 0 });
    expect(await catalog.remove([])).toMatchObject({ removed: 0, unknown: 0 });
    expect(await view(catalog)).toEqual(before);
  });

  test('does not see what the caller does to its vectors afterwards', async () => {
    const catalog = await makeCatalog();
    const before = await view(catalog);
    const vector = new Float32Array([0, 1]);
    const write = catalog.upsert([
      { id: 'b', publishTime: now - 1000, embeddings: { taste: vector } },
    ]);
    vector.fill(NaN);
    await write;
    expect((await view(catalog))[3]).toEqual(before[3]);
  });

  test('is not upset by an item whose getters write to the catalog or throw', async () => {
    const catalog = await makeCatalog();
    let inner: Promise<unknown> | undefined;
    const nested = {
      id: 'outer',
      get publishTime() {
        inner = catalog.upsert([{ id: 'inner', publishTime: now }]);
        return now;
      },
    };
    await catalog.upsert([nested]);
    await inner;
    expect([catalog.has('outer'), catalog.has('inner')]).toEqual([true, true]);
    const broken = {
      get id(): string {
        throw new Error('mine');
      },
      publishTime: now,
    };
    await expect(catalog.upsert([broken])).rejects.toThrow('mine');
    expect(catalog.size).toBe(4);
  });
});

describe('Catalog.remove and has', () => {
  test.each(notObjects.filter((value) => !Array.isArray(value)))('refuse %p', async (value) => {
    const catalog = await makeCatalog();
    const before = await view(catalog);
    await expectRefusal(() => untyped(catalog, 'remove', value), {
      code: 'INVALID_ARGUMENT',
      argument: 'ids',
    });
    if (typeof value !== 'string') {
      await expectRefusal(() => untyped(catalog, 'has', value), {
        code: 'INVALID_ARGUMENT',
        argument: 'id',
      });
    }
    expect(await view(catalog)).toEqual(before);
  });

  test('count what is not there, and a repetition as not there any more', async () => {
    const catalog = await makeCatalog();
    expect(await catalog.remove(['nobody'])).toMatchObject({ removed: 0, unknown: 1 });
    expect(await catalog.remove(['a', 'a', 'nobody'])).toMatchObject({ removed: 1, unknown: 2 });
    expect([catalog.size, catalog.has('a'), catalog.has('b')]).toEqual([1, false, true]);
  });
});

describe('Catalog.retrieve', () => {
  const good = { space: 'taste', vectors: [1, 0], k: 3, tauMs: 1000, now };

  test.each(notObjects)('refuses %p for options', async (options) => {
    const catalog = await makeCatalog();
    await expectRefusal(() => untyped(catalog, 'retrieve', options), {
      code: 'INVALID_ARGUMENT',
      argument: 'options',
    });
  });

  test.each<[string, object, ErrorCode, string]>([
    ['no space', { space: undefined }, 'UNKNOWN_SPACE', 'space'],
    ['an unknown space', { space: 'toste' }, 'UNKNOWN_SPACE', 'space'],
    ['a space of every object', { space: 'constructor' }, 'UNKNOWN_SPACE', 'space'],
    ['no vectors', { vectors: undefined }, 'INVALID_ARGUMENT', 'vectors'],
    ['empty vectors', { vectors: [] }, 'DIMENSION_MISMATCH', 'vectors'],
    ['one value too many', { vectors: [1, 2, 3] }, 'DIMENSION_MISMATCH', 'vectors'],
    ['NaN in a vector', { vectors: [NaN, 0] }, 'INVALID_ARGUMENT', 'vectors[0]'],
    ['infinity in a vector', { vectors: [0, -Infinity] }, 'INVALID_ARGUMENT', 'vectors[1]'],
    ['a detached vector', { vectors: detached() }, 'INVALID_ARGUMENT', 'vectors'],
    ['a resizable vector', { vectors: resizable() }, 'INVALID_ARGUMENT', 'vectors'],
    [
      'a shared vector',
      { vectors: new Float32Array(new SharedArrayBuffer(8)) },
      'INVALID_ARGUMENT',
      'vectors',
    ],
    ['no k', { k: undefined }, 'INVALID_ARGUMENT', 'k'],
    ['k of 0', { k: 0 }, 'INVALID_ARGUMENT', 'k'],
    ['k of −1', { k: -1 }, 'INVALID_ARGUMENT', 'k'],
    ['k of NaN', { k: NaN }, 'INVALID_ARGUMENT', 'k'],
    ['k of 2^31', { k: 2 ** 31 }, 'INVALID_ARGUMENT', 'k'],
    ['an enormous k', { k: 1e300 }, 'INVALID_ARGUMENT', 'k'],
    ['an infinite k', { k: Infinity }, 'INVALID_ARGUMENT', 'k'],
    ['half a k', { k: 1.5 }, 'INVALID_ARGUMENT', 'k'],
    ['k in text', { k: '3' }, 'INVALID_ARGUMENT', 'k'],
    ['no τ', { tauMs: undefined }, 'INVALID_ARGUMENT', 'tauMs'],
    ['τ of 0', { tauMs: 0 }, 'INVALID_ARGUMENT', 'tauMs'],
    ['τ of −0', { tauMs: -0 }, 'INVALID_ARGUMENT', 'tauMs'],
    ['a negative τ', { tauMs: -1 }, 'INVALID_ARGUMENT', 'tauMs'],
    ['τ of NaN', { tauMs: NaN }, 'INVALID_ARGUMENT', 'tauMs'],
    ['two τ for one vector', { tauMs: [1, 2] }, 'INVALID_ARGUMENT', 'tauMs'],
    [
      'a bad τ of several',
      { vectors: [1, 0, 0, 1], tauMs: [1, 0] },
      'INVALID_ARGUMENT',
      'tauMs[1]',
    ],
    ['now of NaN', { now: NaN }, 'INVALID_ARGUMENT', 'now'],
    ['a negative now', { now: -5 }, 'INVALID_ARGUMENT', 'now'],
    ['an infinite now', { now: Infinity }, 'INVALID_ARGUMENT', 'now'],
    ['an invalid Date', { now: new Date(NaN) }, 'INVALID_ARGUMENT', 'now'],
    ['two now for one vector', { now: [1, 2] }, 'INVALID_ARGUMENT', 'now'],
    ['an unknown way with negatives', { negativeDots: 'flip' }, 'INVALID_ARGUMENT', 'negativeDots'],
    ['an unknown device', { device: 'tpu' }, 'INVALID_ARGUMENT', 'device'],
    ['a device that is a number', { device: 5 }, 'INVALID_ARGUMENT', 'device'],
  ])('refuses %s', async (_, wrong, code, argument) => {
    const catalog = await makeCatalog();
    const before = await view(catalog);
    await expectRefusal(() => untyped(catalog, 'retrieve', { ...good, ...wrong }), {
      code,
      argument,
    });
    expect(await view(catalog)).toEqual(before);
  });

  test('takes what is unusual but right', async () => {
    const catalog = await makeCatalog();
    for (const options of [
      { k: 2 ** 31 - 1 },
      { tauMs: Number.MIN_VALUE },
      { tauMs: Infinity },
      { tauMs: [5] },
      { now: new Date(now) },
      { now: 0 },
      { vectors: new Float64Array([1, 0]) },
      { vectors: new Int8Array([1, 0]) },
      { device: 'cpu' as const },
    ]) {
      const [found] = await catalog.retrieve({ ...good, ...options });
      expect(found!.ids).toEqual(['a', 'b']);
      expect([...found!.scores].every(Number.isFinite)).toBe(true);
    }
  });
});

describe('Catalog.attach', () => {
  test.each<[string, unknown, ErrorCode, string]>([
    ['nothing', undefined, 'INVALID_ARGUMENT', 'handle'],
    ['null', null, 'INVALID_ARGUMENT', 'handle'],
    ['a number', 1, 'INVALID_ARGUMENT', 'handle'],
    ['another kind', { kind: 'feedrank-feed', number: 1 }, 'INVALID_ARGUMENT', 'handle'],
    ['no number', { kind: 'feedrank-catalog' }, 'INVALID_ARGUMENT', 'handle.number'],
    [
      'a number in text',
      { kind: 'feedrank-catalog', number: '1' },
      'INVALID_ARGUMENT',
      'handle.number',
    ],
    [
      'a schema for a number',
      { kind: 'feedrank-catalog', number: { ids: 'string', spaces: [], columns: [], labels: [] } },
      'INVALID_ARGUMENT',
      'handle.number',
    ],
    ['NaN', { kind: 'feedrank-catalog', number: NaN }, 'INVALID_ARGUMENT', 'handle.number'],
    [
      'a number that nobody has',
      { kind: 'feedrank-catalog', number: 4_000_000 },
      'DISPOSED',
      'handle',
    ],
    ['0', { kind: 'feedrank-catalog', number: 0 }, 'DISPOSED', 'handle'],
  ])('refuses %s', async (_, handle, code, argument) => {
    await expectRefusal(() => untyped(Catalog, 'attach', handle), { code, argument });
  });

  test('gives another view of the same items, which outlives the first', async () => {
    const catalog = await makeCatalog();
    const handle = structuredClone(catalog.handle());
    const other = Catalog.attach(handle);
    await other.upsert([{ id: 'c', publishTime: now }]);
    expect([catalog.size, catalog.has('c'), other.epoch]).toEqual([3, true, catalog.epoch]);
    catalog.dispose();
    expect(other.size).toBe(3);
    expect(Catalog.attach(handle).has('a')).toBe(true);
  });
});

test('a disposed catalog is refused by every call, and disposing again does nothing', async () => {
  const catalog = await makeCatalog();
  const pending = catalog.upsert([{ id: 'c', publishTime: now }]);
  await catalog[Symbol.asyncDispose]();
  catalog.dispose();
  // What began before still ends as it should.
  expect(await pending).toMatchObject({ inserted: 1 });
  const calls: (() => unknown)[] = [
    () => catalog.upsert([{ id: 'd', publishTime: now }]),
    () => catalog.remove(['a']),
    () => catalog.has('a'),
    () => catalog.retrieve({ space: 'taste', vectors: [1, 0], k: 1, tauMs: 1 }),
    () => catalog.handle(),
    () => catalog.size,
    () => catalog.epoch,
    () => catalog.bytes,
  ];
  for (const call of calls) {
    await expectRefusal(call, { code: 'DISPOSED', argument: 'catalog' });
  }
});
