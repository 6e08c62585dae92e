import type { Command } from 'commander';

import { datasetNames } from '../data/open-dataset';
import { simulatedScenarios } from '../data/simulated-feed';
import type { MalformedRows } from '../data/dataset';
import { evaluate } from '../evaluation/evaluate';
import { evaluateArguments } from '../evaluation/evaluate-options';
import type { EvaluationMode } from '../evaluation/evaluate-options';
import { baselineNames } from '../evaluation/rankers';
import { formatEvaluation } from './evaluation-table';
import { toNumber } from './numbers';
import { say } from './output';
import { startProgress } from './progress';
import { withUsageErrors } from './report-error';

interface EvaluateFlags {
  readonly dataset: string;
  readonly data?: string;
  readonly split?: string;
  readonly from?: string;
  readonly to?: string;
  readonly lagMs?: number;
  readonly mode?: EvaluationMode;
  readonly ranker: string;
  readonly group?: string[];
  readonly seed?: number;
  readonly scenario?: string;
  readonly malformed?: MalformedRows;
  readonly json?: boolean;
}

/** Adds `feedrank evaluate` to the program. */
export function addEvaluateCommand(program: Command): void {
  program
    .command('evaluate')
    .description('Replay an interaction log causally and measure how well a ranker orders it.')
    .requiredOption('--dataset <name>', `one of ${datasetNames.join(', ')}`)
    .option('--data <folder>', 'folder of the dataset')
    .option('--split <name>', 'part of the log that is measured (default: validation)')
    .option('--from <iso>', 'first instant that is measured, UTC (default: start of the split)')
    .option('--to <iso>', 'first instant no longer measured, UTC (default: end of the split)')
    .option('--lag-ms <ms>', 'age at which an event becomes known (default: 600000)', toNumber)
    .option('--mode <mode>', 'rerank the items in view, or rank the catalog (default: rerank)')
    .requiredOption(
      '--ranker <ranker>',
      `${baselineNames.join(', ')}, the folder of a bundle, or a TorchScript file (.pt) with its ` +
        'model.json beside it, for which nothing vouches',
    )
    .option('--group <name>', 'item label or user slice to compare; may be repeated', collect)
    .option(
      '--seed <number>',
      'of the random ranker and the simulated world (default: 1)',
      toNumber,
    )
    .option('--scenario <name>', `of the simulated world: ${simulatedScenarios.join(', ')}`)
    .option('--malformed <what>', 'fail on malformed rows, or skip and count them (default: fail)')
    .option('--json', 'print one JSON object')
    .action(run);
}

async function run({ group, json, ...flags }: EvaluateFlags): Promise<void> {
  const progress = startProgress('replaying');
  try {
    const evaluation = await withUsageErrors(evaluateArguments, () =>
      evaluate({
        ...flags,
        ...(group ? { groups: group } : {}),
        onProgress: (done, total) => progress.update(done, total),
      }),
    );
    progress.stop();
    const text = json ? JSON.stringify(evaluation) : formatEvaluation(evaluation);
    say(text);
  } finally {
    progress.stop();
  }
}

function collect(value: string, earlier: readonly string[] = []): string[] {
  return [...earlier, value];
}
