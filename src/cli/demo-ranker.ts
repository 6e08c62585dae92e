import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Dataset } from '../data/dataset';
import { train, type TrainingResult } from '../training/train';
import type { FairnessOptions } from '../training/train-options';

/** A ranker that was trained a moment ago, as a bundle in a folder of its own. */
export interface DemoRanker extends TrainingResult {
  remove(): Promise<void>;
}

/** Small and quick to learn: a demonstration must not keep anybody waiting. */
const network = { hidden: [32] };
const epochs = 8;

/** Trains a small ranker for `Feed.rank` on the train part of a log. */
export async function trainDemoRanker(
  dataset: Dataset,
  onProgress: (done: number, total: number) => void,
  fairness?: FairnessOptions,
): Promise<DemoRanker> {
  const directory = await mkdtemp(join(tmpdir(), 'feedrank-demo-'));
  const remove = (): Promise<void> => rm(directory, { recursive: true, force: true });
  try {
    const training = train({
      dataset,
      out: join(directory, 'bundle'),
      mode: 'rank',
      network,
      epochs,
      ...(fairness ? { fairness } : {}),
    });
    for await (const progress of training) {
      if (progress.phase === 'replay') onProgress(progress.done, progress.total);
    }
    return { ...(await training.result), remove };
  } catch (error) {
    await remove();
    throw error;
  }
}
