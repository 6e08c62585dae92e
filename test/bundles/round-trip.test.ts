import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { Bundle, Catalog, evaluate, Feed, Model, torchScript } from '../../src';
import { writeBundle, type BundleParts } from '../../src/bundles/write-bundle';
import { expectRefusal, untyped } from '../support/errors';
import { runPython, testWithPython } from '../support/python-torch';
import { Lcg } from '../support/random';
import { temporaryFolder } from '../support/temporary-folder';
import { unhurried } from '../support/world';
import { features, rankerParts, towerParts, towersAlone } from './small-ranker';

const createdAt = new Date('2026-01-15T12:00:00Z');

async function written(parts: Promise<BundleParts> = rankerParts()): Promise<string> {
  const folder = path.join(temporaryFolder(), 'bundle');
  await writeBundle(folder, await parts, { createdAt });
  return folder;
}

test('a bundle that was written opens with all that was put into it', async () => {
  const parts = await rankerParts();
  const folder = await written();
  await using bundle = await Bundle.open(folder);
  const { manifest } = bundle;
  expect(manifest).toMatchObject({
    formatVersion: 1,
    kind: 'feedrank-bundle',
    createdAt: createdAt.toISOString(),
    training: parts.training,
    data: parts.data,
    metrics: parts.metrics,
    ranker: {
      file: 'ranker.pt',
      features,
      input: { type: 'float32', shape: ['n', 2] },
      output: { type: 'float32', shape: ['n', 2] },
      heads: parts.ranker!.heads,
      golden: parts.ranker!.golden,
    },
  });
  expect(manifest.towers).toBeUndefined();
  expect(bundle.ranker!.heads).toEqual(['click', 'dwell']);
  expect(bundle.ranker!.description.features).toEqual(features);
  expect([...(await bundle.ranker!.score([3, 4, -1, 2]))]).toEqual([11, -2, 3, 2]);
});

test('the manifest gives size and SHA-256 of each file, and of itself up to its last line', async () => {
  const folder = await written(towerParts());
  const text = fs.readFileSync(path.join(folder, 'manifest.json'), 'utf8');
  const manifest = JSON.parse(text) as Bundle['manifest'];
  const hash = (bytes: string | Buffer) => createHash('sha256').update(bytes).digest('hex');
  const names = fs.readdirSync(folder).filter((name) => name !== 'manifest.json');
  expect(Object.keys(manifest.files).sort()).toEqual(names.sort());
  for (const name of names) {
    const bytes = fs.readFileSync(path.join(folder, name));
    expect(manifest.files[name]).toEqual({ bytes: bytes.length, sha256: hash(bytes) });
  }
  const lines = text.split('\n');
  expect(lines.slice(-3)).toEqual([`  "checksum": "${manifest.checksum}"`, '}', '']);
  expect(manifest.checksum).toBe(hash(`${lines.slice(0, -3).join('\n')}\n`));
});

test('towers come back to the last bit, with ids of either kind', async () => {
  const parts = await towerParts();
  const strings = await Bundle.open(await written(towerParts()));
  const { ids, vectors } = parts.towers.items;
  expect(strings.towers!.space).toEqual(parts.towers.space);
  expect(strings.towers!.description).toEqual(parts.towers.description);
  expect(strings.towers!.itemVectors()).toEqual({ ids, vectors });
  const items = {
    ids: [0, -5, 2 ** 53 - 1],
    kind: 'integer',
    vectors: new Float32Array(6),
  } as const;
  const rest = await towersAlone();
  const integers = await Bundle.open(
    await written(Promise.resolve({ ...rest, towers: { ...rest.towers, items } })),
  );
  expect(integers.ranker).toBeUndefined();
  expect(integers.towers!.itemVectors()).toEqual({ ids: items.ids, vectors: items.vectors });
});

test('two bundles of the same parts differ in the instant alone', async () => {
  const read = (folder: string) =>
    Object.fromEntries(
      fs.readdirSync(folder).map((name) => [name, fs.readFileSync(path.join(folder, name))]),
    );
  const parts = towerParts();
  const [a, b] = [await written(parts), await written(parts)];
  expect(read(a)).toEqual(read(b));
  await writeBundle(b, await parts, { force: true });
  const manifests = [a, b].map(
    (folder) => JSON.parse(String(read(folder)['manifest.json'])) as Record<string, unknown>,
  );
  for (const manifest of manifests) {
    delete manifest['createdAt'];
    delete manifest['checksum'];
  }
  expect(manifests[0]).toEqual(manifests[1]);
});

