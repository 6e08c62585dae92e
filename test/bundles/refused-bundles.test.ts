import fs from 'node:fs';
import path from 'node:path';
import { Bundle, type BundleManifest, type ErrorCode } from '../../src';
import { sealManifest } from '../../src/bundles/seal-manifest';
import { writeBundle, type BundleParts } from '../../src/bundles/write-bundle';
import { expectRefusal, untyped } from '../support/errors';
import { temporaryFolder } from '../support/temporary-folder';
import { archiveOf, rankerEntries, rankerParts, towerParts } from './small-ranker';

type Change = (manifest: Writable<BundleManifest>) => unknown;
type Writable<T> = { -readonly [K in keyof T]: Writable<T[K]> };

/** A bundle whose manifest says something else, with a checksum that is right. */
async function forged(change: Change, parts = towerParts()): Promise<string> {
  const folder = path.join(temporaryFolder(), 'bundle');
  await writeBundle(folder, await parts);
  const file = path.join(folder, 'manifest.json');
  const manifest = JSON.parse(fs.readFileSync(file, 'utf8')) as Writable<BundleManifest>;
  Object.assign(manifest, { checksum: undefined });
  change(manifest);
  fs.writeFileSync(file, sealManifest(manifest));
  return folder;
}

test('the forger writes bundles that open when it changes nothing', async () => {
  expect((await Bundle.open(await forged(() => undefined))).ranker).toBeDefined();
});

test.each<[string, ErrorCode, RegExp, Change]>([
  [
    'of a newer format',
    'BUNDLE_VERSION',
    /format version 2; .* up to 1$/,
    (manifest) => Object.assign(manifest, { formatVersion: 2, files: 'in another form' }),
  ],
  [
    'of a newer LibTorch',
    'BUNDLE_VERSION',
    /LibTorch 2\.99\.0, which is newer than the 2\./,
    (manifest) => (manifest.versions.libtorch = '2.99.0'),
  ],
  [
    'of the next LibTorch',
    'BUNDLE_VERSION',
    /LibTorch 3\.0/,
    (manifest) => (manifest.versions.libtorch = '3.0.0+cpu'),
  ],
  [
    'with other answers',
    'BUNDLE_GOLDEN',
    /golden row 1, head click: expected 5\.001, got 5$/,
    (manifest) => (manifest.ranker!.golden.outputs[1]![0] = 5.001),
  ],
  [
    'of format 0',
    'BUNDLE_CORRUPT',
    /manifest\.json .*formatVersion/,
    (manifest) => Object.assign(manifest, { formatVersion: 0 }),
  ],
  [
    'without a kind',
    'BUNDLE_CORRUPT',
    /kind/,
    (manifest) => Object.assign(manifest, { kind: undefined }),
  ],
  [
    'that lists nothing',
    'BUNDLE_CORRUPT',
    /does not list ranker\.pt/,
    (manifest) => (manifest.files = {}),
  ],
  [
    'that lists a path',
    'BUNDLE_CORRUPT',
    /manifest\.json .*"\.\.\/ranker\.pt"/,
    (manifest) => (manifest.files['../ranker.pt'] = manifest.files['ranker.pt']!),
  ],
  [
    'that names a path',
    'BUNDLE_CORRUPT',
    /ranker\.file/,
    (manifest) => (manifest.ranker!.file = '/etc/passwd'),
  ],
  [
    'with an unknown source',
    'BUNDLE_CORRUPT',
    /ranker\.features\[0\]\.source/,
    (manifest) => Object.assign(manifest.ranker!.features[0]!, { source: 'guess' }),
  ],
  [
    'with a feature without a source',
    'BUNDLE_CORRUPT',
    /source/,
    (manifest) => Object.assign(manifest.ranker!.features[0]!, { source: undefined }),
  ],
  [
    'with a feature twice',
    'BUNDLE_CORRUPT',
    /distinct names/,
    (manifest) => (manifest.ranker!.features[1] = manifest.ranker!.features[0]!),
  ],
  [
    'with a shape that does not fit',
    'BUNDLE_CORRUPT',
    /ranker\.input/,
    (manifest) => (manifest.ranker!.input.shape = ['n', 3]),
  ],
  [
    'with golden rows that do not fit',
    'BUNDLE_CORRUPT',
    /golden\.inputs\[0\]/,
    (manifest) => manifest.ranker!.golden.inputs[0]!.pop(),
  ],
  [
    'whose item tower answers otherwise',
    'BUNDLE_GOLDEN',
    /golden item 1/,
    (manifest) => (manifest.towers!.golden.item.outputs[1]![0]! += 0.001),
  ],
  [
    'whose user tower answers otherwise',
    'BUNDLE_GOLDEN',
    /golden reader 0/,
    (manifest) => (manifest.towers!.golden.user.outputs[0]![1]! -= 0.001),
  ],
  [
    'with golden readers that do not fit',
    'BUNDLE_CORRUPT',
    /manifest\.json/,
    (manifest) => manifest.towers!.golden.user.reads.pop(),
  ],
  [
    'with another number of items',
    'BUNDLE_CORRUPT',
    /towers\.items/,
    (manifest) => (manifest.towers!.items = 4),
  ],
  [
    'with other dimensions',
    'BUNDLE_CORRUPT',
    /item-vectors\.f32/,
    (manifest) => (manifest.towers!.space.dimensions = 3),
  ],
  [
    'with ids of another kind',
    'BUNDLE_CORRUPT',
    /item-ids\.json/,
    (manifest) => (manifest.towers!.ids = 'integer'),
  ],
  [
    'with neither',
    'BUNDLE_CORRUPT',
    /neither a ranker nor towers/,
    (manifest) => {
      delete manifest.ranker;
      delete manifest.towers;
    },
  ],
])('a bundle %s is refused', async (_, code, message, change) => {
  const folder = await forged(change);
  await expectRefusal(() => Bundle.open(folder), { code, argument: 'path', message });
});

