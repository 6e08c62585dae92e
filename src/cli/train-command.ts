import type { Command } from 'commander';

import { datasetNames } from '../data/open-dataset';
import { simulatedScenarios } from '../data/simulated-feed';
import type { MalformedRows } from '../data/dataset';
import { metricNames } from '../evaluation/metrics';
import { configure } from '../runtime';
import { plainTable } from '../text-table';
import { train, type TrainingResult } from '../training/train';
import {
  calibrations,
  fairnessMeasures,
  pruningMethods,
  rankingLosses,
  trainArguments,
  type Calibration,
  type FairnessMeasure,
  type PruningMethod,
  type RankingLoss,
} from '../training/train-options';
import type { Training, TrainingProgress } from '../training/training';
import { formatMetric, metricTitles } from './evaluation-table';
import { interruptible } from './interruptible';
import { toNumber, toNumbers } from './numbers';
import { say } from './output';
import { startProgress } from './progress';
import { UsageError, withUsageErrors } from './report-error';

interface TrainFlags {
  readonly dataset: string;
  readonly data?: string;
  readonly scenario?: string;
  readonly malformed?: MalformedRows;
  readonly out: string;
  readonly force?: boolean;
  readonly seed?: number;
  readonly threads?: number;
  readonly mode?: 'rerank' | 'rank';
  readonly loss?: RankingLoss;
  readonly epochs?: number;
  readonly members?: number;
  readonly fairnessWeight?: number;
  readonly fairnessMeasure?: FairnessMeasure;
  readonly group?: string;
  readonly dwellWeight?: number;
  readonly calibration?: Calibration;
  readonly distillFrom?: string;
  readonly hidden?: number[];
  readonly keep?: number;
  readonly pruning?: PruningMethod;
  readonly towers?: boolean;
  readonly checkpoints?: string;
  readonly json?: boolean;
}

/** Adds `feedrank train` to the program. */
export function addTrainCommand(program: Command): void {
  program
    .command('train')
    .description('Train a ranker on the train part of an interaction log, and write a bundle.')
    .requiredOption('--dataset <name>', `one of ${datasetNames.join(', ')}`)
    .option('--data <folder>', 'folder of the dataset')
    .requiredOption('--out <bundle>', 'folder to write, which must not exist without --force')
    .option('--force', 'replace the bundle that is there, once the new one is complete')
    .option('--mode <mode>', 'what it will be used for: rerank or rank (default: rerank)')
    .option('--seed <number>', 'of all that is random (default: 1)', toNumber)
    .option('--threads <number>', 'native threads (default: one a core)', toNumber)
    .option('--loss <name>', `${rankingLosses.join(', ')} (default: softmax)`)
    .option('--epochs <number>', 'passes over the data at most (default: 20)', toNumber)
    .option('--members <number>', 'networks whose scores are averaged (default: 1)', toNumber)
    .option('--dwell-weight <number>', 'of the dwell head in the score (default: 0)', toNumber)
    .option('--calibration <kind>', `${calibrations.join(', ')} (default: isotonic)`)
    .option('--fairness-weight <number>', 'of the fairness regularizer (default: none)', toNumber)
    .option('--group <name>', 'item label or user slice that it evens out')
    .option(
      '--fairness-measure <name>',
      `${fairnessMeasures.join(', ')} (default: pairwise for item labels, else disparity)`,
    )
    .option('--distill-from <bundle>', 'whose ranker is the teacher (default: none)')
    .option(
      '--hidden <widths>',
      'of the hidden layers, such as 128,64 (default: 128,64)',
      toNumbers,
    )
    .option('--keep <share>', 'of the hidden units that pruning leaves (default: 1)', toNumber)
    .option('--pruning <method>', `${pruningMethods.join(', ')} (default: structured)`)
    .option('--scenario <name>', `of the simulated world: ${simulatedScenarios.join(', ')}`)
    .option('--malformed <what>', 'fail on malformed rows, or skip and count them (default: fail)')
    .option('--towers', 'train an item tower and a user tower for retrieval as well')
    .option('--checkpoints <folder>', 'keep the best network so far there after each pass')
    .option('--json', 'print one JSON object')
    .action(run);
}

async function run(flags: TrainFlags): Promise<void> {
  const { fairnessWeight, fairnessMeasure, group, ...more } = flags;
  const { members, hidden, keep, pruning, json, threads, ...options } = more;
  if ((fairnessWeight === undefined) !== (group === undefined)) {
    throw new UsageError('--fairness-weight and --group go together', 'group');
  }
  if (fairnessMeasure !== undefined && group === undefined) {
    throw new UsageError('--fairness-measure needs --group', 'fairnessMeasure');
  }
  if (pruning !== undefined && keep === undefined) {
    throw new UsageError('--pruning needs --keep', 'pruning');
  }
  const result = await interruptible((signal) =>
    withUsageErrors(trainArguments, async () => {
      if (threads !== undefined) configure({ threads });
      const training = train({
        ...options,
        network: {
          ...(members === undefined ? {} : { members }),
          ...(hidden === undefined ? {} : { hidden }),
        },
        ...(keep === undefined
          ? {}
          : { pruning: { keep, ...(pruning === undefined ? {} : { method: pruning }) } }),
        ...(group === undefined || fairnessWeight === undefined
          ? {}
          : {
              fairness: {
                group,
                weight: fairnessWeight,
                ...(fairnessMeasure === undefined ? {} : { measure: fairnessMeasure }),
              },
            }),
        signal,
      });
      await showProgress(training);
      return training.result;
    }),
  );
  say(json ? JSON.stringify(result) : formatResult(result));
}

async function showProgress(training: Training<TrainingResult>): Promise<void> {
  let bar = { title: '', progress: startProgress('') };
  try {
    for await (const progress of training) {
      const title = titleOf(progress);
      if (bar.title !== title) {
        bar.progress.stop();
        bar = { title, progress: startProgress(title) };
      }
      bar.progress.update(...shareOf(progress));
    }
  } finally {
    bar.progress.stop();
  }
}

function shareOf(progress: TrainingProgress): [done: number, total: number] {
  switch (progress.phase) {
    case 'replay':
      return [progress.done, progress.total];
    case 'towers':
      return [progress.batch, progress.batches];
    case 'train': {
      const { member, epoch, epochs, members } = progress;
      return [(member - 1) * epochs + epoch, members * epochs];
    }
  }
}

function titleOf(progress: TrainingProgress): string {
  if (progress.phase === 'replay') return 'replaying';
  if (progress.phase === 'towers') return `training the towers, pass ${progress.epoch}`;
  return progress.stage === 'refit' ? 'training on everything' : 'training';
}

function formatResult({ bundle, seconds, examples, validation }: TrainingResult): string {
  return [
    `wrote ${bundle} in ${seconds.toFixed(1)} s, ${examples.toLocaleString('en')} rows learnt from`,
    "the train part's own tail, as it was held out:",
    plainTable(
      ['metric', 'mean', '95% interval'],
      metricNames.map((name) => formatMetric(metricTitles[name], validation[name])),
    ),
  ].join('\n');
}
