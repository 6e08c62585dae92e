import { mkdir, readdir } from 'node:fs/promises';
import path from 'node:path';

import { Bundle } from '../bundles/bundle';
import { checkBundleTarget, writeBundle } from '../bundles/write-bundle';
import type { Dataset } from '../data/dataset';
import { openDataset } from '../data/open-dataset';
import { FeedrankError, fromNative, invalidArgument } from '../errors';
import type { FeatureDefinition } from '../features/feature';
import type { MeanInterval } from '../evaluation/bootstrap';
import type { metricNames } from '../evaluation/metrics';
import { replaceFile } from '../files/replace-file';
import type { Model } from '../models/model';
import { checkedRanker } from './checked-ranker';
import { withMeasure } from './fairness-measure';
import { scoreLists } from './score-lists';
import { trainRanker, type Checkpoint, type TrainedRanker } from './ranker-training';
import { throwIfAborted } from './throw-if-aborted';
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
  if (resolved.checkpoints !== undefined) await checkCheckpoints(resolved.checkpoints);
  const { signal } = resolved;
  try {
    throwIfAborted(signal);
    const dataset =
      typeof options.dataset === 'object'
        ? options.dataset
        : await openDataset({ ...options, dataset: options.dataset });
    // What is wrong with the towers' options is said before anything is learnt.
    if (resolved.towers) checkTwoTowerOptions({ ...resolved.towers, dataset });
    const { trained, training, data } = await withTeacher(resolved.distillFrom, (teacher) =>
      learn(dataset, options, resolved, teacher, tell),
    );
    const towers = await learnTowers(dataset, resolved, tell);
    throwIfAborted(signal);
    await writeBundle(
      resolved.out,
      {
        ranker: await checkedRanker(trained),
        ...(towers ? { towers } : {}),
        training: { ...training, ...(towers ? { towers: towersAsUsed(dataset, resolved) } : {}) },
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
    throw fromNative(error);
  }
}

/** Opens the teacher, where there is one, for as long as `body` runs. */
async function withTeacher<T>(
  given: string | Bundle | undefined,
  body: (teacher: Model | undefined) => Promise<T>,
): Promise<T> {
  if (given === undefined) return body(undefined);
  const bundle = typeof given === 'string' ? await Bundle.open(given) : given;
  try {
    if (bundle.ranker === undefined) {
      throw invalidArgument('distillFrom', 'a bundle with a ranker', bundle.path);
    }
    return await body(bundle.ranker);
  } finally {
    if (typeof given === 'string') bundle.dispose();
  }
}

async function learn(
  dataset: Dataset,
  options: TrainOptions,
  resolved: ResolvedTrainOptions,
  teacher: Model | undefined,
  tell: (progress: TrainingProgress) => void,
): Promise<{ trained: TrainedRanker; training: object; data: object }> {
  const { seed, mode, split, lagMs, ranker, signal, threads, checkpoints } = resolved;
  const fairness = resolved.fairness && withMeasure(resolved.fairness, dataset);
  const features = options.features ?? (await trainingFeatures(dataset, mode));
  if (mode === 'rank') refuseListFeatures(features);
  const own = new Set(features.map((feature) => nameOf(feature)));
  const teachers = teacher?.description.features.filter(({ name }) => !own.has(name)) ?? [];
  let percent = -1;
  const data = await gatherTrainingData({
    dataset,
    features: [
      ...features,
      ...teachers.map((feature) => ('source' in feature ? feature : feature.name)),
    ],
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
    reads: ({ name }) => own.has(name),
    teacherScores:
      teacher && Float32Array.from(await scoreLists(teacher, data, 'distillFrom', signal)),
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
      // Whoever serves the bundle needs the values, and its features hold the names alone.
      segments: dataset.segments,
      ...ranker,
      distilled: teacher !== undefined,
      ...(fairness ? { fairness } : {}),
      bestEpochs: trained.epochs,
    },
    data: { ...data.fingerprint, skippedLists: data.skipped },
  };
}

function refuseListFeatures(features: readonly (string | FeatureDefinition)[]): void {
  features.forEach((feature, i) => {
    const ofList =
      typeof feature === 'string' ? feature.endsWith('_vs_list') : feature.reference === 'list';
    if (!ofList) return;
    throw invalidArgument(
      `features[${i}]`,
      'none that is relative to the list, in mode rank',
      nameOf(feature),
    );
  });
}

function nameOf(feature: string | FeatureDefinition): string {
  return typeof feature === 'string' ? feature : feature.name;
}

/** Every option, in a form that JSON has. */
function towersAsUsed(dataset: Dataset, { towers, seed }: ResolvedTrainOptions): object {
  const settings = checkTwoTowerOptions({ ...towers, dataset, seed });
  return Object.fromEntries(
    Object.entries(settings).map(([name, value]) => [name, value === Infinity ? null : value]),
  );
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

async function checkCheckpoints(folder: string): Promise<void> {
  let names: string[];
  try {
    await mkdir(folder, { recursive: true });
    names = await readdir(folder);
  } catch (error) {
    throw new FeedrankError(
      'FILE_NOT_WRITTEN',
      `checkpoints: cannot write to '${folder}': ${(error as Error).message}`,
      'checkpoints',
      { cause: error },
    );
  }
  if (names.length === 0) return;
  throw new FeedrankError(
    'OUTPUT_EXISTS',
    `checkpoints: expected an empty folder, got '${folder}', which holds ${names.length} files`,
    'checkpoints',
  );
}

async function writeCheckpoint(folder: string, checkpoint: Checkpoint): Promise<void> {
  const { member, epoch, bytes, features, heads } = checkpoint;
  const description = { formatVersion: 1, features, heads };
  try {
    await mkdir(folder, { recursive: true });
    await replaceFile(path.join(folder, 'model.json'), `${JSON.stringify(description, null, 2)}\n`);
    await replaceFile(path.join(folder, `member-${member}-epoch-${epoch}.pt`), bytes);
  } catch (error) {
    throw new FeedrankError(
      'FILE_NOT_WRITTEN',
      `checkpoints: cannot write to '${folder}': ${(error as Error).message}`,
      'checkpoints',
      { cause: error },
    );
  }
}
