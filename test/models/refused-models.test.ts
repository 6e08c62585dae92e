import fs from 'node:fs';
import path from 'node:path';
import {
  Catalog,
  Feed,
  Model,
  saveScriptedNetwork,
  torchScript,
  type ErrorCode,
  type ScriptedNetwork,
} from '../../src';
import { expectRefusal, refusal, untyped } from '../support/errors';
import { temporaryFolder } from '../support/temporary-folder';

const fixtures = path.resolve(__dirname, '../fixtures/torchscript');
const single = path.join(fixtures, 'single/model.pt');
const allowUnverified = true;
const sixFeatures = Array.from({ length: 6 }, (_, f) => ({ name: `f${f}` }));

/** A folder with a model file of the given bytes and a description that fits. */
function folderWith(bytes: Uint8Array, description?: unknown): string {
  const folder = temporaryFolder();
  fs.writeFileSync(path.join(folder, 'model.pt'), bytes);
  const json = path.join(folder, 'model.json');
  if (typeof description === 'string') fs.writeFileSync(json, description);
  else if (description !== undefined) fs.writeFileSync(json, JSON.stringify(description));
  else fs.copyFileSync(path.join(fixtures, 'single/model.json'), json);
  return path.join(folder, 'model.pt');
}

test('a bare file is not loaded unless it is allowed to', async () => {
  for (const options of [undefined, {}, { allowUnverified: false }, { allowUnverified: 1 }]) {
    await expectRefusal(() => untyped(Model, 'load', single, options), {
      code: 'MODEL_UNVERIFIED',
      argument: 'path',
      message: /allowUnverified: true/,
    });
  }
});

test.each([null, 5, 'yes', []])('options of %p are refused', async (options) => {
  await expectRefusal(() => untyped(Model, 'load', single, options), {
    code: 'INVALID_ARGUMENT',
    argument: 'options',
  });
});

test.each([undefined, null, '', 5, {}, `${single}\u0000`])(
  'a path of %p is refused',
  async (value) => {
    await expectRefusal(() => untyped(Model, 'load', value, { allowUnverified }), {
      code: 'INVALID_ARGUMENT',
      argument: 'path',
    });
  },
);

test('a file that is not there, or is a folder, is named', async () => {
  const description = { formatVersion: 1, features: sixFeatures };
  for (const wrong of ['nowhere.pt', 'single', `${'x'.repeat(5000)}.pt`]) {
    const error = await refusal(() =>
      Model.load(path.join(fixtures, wrong), { allowUnverified, description }),
    );
    expect({ wrong, code: error.code, argument: error.argument }).toEqual({
      wrong,
      code: wrong === 'single' ? (expect.stringMatching(/^MODEL_/) as string) : 'MODEL_NOT_FOUND',
      argument: 'path',
    });
  }
});

test('a file that is empty, truncated anywhere or something else is corrupt, and the process goes on', async () => {
  const bytes = fs.readFileSync(single);
  const cuts = [0, 1, 4, 30, 100, 1000, bytes.length >> 1, bytes.length - 100, bytes.length - 1];
  const broken: Uint8Array[] = [
    ...cuts.map((length) => bytes.subarray(0, length)),
    Buffer.from('print("hello")'),
    Buffer.alloc(5000),
    Buffer.concat([Buffer.alloc(1000), bytes.subarray(1000)]),
    // A zip file that is no model.
    Buffer.concat([Buffer.from('PK\u0005\u0006'), Buffer.alloc(18)]),
  ];
  for (const content of broken) {
    await expectRefusal(() => Model.load(folderWith(content), { allowUnverified }), {
      code: 'MODEL_CORRUPT',
      argument: 'path',
    });
  }
  const model = await Model.load(single, { allowUnverified });
  expect(model.heads).toEqual(['score']);
});

test.each<[string, string, ErrorCode, RegExp]>([
  ['takes fewer features', 'single', 'MODEL_SHAPE', /4 features/],
  ['answers one row a feature', 'wrong-shape', 'MODEL_SHAPE', /\[n\], \[n, heads\]/],
  ['answers NaN to plain input', 'always-nan', 'MODEL_OUTPUT', /NaN/],
])('a model that %s is refused when it is loaded', async (_, name, code, message) => {
  const features = name === 'single' ? sixFeatures.slice(0, 4) : sixFeatures;
  const description = { formatVersion: 1, features };
  await expectRefusal(
    () => Model.load(path.join(fixtures, name, 'model.pt'), { allowUnverified, description }),
    { code, message },
  );
});

