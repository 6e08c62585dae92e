import fs from 'node:fs';
import path from 'node:path';
import { saveScriptedNetwork, type FeatureDefinition } from '../../src';
import { readArchive } from '../../src/archives/read-archive';
import type { BundleParts } from '../../src/bundles/write-bundle';
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

/** With towers that are models like any other: only whoever loads them knows what they should be. */
export async function towerParts(): Promise<BundleParts> {
  const tower = await rankerBytes();
  return {
    ...(await rankerParts()),
    towers: {
      userTower: tower,
      itemTower: tower,
      space: { name: 'tower', version: '1', dimensions: 2 },
      description: { reads: 20 },
      items: {
        ids: ['a', 'b', 'ü'],
        kind: 'string',
        vectors: Float32Array.of(1, 2, 3, 4, 0.1, -1e-30),
      },
      golden: { inputs: [[1]], outputs: [[1]] },
    },
  };
}

/** A bundle without a ranker. */
export async function towersAlone(): Promise<BundleParts & { towers: object }> {
  const { towers, training, data, metrics } = await towerParts();
  return { towers: towers!, training, data, metrics };
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
