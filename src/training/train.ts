import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { checkBundleTarget, writeBundle } from '../bundles/write-bundle';
import type { Dataset } from '../data/dataset';
import { openDataset } from '../data/open-dataset';
import { FeedrankError, fromNative } from '../errors';
import type { MeanInterval } from '../evaluation/bootstrap';
import type { metricNames } from '../evaluation/metrics';
import { Model } from '../models/model';
import { trainRanker, type Checkpoint, type TrainedRanker } from './ranker-training';
import { resolveTrainOptions, type ResolvedTrainOptions, type TrainOptions } from './train-options';
import { Training, type TrainingProgress } from './training';
import { gatherTrainingData } from './training-data';
import { trainingFeatures } from './training-features';
import { trainTwoTowers } from './train-two-towers';
import { checkTwoTowerOptions } from './two-tower-options';
import type { TrainedTowers } from './two-tower-training';

/** What a training gave. */
export interface TrainingResult {
  /** Path of the bundle. */
  readonly bundle: string;
  /** Wall-clock time of everything. */
  readonly seconds: number;
  /** Rows that were learnt from, all passes of all networks together. */
  readonly examples: number;
  /**
   * On the train part's own chronological tail, by networks that did not learn from it, with 95%
   * bootstrap intervals.
   */
  readonly validation: Readonly<Record<(typeof metricNames)[number], MeanInterval>>;
}

/**
 * Trains a ranker on a log and writes it as a bundle: replays the log causally through a feed, so
 * that features are what serving would have computed, and learns to order each list's clicked items
 * first. Runs on the process's native threads in jobs of some tens of milliseconds, so that requests
 * beside it only wait in between. The same data, options and seed give the same bundle, apart from
 * its `createdAt`, on one machine.
 *
 * `result` rejects with `INVALID_ARGUMENT`, `UNKNOWN_GROUP`, `UNKNOWN_FEATURE`, `DATA_MISSING`,
 * `DATA_MALFORMED` (also where there is nothing to learn), `TRAINING_DIVERGED` (naming epoch and
 * batch; checkpoints are kept), `OUTPUT_EXISTS`, `FILE_NOT_WRITTEN` or `ABORTED`; nothing is written
 * to `out` then.
 */
export function train(options: TrainOptions): Training<TrainingResult> {
  return Training.start((tell) => run(options, tell));
}

async function run(
  options: TrainOptions,
  tell: (progress: TrainingProgress) => void,
): Promise<TrainingResult> {
  const started = performance.now();
  const resolved = resolveTrainOptions(options);
  await checkBundleTarget(resolved.out, resolved.force);
  const { signal } = resolved;
  try {
    signal?.throwIfAborted();
    const dataset =
      typeof options.dataset === 'object'
        ? options.dataset
        : await openDataset({ ...options, dataset: options.dataset });
    // What is wrong with the towers' options is said before anything is learnt.
    if (resolved.towers) checkTwoTowerOptions({ ...resolved.towers, dataset });
    const { trained, training, data } = await learn(dataset, options, resolved, tell);
    const towers = await learnTowers(dataset, resolved, tell);
    signal?.throwIfAborted();
    await writeBundle(
      resolved.out,
      {
        ranker: { ...trained, golden: await checkedGolden(trained) },
        ...(towers ? { towers } : {}),
        training: { ...training, ...(towers ? { towers: towers.description } : {}) },
        data,
        metrics: {
          validation: trained.validation,
          ...(towers ? { towers: towers.metrics } : {}),
        },
      },
      { force: resolved.force },
    );
    return {
      bundle: resolved.out,
      seconds: (performance.now() - started) / 1000,
      examples: trained.examples,
      validation: trained.validation,
    };
  } catch (error) {
    if (!signal?.aborted) throw fromNative(error);
    throw new FeedrankError('ABORTED', 'signal: the training was aborted', 'signal', {
      cause: signal.reason,
    });
  }
}

async function learn(
  dataset: Dataset,
  options: TrainOptions,
  resolved: ResolvedTrainOptions,
  tell: (progress: TrainingProgress) => void,
): Promise<{ trained: TrainedRanker; training: object; data: object }> {
  const { seed, mode, split, lagMs, ranker, signal, threads, checkpoints } = resolved;
  const fairness = resolved.fairness && {
    measure: dataset.labels.includes(resolved.fairness.group)
      ? ('pairwise' as const)
      : ('disparity' as const),
    ...resolved.fairness,
  };
  let percent = -1;
  const data = await gatherTrainingData({
    dataset,
    features: options.features ?? (await trainingFeatures(dataset, mode)),
    split,
    lagMs,
    ...(fairness ? { group: fairness.group } : {}),
    signal,
    onProgress(done, total) {
      const now = Math.floor((100 * done) / total);
      if (now > percent) tell({ phase: 'replay', done, total });
      percent = Math.max(percent, now);
    },
  });
  const trained = await trainRanker(data, {
    options: ranker,
    fairness,
    seed,
    threads,
    signal,
    onProgress: tell,
    ...(checkpoints === undefined
      ? {}
      : { onCheckpoint: (checkpoint) => writeCheckpoint(checkpoints, checkpoint) }),
  });
  return {
    trained,
    training: {
      mode,
      split,
      lagMs,
      seed,
      ...ranker,
      ...(fairness ? { fairness } : {}),
      bestEpochs: trained.epochs,
    },
    data: { ...data.fingerprint, skippedLists: data.skipped },
  };
}

async function learnTowers(
  dataset: Dataset,
  { towers, split, lagMs, seed, signal }: ResolvedTrainOptions,
  tell: (progress: TrainingProgress) => void,
): Promise<TrainedTowers | undefined> {
  if (!towers) return undefined;
  return trainTwoTowers({
    ...{ ...towers, dataset, split, lagMs, seed },
    ...(signal ? { signal } : {}),
    onProgress: (progress) => tell({ phase: 'towers', ...progress }),
  });
}

/** What the file answers to golden inputs, which is what the networks had answered. */
async function checkedGolden(trained: TrainedRanker): Promise<TrainedRanker['golden']> {
  const { bytes, features, heads, golden } = trained;
  await using model = await Model.fromBytes(bytes, 'ranker.pt', { features, heads });
  const scores = await model.score(golden.inputs.flat());
  const outputs = golden.inputs.map((_, row) => [
    ...scores.subarray(row * heads.length, (row + 1) * heads.length),
  ]);
  golden.outputs.forEach((expected, row) =>
    expected.forEach((value, head) => {
      const got = outputs[row]![head]!;
      if (Math.abs(got - value) <= 1e-4 * Math.max(1, Math.abs(value))) return;
      throw new FeedrankError(
        'INTERNAL',
        `the exported ranker says ${got} for ${heads[head]!.name} where the trained one says ${value}`,
      );
    }),
  );
  return { inputs: golden.inputs, outputs };
}

async function writeCheckpoint(folder: string, checkpoint: Checkpoint): Promise<void> {
  const { member, epoch, bytes, features, heads } = checkpoint;
  const description = { formatVersion: 1, features, heads };
  try {
    await mkdir(folder, { recursive: true });
    await writeFile(path.join(folder, 'model.json'), `${JSON.stringify(description, null, 2)}\n`);
    const name = `member-${member}-epoch-${epoch}.pt`;
    await writeFile(path.join(folder, name), bytes);
  } catch (error) {
    throw new FeedrankError(
      'FILE_NOT_WRITTEN',
      `checkpoints: cannot write to '${folder}': ${(error as Error).message}`,
      'checkpoints',
      { cause: error },
    );
  }
}
