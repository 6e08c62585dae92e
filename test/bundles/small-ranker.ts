import fs from 'node:fs';
import path from 'node:path';
import { saveScriptedNetwork, trainTwoTowers, type FeatureDefinition } from '../../src';
import { readArchive } from '../../src/archives/read-archive';
import type { BundleParts } from '../../src/bundles/write-bundle';
import { simulateFeed } from '../../src/data/simulated-feed';
import { temporaryFolder } from '../support/temporary-folder';
import { zipArchive, type ZipEntry } from '../support/zip-archive';

const hour = 3_600_000;

export const features: readonly FeatureDefinition[] = [
  { name: 'age', source: 'age', transformation: 'log1p', reference: 'none' },
  {
    name: 'clicks_12h',
    source: 'clicks',
    transformation: 'log1p',
    reference: 'none',
    halfLifeMs: 12 * hour,
  },
];

/** click = age + 2 · clicks, dwell = 1 − age. */
export async function rankerBytes(): Promise<Buffer> {
  const file = path.join(temporaryFolder(), 'ranker.pt');
  const layer = { inputs: 2, outputs: 2, weights: [1, 2, -1, 0], bias: [0, 1] };
  await saveScriptedNetwork({ mean: [0, 0], scale: [1, 1], layers: [layer] }, file);
  return fs.readFileSync(file);
}

export async function rankerParts(): Promise<BundleParts> {
  return {
    ranker: {
      bytes: await rankerBytes(),
      features,
      heads: [
        { name: 'click', weight: 1 },
        { name: 'dwell', weight: 0.5 },
      ],
      golden: {
        inputs: [
          [0, 0],
          [1, 2],
          [-0.5, 3],
        ],
        outputs: [
          [0, 1],
          [5, 0],
          [5.5, 1.5],
        ],
      },
    },
    training: { seed: 7, loss: 'pairwise', epochs: 3 },
    data: { dataset: 'none', impressions: 0 },
    metrics: { auc: 0.5, groups: { device: null } },
  };
}

let trained: ReturnType<typeof trainTwoTowers> | undefined;

/** With towers that have hardly learnt anything, and items that they have never seen. */
export async function towerParts(): Promise<BundleParts & { towers: object }> {
  trained ??= trainTwoTowers({
    dataset: simulateFeed({ items: 40, users: 8, trainImpressions: 60, validationImpressions: 1 }),
    ...{ dimensions: 2, hidden: 4, idBuckets: 8, categoryBuckets: 8, epochs: 1, refit: false },
  });
  const { userTower, itemTower, space, description, golden } = await trained;
  const vectors = Float32Array.of(1, 2, 3, 4, 0.1, -1e-30);
  const items = { ids: ['a', 'b', 'ü'], kind: 'string' as const, vectors };
  return {
    ...(await rankerParts()),
    towers: { userTower, itemTower, space, description, golden, items },
  };
}

/** A bundle without a ranker. */
export async function towersAlone(): Promise<BundleParts & { towers: object }> {
  const { towers, training, data, metrics } = await towerParts();
  return { towers, training, data, metrics };
}

/** The entries of a real TorchScript file, by their names below its root folder. */
export async function rankerEntries(): Promise<Map<string, Buffer>> {
  const bytes = await rankerBytes();
  return new Map(await readArchive(bytes, { argument: 'path', file: 'ranker.pt' }));
}

/** A TorchScript file of these entries, in a form that LibTorch reads. */
export function archiveOf(
  entries: ReadonlyMap<string, Uint8Array | string>,
  ...more: readonly ZipEntry[]
): Buffer {
  return zipArchive([
    ...[...entries].map(([name, data]) => ({ name: `ranker/${name}`, data })),
    ...more,
  ]);
}