test.each<[string, string, object[], RegExp]>([
  ['fewer heads', 'heads', [{ name: 'a' }], /3 heads where its description names 1/],
  ['more heads', 'single', [{ name: 'a' }, { name: 'b' }], /1 heads where its description names 2/],
  ['other keys', 'named', [{ name: 'click' }, { name: 'like' }], /keys differ/],
])('a description with %s than the model has is refused', async (_, name, heads, message) => {
  const description = { formatVersion: 1, features: sixFeatures, heads };
  await expectRefusal(
    () => Model.load(path.join(fixtures, name, 'model.pt'), { allowUnverified, description }),
    { code: 'MODEL_SHAPE', message },
  );
});

test.each<[string, unknown, RegExp]>([
  ['no JSON', '{"formatVersion": 1,', /model\.json: expected valid JSON/],
  ['an empty file', '', /model\.json: expected valid JSON/],
  ['an array', [], /model\.json/],
  ['null', 'null', /model\.json/],
  ['no version', { features: sixFeatures }, /formatVersion/],
  ['a version of the future', { formatVersion: 2, features: sixFeatures }, /formatVersion/],
  ['no features', { formatVersion: 1 }, /features/],
  ['an empty list of features', { formatVersion: 1, features: [] }, /features/],
  ['a feature without a name', { formatVersion: 1, features: [{}] }, /features\.0\.name/],
  [
    'a feature twice',
    { formatVersion: 1, features: [{ name: 'a' }, { name: 'a' }] },
    /distinct feature names/,
  ],
  [
    'a head without a name',
    { formatVersion: 1, features: sixFeatures, heads: [{}] },
    /heads\.0\.name/,
  ],
  [
    'a head twice',
    { formatVersion: 1, features: sixFeatures, heads: [{ name: 'a' }, { name: 'a' }] },
    /distinct head names/,
  ],
  ['no heads', { formatVersion: 1, features: sixFeatures, heads: [] }, /heads/],
  [
    'a weight that is text',
    { formatVersion: 1, features: sixFeatures, heads: [{ name: 'a', weight: '1' }] },
    /heads\.0\.weight/,
  ],
])('a model.json that is or has %s is refused', async (_, content, message) => {
  const file = folderWith(fs.readFileSync(single), content);
  await expectRefusal(() => Model.load(file, { allowUnverified }), {
    code: 'MODEL_DESCRIPTION',
    message,
  });
});

test('a missing model.json is named', async () => {
  const folder = temporaryFolder();
  fs.copyFileSync(single, path.join(folder, 'model.pt'));
  await expectRefusal(() => Model.load(path.join(folder, 'model.pt'), { allowUnverified }), {
    code: 'MODEL_NOT_FOUND',
    message: /model\.json/,
  });
});

test('a description given as an option is checked as the file is', async () => {
  for (const description of [null, 5, 'x', { formatVersion: 1 }]) {
    await expectRefusal(() => Model.load(single, { allowUnverified, description }), {
      code: 'MODEL_DESCRIPTION',
      message: /^description/,
    });
  }
});

test.each<[string, unknown, ErrorCode, string]>([
  ['nothing', undefined, 'INVALID_ARGUMENT', 'features'],
  ['a number', 5, 'INVALID_ARGUMENT', 'features'],
  ['text', 'abcdef', 'INVALID_ARGUMENT', 'features'],
  ['half a row', [1, 2, 3], 'DIMENSION_MISMATCH', 'features'],
  ['NaN', [1, 2, 3, NaN, 5, 6], 'INVALID_ARGUMENT', 'features[3]'],
  ['a hole', [1, 2, , 4, 5, 6], 'INVALID_ARGUMENT', 'features[2]'], // eslint-disable-line no-sparse-arrays
  ['more than float32 holds', [1, 2, 3, 4, 5, 1e39], 'INVALID_ARGUMENT', 'features[5]'],
  ['a bigint array', new BigInt64Array(6), 'INVALID_ARGUMENT', 'features'],
  ['shared memory', new Float32Array(new SharedArrayBuffer(24)), 'INVALID_ARGUMENT', 'features'],
])('score refuses %s', async (_, features, code, argument) => {
  const model = await Model.load(single, { allowUnverified });
  await expectRefusal(() => untyped(model, 'score', features), { code, argument });
  expect(await model.score([])).toEqual(new Float32Array(0));
  expect((await model.score(new Float32Array(6))).length).toBe(1);
});

