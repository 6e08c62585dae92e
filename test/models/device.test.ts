import fs from 'node:fs';
import path from 'node:path';
import { Bundle, Catalog, Feed, Model, type BundleOpenOptions } from '../../src';
import { writeBundle } from '../../src/bundles/write-bundle';
import { features, rankerBytes, rankerParts } from '../bundles/small-ranker';
import { findLibTorch } from '../../lib/find-libtorch.js';
import { expectRefusal } from '../support/errors';
import { temporaryFolder } from '../support/temporary-folder';
import { unhurried } from '../support/world';

const description = { formatVersion: 1, features };
const unavailable = {
  code: 'DEVICE_UNAVAILABLE',
  argument: 'device',
  message: /finds no CUDA device; use 'cpu'/,
} as const;

async function modelFile(): Promise<string> {
  const file = path.join(temporaryFolder(), 'ranker.pt');
  fs.writeFileSync(file, await rankerBytes());
  return file;
}

async function bundleFolder(): Promise<string> {
  const folder = path.join(temporaryFolder(), 'bundle');
  await writeBundle(folder, await rankerParts(), { createdAt: new Date() });
  return folder;
}

const hasCuda = fs.existsSync(path.join(findLibTorch().found?.dir ?? '', 'lib/libtorch_cuda.so'));

/** Like `test`, but skipped, saying why, where LibTorch may find a device. */
const testWithoutCuda = (name: string, body: () => Promise<void>): void => {
  if (!hasCuda) test(name, body);
  else test.skip(`${name} (needs a LibTorch without CUDA)`, () => undefined);
};

testWithoutCuda('a model or a bundle for CUDA is refused where there is none', async () => {
  const file = await modelFile();
  const options = { allowUnverified: true, description } as const;
  for (const precision of ['float32', 'bfloat16', 'int8'] as const) {
    await expectRefusal(() => Model.load(file, { ...options, precision, device: 'cuda' }), {
      ...unavailable,
    });
  }
  const folder = await bundleFolder();
  await expectRefusal(() => Bundle.open(folder, { device: 'cuda' }), unavailable);
  await using model = await Model.load(file, { ...options, device: 'cpu' });
  expect([...(await model.score([3, 4]))]).toEqual([11, -2]);
});

testWithoutCuda('a feed for CUDA is refused where there is none, and changes nothing', async () => {
  const folder = await bundleFolder();
  const catalog = await Catalog.create({ ids: 'string' });
  await catalog.upsert([{ id: 'x', publishTime: 0 }]);
  const options = { catalog, bundle: folder, profile: unhurried };
  const feed = await Feed.create(options);
  const before = (await feed.rerank({ now: 0 }, ['x'])).items;
  await expectRefusal(() => Feed.create({ ...options, device: 'cuda' }), unavailable);
  const opened = await Bundle.open(folder);
  await expectRefusal(
    () => Feed.create({ ...options, bundle: opened, device: 'cuda' }),
    unavailable,
  );
  expect((await feed.rerank({ now: 0 }, ['x'])).items).toEqual(before);
  const another = await Feed.create({ ...options, bundle: opened });
  expect((await another.rerank({ now: 0 }, ['x'])).items).toEqual(before);
});

test.each(['gpu', 'CUDA', 'cuda:0', '', null, 0, {}, ['cpu']])(
  'a device of %p is refused',
  async (value) => {
    const device = value as NonNullable<BundleOpenOptions['device']>;
    const refused = {
      code: 'INVALID_ARGUMENT',
      argument: 'device',
      message: /'cpu' or 'cuda'/,
    } as const;
    const file = await modelFile();
    await expectRefusal(() => Model.load(file, { allowUnverified: true, device }), refused);
    const folder = await bundleFolder();
    await expectRefusal(() => Bundle.open(folder, { device }), refused);
    const catalog = await Catalog.create({ ids: 'string' });
    await expectRefusal(() => Feed.create({ catalog, bundle: folder, device }), refused);
  },
);

test('a package of native code runs on the cpu alone', async () => {
  await expectRefusal(
    () =>
      Model.load('ranker.pt2', { allowUnverified: true, allowNativeCode: true, device: 'cuda' }),
    { code: 'INVALID_ARGUMENT', argument: 'device', message: /packages are compiled for/ },
  );
});
