import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { saveScriptedNetwork } from '../models/scripted-network';

/** A TorchScript file with its `model.json` in a folder of its own. */
export interface DemoRanker {
  readonly path: string;
  remove(): Promise<void>;
}

interface Input {
  readonly feature: { readonly name: string; readonly [key: string]: unknown };
  /** Rough centre and spread of the values, which the module scales by. */
  readonly mean: number;
  readonly deviation: number;
  readonly head: string;
  readonly weight: number;
}

/** Nothing here was learnt: the weights are guesses that look sensible. */
const inputs: readonly Input[] = [
  { feature: { name: 'clicks_3h' }, mean: 0.7, deviation: 0.8, head: 'trend', weight: 0.4 },
  { feature: { name: 'clicks_12h' }, mean: 1, deviation: 0.9, head: 'trend', weight: 0.4 },
  { feature: { name: 'ctr_12h' }, mean: 0.1, deviation: 0.06, head: 'appeal', weight: 0.3 },
  { feature: { name: 'mean_dwell_12h' }, mean: 3.6, deviation: 0.4, head: 'appeal', weight: 0.1 },
  { feature: { name: 'age' }, mean: 2.3, deviation: 0.8, head: 'freshness', weight: -0.3 },
];

function interest(space: string): Input {
  const feature = { name: 'interest', source: 'dot', space };
  return { feature, mean: 0.1, deviation: 0.3, head: 'interest', weight: 0.5 };
}

/**
 * Builds a small ranking model on the spot: one linear layer whose outputs, the heads, add up to
 * the score and so explain it.
 * @param space embedding space to match readers and items in, where there is one
 */
export async function buildDemoRanker(space: string | undefined): Promise<DemoRanker> {
  const used = space === undefined ? inputs : [...inputs, interest(space)];
  const heads = [...new Set(used.map(({ head }) => head))];
  const directory = await mkdtemp(join(tmpdir(), 'feedrank-demo-'));
  const path = join(directory, 'ranker.pt');
  const description = {
    formatVersion: 1,
    features: used.map(({ feature }) => feature),
    heads: heads.map((name) => ({ name, weight: 1 })),
  };
  await writeFile(join(directory, 'model.json'), JSON.stringify(description, undefined, 2));
  await saveScriptedNetwork(
    {
      mean: used.map(({ mean }) => mean),
      scale: used.map(({ deviation }) => 1 / deviation),
      layers: [
        {
          inputs: used.length,
          outputs: heads.length,
          weights: heads.flatMap((name) =>
            used.map(({ head, weight }) => (head === name ? weight : 0)),
          ),
          bias: heads.map(() => 0),
        },
      ],
    },
    path,
  );
  return { path, remove: () => rm(directory, { recursive: true, force: true }) };
}
