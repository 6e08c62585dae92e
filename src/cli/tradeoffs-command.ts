import { existsSync } from 'node:fs';
import { join } from 'node:path';

import type { Command } from 'commander';

import type { MalformedRows } from '../data/dataset';
import { datasetNames } from '../data/open-dataset';
import { simulatedScenarios } from '../data/simulated-feed';
import { plainTable } from '../text-table';
import { chooseRow, type ChosenRow } from '../tradeoffs/choose-row';
import type { TradeoffReport } from '../tradeoffs/report';
import { readReport, reportFiles } from '../tradeoffs/report-folder';
import { measureTradeoffs } from '../tradeoffs/tradeoffs';
import { tradeoffsArguments } from '../tradeoffs/tradeoffs-options';
import { interruptible } from './interruptible';
import { toNumber } from './numbers';
import { say } from './output';
import { startProgress } from './progress';
import { UsageError, withUsageErrors } from './report-error';

interface TradeoffsFlags {
  readonly dataset: string;
  readonly data?: string;
  readonly scenario?: string;
  readonly malformed?: MalformedRows;
  readonly out: string;
  readonly force?: boolean;
  readonly seed?: number;
  readonly group?: string;
  readonly split?: string;
  readonly choose?: string;
  readonly profile?: string;
  readonly json?: boolean;
}

/** Adds `feedrank tradeoffs` to the program. */
export function addTradeoffsCommand(program: Command): void {
  program
    .command('tradeoffs')
    .description(
      'Measure what each way to rank gives and costs, and write a report to choose from.',
    )
    .requiredOption('--dataset <name>', `one of ${datasetNames.join(', ')}`)
    .option('--data <folder>', 'folder of the dataset')
    .requiredOption('--out <folder>', 'of the report; one that was begun is gone on with')
    .option('--force', 'throw away a report, or a begun one, that is there')
    .option('--seed <number>', 'of all that is random (default: 1)', toNumber)
    .option(
      '--group <name>',
      'item label or user slice whose fairness is traded (default: the first)',
    )
    .option('--split <name>', 'the part of the log that is measured (default: validation)')
    .option('--scenario <name>', `of the simulated world: ${simulatedScenarios.join(', ')}`)
    .option('--malformed <what>', 'fail on malformed rows, or skip and count them (default: fail)')
    .option('--choose <row>', 'save this row of the report as a profile')
    .option('--profile <file>', 'where that profile is written')
    .option('--json', 'print one JSON object')
    .action(run);
}

async function run(flags: TradeoffsFlags): Promise<void> {
  const { choose, profile, json, ...options } = flags;
  if ((choose === undefined) !== (profile === undefined)) {
    throw new UsageError('--choose and --profile go together', 'choose');
  }
  const bar = startProgress('measuring trade-offs');
  try {
    const { report, chosen } = await interruptible((signal) =>
      withUsageErrors([...tradeoffsArguments, 'choose', 'profile'], async () => {
        // Choosing from what has been measured measures nothing again.
        const isThere =
          choose !== undefined && !options.force && existsSync(join(options.out, reportFiles.json));
        const report = isThere
          ? (await readReport(options.out))!
          : await measureTradeoffs({
              ...options,
              signal,
              onProgress: (done) => bar.update(Math.round(done * 100), 100),
            });
        const chosen =
          choose === undefined || profile === undefined
            ? undefined
            : await chooseRow(options.out, choose, profile, { force: options.force ?? false });
        return { report, chosen };
      }),
    );
    bar.stop();
    if (json) {
      const { rows, impressions, seconds } = report;
      say(
        JSON.stringify({
          report: join(options.out, reportFiles.json),
          page: join(options.out, reportFiles.page),
          ...{ impressions, seconds, rows: rows.length },
          front: rows.filter(({ pareto }) => pareto).map(({ id }) => id),
          ...(chosen ? { chosen } : {}),
        }),
      );
    } else {
      say(formatReport(report, options.out, chosen));
    }
  } finally {
    bar.stop();
  }
}

function formatReport(report: TradeoffReport, out: string, chosen: ChosenRow | undefined): string {
  const front = report.rows
    .filter(({ pareto }) => pareto)
    .sort((a, b) => b.metrics.auc.mean - a.metrics.auc.mean);
  return [
    `the front: what no other row beats in both AUC and time, of ${report.rows.length} rows`,
    plainTable(
      ['row', 'AUC', '95% interval', 'p50 at 2,000', 'p99'],
      front.map(({ id, metrics: { auc }, latencyMs }) => [
        id,
        auc.mean.toFixed(4),
        `${auc.low.toFixed(4)} … ${auc.high.toFixed(4)}`,
        `${latencyMs['2000']!.p50.toFixed(2)} ms`,
        `${latencyMs['2000']!.p99.toFixed(2)} ms`,
      ]),
    ),
    `on ${report.machine.cpu}, ${report.machine.cores} cores, Node ${report.machine.node}, LibTorch ${report.machine.libtorch}; ${report.impressions.toLocaleString('en')} lists, ${report.seconds.toFixed(0)} s`,
    `the page: ${join(out, reportFiles.page)}`,
    ...(chosen === undefined
      ? []
      : [
          `wrote ${chosen.profile}` +
            (chosen.bundle === null
              ? ''
              : `, to rank with ${chosen.bundle} in ${chosen.precision}`),
        ]),
  ].join('\n');
}
