#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { Command, CommanderError } from 'commander';

import { addDoctorCommand } from './doctor-command';
import { addEvaluateCommand } from './evaluate-command';
import { addFeaturesCommand } from './features-command';
import { endOnClosedPipe } from './output';
import { exitStatus, reportError } from './report-error';
import { addTradeoffsCommand } from './tradeoffs-command';
import { addServeCommand } from './serve-command';
import { addTrainCommand } from './train-command';
import { addBuildCommand } from './build-command';

/**
 * Runs one command line.
 * @param argv what follows the program's name
 * @returns the exit status: 0 done, 1 failed, 2 wrong usage
 */
export async function main(argv: readonly string[]): Promise<number> {
  try {
    await createProgram().parseAsync(argv, { from: 'user' });
    return exitStatus.done;
  } catch (error) {
    // Help and the version reach here as errors of status 0, after they were printed.
    if (error instanceof CommanderError && error.exitCode === 0) return exitStatus.done;
    return reportError(error, argv.includes('--json'));
  }
}

function createProgram(): Command {
  const program = new Command('feedrank')
    .description('Ranks news feeds inside a Node process.')
    .version(readVersion())
    .exitOverride()
    // Errors are told once, by reportError.
    .configureOutput({ writeErr: () => undefined });
  addDoctorCommand(program);
  addEvaluateCommand(program);
  addFeaturesCommand(program);
  addServeCommand(program);
  addTrainCommand(program);
  addTradeoffsCommand(program);
  addBuildCommand(program);
  return program;
}

function readVersion(): string {
  const file = join(__dirname, '..', '..', 'package.json');
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}

if (require.main === module) {
  endOnClosedPipe();
  void main(process.argv.slice(2)).then((status) => {
    process.exitCode = status;
  });
}
