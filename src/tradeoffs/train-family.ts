import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { Bundle } from '../bundles/bundle';
import { manifestName } from '../bundles/manifest';
import { writeBundle } from '../bundles/write-bundle';
import type { Dataset } from '../data/dataset';
import type { FeatureDefinition } from '../features/feature';
import { runtimeStatus } from '../runtime';
import { checkedRanker } from '../training/checked-ranker';
import { withMeasure } from '../training/fairness-measure';
import { trainPrunedRankers, type TrainedRanker } from '../training/ranker-training';
import { scoreLists } from '../training/score-lists';
import { resolveRankerOptions } from '../training/train-options';
import type { TrainingData } from '../training/training-data';
import type { TrainedMember } from './family';
import { featuresByImportance } from './feature-importance';

/** What the members of a family learn from. */
export interface FamilyTraining {
  readonly members: readonly TrainedMember[];
  /** Gathered when the first one needs it: a family that is trained already does not. */
  readonly data: () => Promise<TrainingData>;
  /** Where the bundles are written, one a member and one for each way to prune it. */
  readonly folder: string;
  readonly dataset: Pick<Dataset, 'name' | 'labels'>;
  readonly split: string;
  readonly lagMs: number;
  readonly seed: number;
  /** Passes over the data at most, where a member says nothing else. */
  readonly epochs: number;
  readonly signal: AbortSignal | undefined;
  /** Told how many members are trained. */
  readonly onTrained: (trained: number) => void;
}

/** Folder of a member's bundle. */
export function bundleFolder(folder: string, id: string): string {
  return join(folder, id);
}

/**
 * Trains what is not there yet, several at a time: each that is ready, and students once their
 * teacher is.
 */
export async function trainFamily(training: FamilyTraining): Promise<void> {
  const waiting = training.members.filter((member) => !isTrained(training, member));
  let trained = training.members.length - waiting.length;
  const ready = (member: TrainedMember): boolean =>
    [member.teacher, member.lean?.of].every(
      (id) => id === undefined || existsBundle(bundleFolder(training.folder, id)),
    );
  let failure: { readonly reason: unknown } | undefined;
  const running = new Set<Promise<void>>();
  const work = async (member: TrainedMember): Promise<void> => {
    try {
      await trainMember(training, member);
      trained += 1;
      training.onTrained(trained);
    } catch (reason) {
      failure ??= { reason };
    }
  };
  training.onTrained(trained);
  while ((waiting.length > 0 || running.size > 0) && failure === undefined) {
    const next = running.size < runtimeStatus().threads ? waiting.findIndex(ready) : -1;
    if (next >= 0) {
      const one: Promise<void> = work(waiting.splice(next, 1)[0]!).finally(() =>
        running.delete(one),
      );
      running.add(one);
    } else {
      await Promise.race(running);
    }
  }
  // Nothing goes on behind a failure.
  await Promise.all(running);
  if (failure !== undefined) throw failure.reason;
}

function idsOf({ id, prunings = [] }: TrainedMember): string[] {
  return [id, ...prunings.map((pruning) => pruning.id)];
}

/** Whether a bundle has been written there, which is there whole or not at all. */
export function existsBundle(folder: string): boolean {
  return existsSync(join(folder, manifestName));
}

function isTrained({ folder }: FamilyTraining, member: TrainedMember): boolean {
  return idsOf(member).every((id) => existsBundle(bundleFolder(folder, id)));
}

async function trainMember(training: FamilyTraining, member: TrainedMember): Promise<void> {
  const { dataset, seed, signal, folder } = training;
  const { settings, teacher, prunings = [] } = member;
  const data = await training.data();
  const important = await importantFeatures(training, member, data);
  const reads =
    important === undefined ? member.reads : ({ name }: FeatureDefinition) => important.has(name);
  const { fairness } = settings;
  const rankers = await trainPrunedRankers(
    data,
    {
      options: resolveRankerOptions({ epochs: training.epochs, ...settings }),
      ...(fairness ? { fairness: withMeasure(fairness, dataset) } : {}),
      ...(teacher === undefined
        ? {}
        : { teacherScores: await scoresOf(bundleFolder(folder, teacher), data, signal) }),
      ...(reads ? { reads } : {}),
      seed,
      threads: 1,
      signal,
    },
    prunings.map(({ pruning }) => pruning),
  );
  for (const [i, id] of idsOf(member).entries()) {
    if (existsBundle(bundleFolder(folder, id))) continue;
    await write(training, id, rankers[i]!, {
      ...settings,
      ...(teacher === undefined ? {} : { teacher }),
      ...(important === undefined ? {} : { features: [...important] }),
      ...(i === 0 ? {} : { pruning: prunings[i - 1]!.pruning }),
    });
  }
}

/** Names of the few features that a lean member reads. */
async function importantFeatures(
  { folder, seed, signal }: FamilyTraining,
  { lean }: TrainedMember,
  data: TrainingData,
): Promise<ReadonlySet<string> | undefined> {
  if (lean === undefined) return undefined;
  await using bundle = await Bundle.open(bundleFolder(folder, lean.of));
  const names = await featuresByImportance(bundle.ranker!, data, { seed, signal });
  return new Set(names.slice(0, lean.features));
}

async function scoresOf(
  folder: string,
  data: TrainingData,
  signal: AbortSignal | undefined,
): Promise<Float32Array> {
  await using bundle = await Bundle.open(folder);
  return Float32Array.from(await scoreLists(bundle.ranker!, data, 'teacher', signal));
}

async function write(
  training: FamilyTraining,
  id: string,
  ranker: TrainedRanker,
  settings: object,
): Promise<void> {
  const { dataset, split, lagMs, seed, folder } = training;
  const { fingerprint } = await training.data();
  await writeBundle(bundleFolder(folder, id), {
    ranker: await checkedRanker(ranker),
    training: { mode: 'rank', dataset: dataset.name, split, lagMs, seed, ...settings },
    data: { ...fingerprint },
    metrics: { validation: ranker.validation },
  });
}