async function smallCatalog(): Promise<Catalog> {
  const catalog = await Catalog.create({ ids: 'integer' });
  const now = createdAt.getTime();
  await catalog.upsert(
    Array.from({ length: 30 }, (_, id) => ({ id, publishTime: now - id * 3_600_000 })),
  );
  return catalog;
}

test('a feed made with a bundle, opened or not, ranks by its ranker', async () => {
  const catalog = await smallCatalog();
  const folder = await written();
  const bundle = await Bundle.open(folder);
  const common = { catalog, profile: unhurried };
  const feeds = [
    await Feed.create({ ...common, ranker: torchScript(bundle.ranker!) }),
    await Feed.create({ ...common, bundle }),
    await Feed.create({ ...common, bundle: folder }),
  ];
  const ids = Array.from({ length: 30 }, (_, id) => id);
  const answers = await Promise.all(
    feeds.map(async (feed) => {
      const slate = await feed.rerank({ now: createdAt }, ids);
      expect(slate.degraded).toEqual([]);
      return slate.items.map(({ id, score, terms }) => ({ id, score, terms }));
    }),
  );
  expect(new Set(answers[0]!.map(({ score }) => score)).size).toBeGreaterThan(20);
  expect(answers[1]).toEqual(answers[0]);
  expect(answers[2]).toEqual(answers[0]);
  // What a feed opened goes with it; what it was given does not.
  feeds.forEach((feed) => feed.dispose());
  expect(await bundle.ranker!.score([1, 1])).toHaveLength(2);
  bundle.dispose();
  await expectRefusal(() => bundle.ranker!.score([1, 1]), { code: 'DISPOSED' });
  await expectRefusal(() => Feed.create({ ...common, bundle }), { code: 'DISPOSED' });
});

test('a feed refuses what is no bundle, a bundle beside a ranker, and one without a ranker', async () => {
  const catalog = await smallCatalog();
  const folder = await written();
  const bundle = await Bundle.open(folder);
  const withoutRanker = await written(towersAlone());
  const refused = { code: 'INVALID_ARGUMENT', argument: 'bundle' } as const;
  for (const options of [
    { bundle: 5 },
    { bundle: {} },
    { bundle: null },
    { bundle, ranker: torchScript(bundle.ranker!) },
    { bundle: withoutRanker },
  ]) {
    await expectRefusal(() => untyped(Feed, 'create', { catalog, ...options }), refused);
  }
  await expectRefusal(() => untyped(Feed, 'create', { catalog }), {
    code: 'INVALID_ARGUMENT',
    argument: 'ranker',
  });
  await expectRefusal(() => Feed.create({ catalog, bundle: path.join(folder, 'nowhere') }), {
    code: 'BUNDLE_NOT_FOUND',
    argument: 'path',
  });
});

test('evaluate measures the ranker of a bundle', async () => {
  const folder = await written();
  const to = '2024-01-06T02:00Z';
  const evaluation = await evaluate({ dataset: 'simulated', ranker: folder, to });
  expect(evaluation.ranker).toBe(folder);
  expect(evaluation.metrics.auc.mean).not.toBeCloseTo(0.5, 3);
  const withoutRanker = await written(towersAlone());
  await expectRefusal(() => evaluate({ dataset: 'simulated', ranker: withoutRanker, to }), {
    code: 'INVALID_ARGUMENT',
    argument: 'ranker',
  });
});

test('the ranker of a bundle is a model file that loads by itself', async () => {
  const folder = await written();
  const description = { formatVersion: 1, features };
  const model = await Model.load(path.join(folder, 'ranker.pt'), {
    allowUnverified: true,
    description,
  });
  expect([...(await model.score([1, 2]))]).toEqual([5, 0]);
});

testWithPython(
  "Python's torch.jit.load opens the ranker and gives the same scores",
  async (python) => {
    const folder = await written();
    await using bundle = await Bundle.open(folder);
    const rows = new Lcg(5).floats(200).map((value) => value * 10);
    const script = [
      'import json, sys, torch',
      'rows = torch.tensor(json.loads(sys.argv[2])).reshape(-1, 2)',
      'print(json.dumps(torch.jit.load(sys.argv[1])(rows).flatten().tolist()))',
    ].join('\n');
    const file = path.join(folder, 'ranker.pt');
    const printed = runPython(python, ['-c', script, file, JSON.stringify([...rows])]);
    const expected = JSON.parse(printed) as number[];
    const scores = await bundle.ranker!.score(rows);
    expect(scores).toHaveLength(expected.length);
    scores.forEach((score, i) => expect(Math.abs(score - expected[i]!)).toBeLessThanOrEqual(1e-5));
  },
);
