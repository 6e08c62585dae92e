import path from 'node:path';

import { Catalog, Feed, fresh, Model, saveScriptedNetwork, torchScript, where } from '../../src';
import { expectRefusal, untyped } from '../support/errors';
import { temporaryFolder } from '../support/temporary-folder';

const now = Date.UTC(2026, 0, 15, 12);
const prices = Array.from({ length: 100 }, (_, id) => id / 10);

async function makeCatalog(columnPrecision?: 'float64' | 'float32'): Promise<Catalog> {
  const catalog = await Catalog.create({
    ids: 'integer',
    columns: ['price', 'unknown', 'length'],
    ...(columnPrecision === undefined ? {} : { columnPrecision }),
  });
  await catalog.upsert(
    prices.map((price, id) => ({
      id,
      publishTime: now - 1000 * id,
      columns: { price, length: 16_777_217 },
    })),
  );
  return catalog;
}

/** A model whose score is its first feature. */
async function makeModel(): Promise<Model> {
  const file = path.join(temporaryFolder(), 'first.pt');
  const layers = [{ inputs: 4, outputs: 1, weights: [1, 0, 0, 0], bias: [0] }];
  await saveScriptedNetwork({ mean: [0, 0, 0, 0], scale: [1, 1, 1, 1], layers }, file);
  const source = 'column';
  const features = [
    { name: 'price', source, column: 'price' },
    { name: 'logarithm', source, column: 'price', transformation: 'log1p' },
    { name: 'in the pool', source, column: 'price', reference: 'pool' },
    { name: 'unknown', source, column: 'unknown', missing: -1 },
  ] as const;
  return Model.load(file, { allowUnverified: true, description: { formatVersion: 1, features } });
}

/** Prices as a ranker gets them, of the items of this length. */
async function scores(catalog: Catalog, length: number): Promise<Map<unknown, number>> {
  const feed = await Feed.create({
    catalog,
    generators: [fresh()],
    filters: [where([{ column: 'length', atLeast: length, atMost: length }])],
    ranker: torchScript(await makeModel()),
    profile: { maxCandidates: 100 },
  });
  const slate = await feed.rank({ now, limit: 100 });
  return new Map(slate.items.map(({ id, score }) => [id, score]));
}

test.each(['float64', 'float32'] as const)('columns in %s give features of float32', async (as) => {
  const catalog = await makeCatalog(as);
  const found = await scores(catalog, as === 'float64' ? 16_777_217 : 16_777_216);
  expect(found.size).toBe(100);
  prices.forEach((price, id) => expect(found.get(id)).toBe(Math.fround(price)));
});

test('float64 is the default, and conditions read what is kept', async () => {
  expect((await scores(await makeCatalog(), 16_777_217)).size).toBe(100);
  expect((await scores(await makeCatalog('float32'), 16_777_217)).size).toBe(0);
});

test('an attached catalog knows the precision', async () => {
  const attached = Catalog.attach((await makeCatalog('float32')).handle());
  await expectRefusal(
    () => attached.upsert([{ id: 1, publishTime: now, columns: { price: 1e39 } }]),
    { code: 'INVALID_ARGUMENT', argument: 'items[0].columns.price' },
  );
  expect(attached.size).toBe(100);
});

test.each(['float16', 32, {}])('refuses %p', async (columnPrecision) => {
  await expectRefusal(() => untyped(Catalog, 'create', { ids: 'integer', columnPrecision }), {
    code: 'INVALID_ARGUMENT',
    argument: 'columnPrecision',
  });
});
