import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { writeBundle, type BundleParts } from '../../src/bundles/write-bundle';
import { createServedFeed } from '../../src/service/served-feed';
import { rankerParts, towerParts } from '../bundles/small-ranker';
import { expectRefusal } from '../support/errors';
import { temporaryFolder } from '../support/temporary-folder';
import { hour, now } from '../support/world';

async function bundleOf(parts: BundleParts): Promise<string> {
  const folder = path.join(temporaryFolder(), 'bundle');
  await writeBundle(folder, parts, { force: false });
  return folder;
}

function itemsOf(items: readonly object[]): string {
  const file = path.join(temporaryFolder(), 'items.jsonl');
  writeFileSync(file, items.map((item) => JSON.stringify(item)).join('\n'));
  return file;
}

const plain = Array.from({ length: 5 }, (_, i) => ({ id: `i${i}`, publishTime: now - i * hour }));

test('towers give items their vectors and readers theirs, so that decayed dot products find them', async () => {
  const bundle = await bundleOf(await towerParts());
  const { feed, dispose } = await createServedFeed({ items: itemsOf(plain), bundle });
  const at = now - 1000;
  await feed.record([{ type: 'click', userId: 'reader', itemId: 'i4', at }], { now });
  const { items, trace } = await feed.rank({ userId: 'reader', now, budgetMs: 60_000 });
  expect(items.map(({ id }) => id).sort()).toEqual(['i0', 'i1', 'i2', 'i3']);
  const generator = trace.stages.find(({ name }) => name.startsWith('decayed-dot'));
  expect(generator).toMatchObject({ kind: 'generator', out: 5 });
  expect(generator!.skipped).toBeUndefined();
  dispose();
});

test('columns and half-lives that a bundle reads are there, whether the items have them or not', async () => {
  const parts = await rankerParts();
  const features = [
    { name: 'length', source: 'column', column: 'length', missing: 7 },
    { name: 'clicks', source: 'clicks', halfLifeMs: 5 * hour },
  ] as const;
  const bundle = await bundleOf({ ...parts, ranker: { ...parts.ranker!, features } });
  const { feed, dispose } = await createServedFeed({ items: itemsOf(plain), bundle });
  const { items } = await feed.rank({ now, limit: 1, budgetMs: 60_000 });
  // click = length + 2 · clicks, and half of dwell = 1 − length.
  expect(items[0]!.score).toBeCloseTo(7 + 0.5 * (1 - 7), 5);
  dispose();
});

test('segments that a bundle reads come from what its training noted, and are asked for where it did not', async () => {
  const parts = await rankerParts();
  const features = [
    parts.ranker!.features[0]!,
    { name: 'm', source: 'segment-clicks', segment: 'device', halfLifeMs: 2 * hour },
  ] as const;
  const ranker = { ...parts.ranker!, features };
  const training = { ...parts.training, segments: { device: ['mobile', 'desktop'] } };
  const noted = await bundleOf({ ...parts, ranker, training });
  const { feed, dispose } = await createServedFeed({ items: itemsOf(plain), bundle: noted });
  expect(feed.segments).toEqual({ device: ['mobile', 'desktop'] });
  const segments = { device: 'mobile' };
  expect((await feed.rank({ now, segments, budgetMs: 60_000 })).items).toHaveLength(5);
  dispose();
  const silent = await bundleOf({ ...parts, ranker });
  await expectRefusal(() => createServedFeed({ items: itemsOf(plain), bundle: silent }), {
    code: 'UNKNOWN_SEGMENT',
  });
});

test('loading ends when it is told to, with what it was told', async () => {
  const reason = new Error('enough');
  const signal = AbortSignal.abort(reason);
  await expect(createServedFeed({ items: itemsOf(plain), signal })).rejects.toBe(reason);
});
