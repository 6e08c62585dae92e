import type { Command } from 'commander';

import { buildAddon } from '../../lib/build-native.js';
import { FeedrankError } from '../errors';
import { say } from './output';

interface BuildFlags {
  readonly clean?: boolean;
}

/** Adds `feedrank build` to the program. */
export function addBuildCommand(program: Command): void {
  program
    .command('build')
    .description(
      'Compile the native part here, against FEEDRANK_LIBTORCH or LibTorch 2.13 for CPU.',
    )
    .option('--clean', 'compile everything anew')
    .action(run);
}

async function run({ clean = false }: BuildFlags): Promise<void> {
  let folder: string;
  try {
    folder = await buildAddon({ clean, log: say });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new FeedrankError('BUILD_FAILED', reason.split('\n').join('; '), undefined, {
      cause: error,
    });
  }
  say(`the addon is in ${folder}, and is used from now on`);
}
