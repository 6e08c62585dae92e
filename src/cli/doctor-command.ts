import type { Command } from 'commander';

import type * as Doctor from '../doctor/diagnose';
import { FeedrankError } from '../errors';
import { say } from './output';
import { AlreadyPrinted } from './report-error';

/** Adds `feedrank doctor` to the program. */
export function addDoctorCommand(program: Command): void {
  program
    .command('doctor')
    .description('Look whether a feed can rank here, and say what to do where it cannot.')
    .option('--json', 'print one JSON object')
    .action(run);
}

async function run({ json }: { readonly json?: boolean }): Promise<void> {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- The other commands need not load it.
  const { diagnose } = require('../doctor/diagnose') as typeof Doctor;
  const diagnosis = await diagnose();
  const failed = diagnosis.checks.filter(({ status }) => status === 'failed');
  if (diagnosis.healthy) {
    say(json ? JSON.stringify(diagnosis) : format(diagnosis));
    return;
  }
  const names = failed.map(({ name }) => name).join(', ');
  const next = [...new Set(failed.map((check) => check.next))].join('; ');
  const message = `feedrank cannot rank here (${names}); next: ${next}`;
  const error = new FeedrankError('ADDON_LOAD_FAILED', message);
  const { code } = error;
  say(
    json
      ? JSON.stringify({ ...diagnosis, error: { code, message, argument: null } })
      : format(diagnosis),
  );
  throw new AlreadyPrinted(error);
}

const width = { status: 8, name: 11 };

function format({ version, healthy, processor, checks }: Doctor.Diagnosis): string {
  const features = processor.features.join(', ') || 'none of the instructions that feedrank knows';
  return [
    `feedrank ${version} on ${processor.cores} cores of ${processor.model} (${features})`,
    '',
    ...checks.flatMap((check) => lines(check)),
    '',
    healthy ? 'healthy' : 'not healthy',
  ].join('\n');
}

function lines({ status, name, found, next }: Doctor.Check): string[] {
  const line = `${status.padEnd(width.status)}${name.padEnd(width.name)}${found}`;
  return next === null ? [line] : [line, `${' '.repeat(width.status + width.name)}next: ${next}`];
}