test('files of a bundle are inspected although their hashes are right', async () => {
  const entries = await rankerEntries();
  const evil = new Map(entries).set('code/__torch__.py', Buffer.from('import os\n'));
  const parts = await towerParts();
  const write = async (changed: BundleParts) => {
    const folder = path.join(temporaryFolder(), 'bundle');
    await writeBundle(folder, changed);
    return folder;
  };
  const ranker = await write({ ...parts, ranker: { ...parts.ranker!, bytes: archiveOf(evil) } });
  const tower = await write({
    ...parts,
    towers: { ...parts.towers, itemTower: archiveOf(evil) },
  });
  const refused = { code: 'MODEL_REFUSED', argument: 'path' } as const;
  await expectRefusal(() => Bundle.open(ranker), { ...refused, message: /ranker\.pt' is refused/ });
  await expectRefusal(() => Bundle.open(tower), { ...refused, message: /item-tower\.pt' is/ });
});

test.each([undefined, null, '', 5, {}, 'a\u0000b'])('a path of %p is refused', async (value) => {
  const refused = { code: 'INVALID_ARGUMENT', argument: 'path' } as const;
  await expectRefusal(() => untyped(Bundle, 'open', value), refused);
  await expectRefusal(async () => writeBundle(value as string, await rankerParts()), refused);
});

test('a folder without a manifest is no bundle, and neither is a file', async () => {
  const folder = temporaryFolder();
  const file = path.join(folder, 'file');
  fs.writeFileSync(file, 'x');
  fs.mkdirSync(path.join(folder, 'odd', 'manifest.json'), { recursive: true });
  for (const wrong of [folder, file, path.join(folder, 'odd'), path.join(folder, 'nowhere')]) {
    await expectRefusal(() => Bundle.open(wrong), { code: 'BUNDLE_NOT_FOUND', argument: 'path' });
  }
});

const row = [1, 2];

test.each<[string, string, (parts: BundleParts) => unknown]>([
  ['nothing', 'parts', ({ ranker: _, towers: __, ...rest }) => rest],
  ['text', 'parts', () => 'text'],
  [
    'no features',
    'parts.ranker.features',
    (p) => ({ ...p, ranker: { ...p.ranker, features: [] } }),
  ],
  [
    'a feature by its name alone',
    'parts.ranker.features[0].source',
    (p) => ({ ...p, ranker: { ...p.ranker, features: [{ name: 'age' }] } }),
  ],
  ['no heads', 'parts.ranker.heads', (p) => ({ ...p, ranker: { ...p.ranker, heads: [] } })],
  [
    'a weight of NaN',
    'parts.ranker.heads[0].weight',
    (p) => ({ ...p, ranker: { ...p.ranker, heads: [{ name: 'a', weight: NaN }] } }),
  ],
  ['no bytes', 'parts.ranker.bytes', (p) => ({ ...p, ranker: { ...p.ranker, bytes: 'PK' } })],
  [
    'golden rows of NaN',
    'parts.ranker.golden.inputs[0]',
    (p) => ({ ...p, ranker: { ...p.ranker, golden: { inputs: [[1, NaN]], outputs: [row] } } }),
  ],
  [
    'more inputs than outputs',
    'parts.ranker.golden.outputs',
    (p) => ({ ...p, ranker: { ...p.ranker, golden: { inputs: [row, row], outputs: [row] } } }),
  ],
  ['a metric of NaN', 'parts.metrics.auc', (p) => ({ ...p, metrics: { auc: NaN } })],
  [
    'an option that is a function',
    'parts.training.a[1]',
    (p) => ({ ...p, training: { a: [1, Date] } }),
  ],
  [
    'an item twice',
    'parts.towers.items.ids',
    (p) => ({ ...p, towers: { ...p.towers, items: { ...p.towers!.items, ids: ['a', 'b', 'a'] } } }),
  ],
  [
    'half a vector',
    'parts.towers.items.vectors',
    (p) => ({
      ...p,
      towers: { ...p.towers, items: { ...p.towers!.items, vectors: new Float32Array(5) } },
    }),
  ],
])('a bundle of %s is not written', async (_, argument, change) => {
  const folder = temporaryFolder();
  const parts = change(await towerParts()) as BundleParts;
  await expectRefusal(() => writeBundle(path.join(folder, 'bundle'), parts), {
    code: argument === 'parts.towers.items.ids' ? 'DUPLICATE_ID' : 'INVALID_ARGUMENT',
    argument,
  });
  expect(fs.readdirSync(folder)).toEqual([]);
});
