import { join, resolve } from 'node:path';

import { Bundle } from '../bundles/bundle';
import { writeBundle } from '../bundles/write-bundle';
import type { Dataset, DatasetImpression } from '../data/dataset';
import { splitsUpTo } from '../data/dataset';
import { openDataset } from '../data/open-dataset';
import { FeedrankError, fromNative, invalidArgument } from '../errors';
import { describeMachine } from '../evaluation/machine';
import type { FeatureDefinition } from '../features/feature';
import { throwIfAborted } from '../training/throw-if-aborted';
import { gatherTrainingData, type TrainingData } from '../training/training-data';
import { trainingFeatures } from '../training/training-features';
import { trainTwoTowers } from '../training/train-two-towers';
import { buildReport } from './build-report';
import { ablationMembers, fairnessMembers, rankerMembers, studentId, teacherId } from './family';
import type { TrainedMember } from './family';
import { measureLoad } from './measure-load';
import { measurePipeline, pipelineStages, pipelineVariants, spaceOf } from './measure-pipeline';
import { measureRankers } from './measure-rankers';
import { ReplayedLists } from './replayed-lists';
import { fingerprintOf, openReportFolder, reportFiles, writeReport } from './report-folder';
import { renderReportPage } from './report-page';
import type { TradeoffReport } from './report';
import { bundleFolder, existsBundle, trainFamily } from './train-family';
import { resolveTradeoffsOptions, wholeEffort } from './tradeoffs-options';
import type {
  ResolvedTradeoffsOptions,
  TradeoffsEffort,
  TradeoffsOptions,
} from './tradeoffs-options';

const towersId = 'towers';

/** How much of a run each phase takes, about. */
const phases = {
  gathering: 0.08,
  training: 0.5,
  lists: 0.08,
  pipeline: 0.22,
  timing: 0.09,
  load: 0.03,
} as const;

/** Everything that a run works with. */
interface Run extends ResolvedTradeoffsOptions {
  readonly dataset: Dataset;
  readonly bundles: string;
  readonly group: string | undefined;
  readonly effort: TradeoffsEffort;
  /** Of which the members read some or all. */
  readonly features: readonly FeatureDefinition[];
  readonly members: readonly TrainedMember[];
  /** The part before the one that is measured. */
  readonly learntFrom: string;
  readonly told: (phase: keyof typeof phases, share: number) => void;
}

/**
 * Trains a family of rankers on the parts of a log before `split`, replays that part causally, and
 * measures what each way to rank gives and costs: quality, diversity, fairness, latency and size, on
 * one machine in one run. Writes the report as JSON and as a page. Rankers that are trained already
 * are kept when a run ends early, and the next one with the same options goes on from there.
 *
 * Rejects with `INVALID_ARGUMENT`, `UNKNOWN_GROUP`, `DATA_MISSING`, `DATA_MALFORMED`,
 * `OUTPUT_EXISTS`, `FILE_NOT_WRITTEN`, `TRAINING_DIVERGED` or `ABORTED`.
 */
export async function measureTradeoffs(options: TradeoffsOptions): Promise<TradeoffReport> {
  return measureTradeoffsWith(wholeEffort, options);
}

/** The same, with as much effort as is asked for. @internal */
export async function measureTradeoffsWith(
  effort: TradeoffsEffort,
  options: TradeoffsOptions,
): Promise<TradeoffReport> {
  const started = performance.now();
  const resolved = resolveTradeoffsOptions(options);
  try {
    const dataset =
      typeof options.dataset === 'object'
        ? options.dataset
        : await openDataset({ ...options, dataset: options.dataset });
    const group = groupOf(dataset, resolved.group);
    const { out, split, lagMs, seed, force } = resolved;
    const { impressions, name: learntFrom } = splitBefore(dataset, split);
    const features = await trainingFeatures(dataset, 'rank');
    const members = [
      ...rankerMembers(impressions),
      ...fairnessMembers(group),
      ...ablationMembers(features),
    ];
    await openReportFolder(
      out,
      fingerprintOf({
        ...{ split, lagMs, seed, group, name: dataset.name, items: dataset.items.length },
        ...{
          splits: splitsUpTo(dataset, split),
          scenario: options.scenario,
          data: dataOf(options),
        },
        members: members.map(({ id, settings, prunings }) => ({ id, settings, prunings })),
        libtorch: describeMachine().libtorch,
      }),
      force,
    );
    const report = await measure({
      ...{ ...resolved, dataset, group, effort, features, members, learntFrom },
      bundles: join(out, reportFiles.bundles),
      told: teller(resolved.onProgress),
    });
    const whole = { ...report, seconds: (performance.now() - started) / 1000 };
    await writeReport(out, whole, await renderReportPage(whole));
    return whole;
  } catch (error) {
    throw fromNative(error);
  }
}

function dataOf({ data }: TradeoffsOptions): string | undefined {
  return data === undefined ? undefined : resolve(data);
}