test('a score that would be NaN is an error, not an answer', async () => {
  const model = await Model.load(path.join(fixtures, 'far-off/model.pt'), { allowUnverified });
  await expectRefusal(() => model.score([100, 0, 0, 0, 0, 0]), { code: 'MODEL_OUTPUT' });
});

test('a disposed model is refused everywhere, and feeds made before keep it', async () => {
  const columns = sixFeatures.map((_, f) => `c${f}`);
  const catalog = await Catalog.create({ ids: 'string', columns });
  await catalog.upsert([{ id: 'a', publishTime: 0 }]);
  const model = await Model.load(single, { allowUnverified });
  const feed = await Feed.create({ catalog, ranker: torchScript(model) });
  await model[Symbol.asyncDispose]();
  model.dispose();
  const refused = { code: 'DISPOSED', argument: 'model' } as const;
  await expectRefusal(() => model.score(new Float32Array(6)), refused);
  await expectRefusal(() => Feed.create({ catalog, ranker: torchScript(model) }), refused);
  expect((await feed.rerank({ budgetMs: 60_000 }, ['a'])).degraded).toEqual([]);
});

test('a model whose features the catalog lacks is refused when the feed is made', async () => {
  const catalog = await Catalog.create({ ids: 'string', columns: ['c0'] });
  const model = await Model.load(single, { allowUnverified });
  await expectRefusal(() => Feed.create({ catalog, ranker: torchScript(model) }), {
    code: 'UNKNOWN_COLUMN',
    argument: 'features.f1.column',
    message: /no column "c1"; it has: c0/,
  });
  const description = { formatVersion: 1, features: sixFeatures };
  const unnamed = await Model.load(single, { allowUnverified, description });
  await expectRefusal(() => Feed.create({ catalog, ranker: torchScript(unnamed) }), {
    code: 'UNKNOWN_FEATURE',
    argument: 'model.features[0]',
  });
});

const layer = { inputs: 2, outputs: 1, weights: [1, 1], bias: [0] };
const network: ScriptedNetwork = { mean: [0, 0], scale: [1, 1], layers: [layer] };

test.each<[string, unknown, string]>([
  ['nothing', undefined, 'network'],
  ['no layers', { ...network, layers: undefined }, 'network.layers'],
  ['an empty list of layers', { ...network, layers: [] }, 'layers'],
  ['a layer that is nothing', { ...network, layers: [null] }, 'network.layers[0]'],
  ['a mean of NaN', { ...network, mean: [0, NaN] }, 'network.mean[1]'],
  ['a short mean', { ...network, mean: [0] }, 'mean'],
  ['no outputs', { ...network, layers: [{ ...layer, outputs: 0 }] }, 'network.layers[0].outputs'],
  ['too few weights', { ...network, layers: [{ ...layer, weights: [1] }] }, 'layers[0]'],
  ['no bias', { ...network, layers: [{ ...layer, bias: undefined }] }, 'network.layers[0].bias'],
  ['layers that do not fit', { ...network, layers: [layer, layer] }, 'layers[1]'],
])('saveScriptedNetwork refuses %s and writes nothing', async (_, wrong, argument) => {
  const file = path.join(temporaryFolder(), 'model.pt');
  await expectRefusal(() => saveScriptedNetwork(wrong as ScriptedNetwork, file), {
    code: 'INVALID_ARGUMENT',
    argument,
  });
  expect(fs.existsSync(file)).toBe(false);
});

test('saveScriptedNetwork says where it could not write', async () => {
  const file = path.join(temporaryFolder(), 'nowhere', 'model.pt');
  await expectRefusal(() => saveScriptedNetwork(network, file), {
    code: 'FILE_NOT_WRITTEN',
    argument: 'path',
    message: /nowhere/,
  });
  await expectRefusal(() => untyped({ saveScriptedNetwork }, 'saveScriptedNetwork', network, ''), {
    code: 'INVALID_ARGUMENT',
    argument: 'path',
  });
});