function groupOf(dataset: Dataset, given: string | undefined): string | undefined {
  const known = [...dataset.labels, ...dataset.userSlices];
  if (given === undefined) return known[0];
  if (known.includes(given)) return given;
  throw new FeedrankError(
    'UNKNOWN_GROUP',
    `group: dataset ${dataset.name} has no group ${JSON.stringify(given)}, only ${known.join(', ') || 'none'}`,
    'group',
  );
}

function teller(
  onProgress: ResolvedTradeoffsOptions['onProgress'],
): (phase: keyof typeof phases, share: number) => void {
  const names = Object.keys(phases) as (keyof typeof phases)[];
  let most = 0;
  return (phase, share) => {
    const before = names
      .slice(0, names.indexOf(phase))
      .reduce((sum, name) => sum + phases[name], 0);
    most = Math.max(most, before + phases[phase] * Math.min(1, share));
    onProgress(most, phase);
  };
}

async function measure(run: Run): Promise<Omit<TradeoffReport, 'seconds'>> {
  const { dataset, bundles, group, split, signal, told, features, members, learntFrom } = run;
  let gathered: Promise<TrainingData> | undefined;
  const gather = (
    part: string,
    phase: 'gathering' | 'lists',
    onList?: (i: DatasetImpression) => void,
  ) =>
    gatherTrainingData({
      ...{ dataset, features, lagMs: run.lagMs, split: part, signal },
      ...(group === undefined ? {} : { group }),
      ...(onList ? { onList } : {}),
      onProgress: (done, total) => told(phase, done / total),
    });
  await using towers = await learnTowers(run);
  await trainFamily({
    ...{ members, signal, folder: bundles, dataset, split: learntFrom },
    ...{ lagMs: run.lagMs, seed: run.seed },
    data: () => (gathered ??= gather(learntFrom, 'gathering')),
    epochs: run.effort.epochs,
    onTrained: (count) => told('training', count / members.length),
  });
  gathered = undefined;

  const impressions: DatasetImpression[] = [];
  const data = await gather(split, 'lists', (impression) => impressions.push(impression));
  const lists = new ReplayedLists(dataset, impressions);
  await using student = await Bundle.open(bundleFolder(bundles, studentId));
  const stages = pipelineStages(dataset, towers);
  const variants = pipelineVariants(stages);
  const total = splitsUpTo(dataset, split).reduce((sum, part) => sum + part.impressions, 0);
  const { end, ...pipeline } = await measurePipeline(
    {
      ...{ dataset, towers, split, lagMs: run.lagMs, variants, signal },
      bundle: student,
      // A sixth of a small log says as much as it can within the time.
      isMeasured: someReaders(Math.min(1 / 6, run.effort.pipelineLists / impressions.length)),
      onProgress: (done) => told('pipeline', done / total),
    },
    async (replayed) => {
      const measured = await measureRankers({
        ...{ replayed, dataset, data, lists, bundles, members, signal },
        space: spaceOf(dataset, towers),
        rounds: run.effort.rounds,
        onProgress: (share) => told('timing', share),
      });
      throwIfAborted(signal);
      await using teacher = await Bundle.open(bundleFolder(bundles, teacherId));
      told('load', 0);
      const load = await measureLoad(replayed, {
        full: teacher,
        smaller: student,
        budgetsMs: [30, 10],
        shares: [0.5, 1, 2],
        seconds: run.effort.loadSeconds,
        signal,
      });
      return { measured, load };
    },
  );
  told('load', 1);
  return buildReport({
    ...{ dataset, split, seed: run.seed, group, members, variants, pipeline, lists, ...end },
  });
}

function splitBefore(dataset: Dataset, split: string): Dataset['splits'][number] {
  const before = splitsUpTo(dataset, split).at(-2);
  if (before !== undefined) return before;
  throw invalidArgument('split', 'a part with another before it, to learn from', split);
}

/** Towers whose space stands in where the dataset has no embeddings. */
async function learnTowers(run: Run): Promise<Bundle | undefined> {
  const { dataset, bundles, lagMs, seed, signal, learntFrom } = run;
  if (Object.keys(dataset.spaces).length > 0) return undefined;
  const folder = bundleFolder(bundles, towersId);
  if (!existsBundle(folder)) {
    const towers = await trainTwoTowers({
      ...{ dataset, split: learntFrom, lagMs, seed, dimensions: 32, refit: false },
      ...(signal ? { signal } : {}),
    });
    await writeBundle(folder, {
      towers,
      training: { split: learntFrom, lagMs, seed },
      data: {},
      metrics: {},
    });
  }
  return Bundle.open(folder);
}

/** About this share of the readers, and all lists of each. */
function someReaders(share: number): (impression: DatasetImpression) => boolean {
  return ({ userId }) => {
    let hash = 2_166_136_261;
    for (const character of String(userId)) {
      hash = Math.imul(hash ^ character.charCodeAt(0), 16_777_619) >>> 0;
    }
    // The lowest bits of neighbouring ids are alike; the multiplication mixes them into the highest.
    return (Math.imul(hash, 2_654_435_761) >>> 0) / 2 ** 32 < share;
  };
}
