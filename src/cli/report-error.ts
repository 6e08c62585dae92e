import { CommanderError } from 'commander';

import { FeedrankError } from '../errors';

/** Exit statuses of every command. */
export const exitStatus = { done: 0, failed: 1, wrongUsage: 2 } as const;

/** A command line that the command cannot make sense of, whatever the data says. */
export class UsageError extends FeedrankError {
  constructor(message: string, argument?: string) {
    super('INVALID_ARGUMENT', message, argument);
  }
}

/** A failure of which standard output has been told already, with `--json` too. */
export class AlreadyPrinted extends Error {
  override readonly cause: FeedrankError;

  constructor(cause: FeedrankError) {
    super(cause.message);
    this.cause = cause;
  }
}

/**
 * Calls an API whose options come from the command line, and says which of its errors are wrong
 * usage: those about one of these arguments.
 */
export async function withUsageErrors<T>(
  names: readonly string[],
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const isUsage =
      error instanceof FeedrankError &&
      error.code === 'INVALID_ARGUMENT' &&
      error.argument !== undefined &&
      names.includes(error.argument);
    throw isUsage ? new UsageError(error.message, error.argument) : error;
  }
}

/**
 * Tells an error as the contract says: one line on standard error, and with `json` also an object
 * on standard output.
 * @returns the exit status
 */
export function reportError(error: unknown, json: boolean): number {
  if (error instanceof AlreadyPrinted) return reportError(error.cause, false);
  const { code, message, argument } = describe(error);
  const line = message.replace(/\s*[\r\n]+\s*/g, ' ').replace(controls, escapeControl);
  process.stderr.write(`feedrank: ${code}: ${line}\n`);
  if (json) {
    const described = { error: { code, message: line, argument: argument ?? null } };
    process.stdout.write(`${JSON.stringify(described)}\n`);
  }
  const isUsage = error instanceof UsageError || error instanceof CommanderError;
  return isUsage ? exitStatus.wrongUsage : exitStatus.failed;
}

/** What could end the line, or tell a terminal to do something, such as out of a file's names. */
const controls = /[\p{Cc}\u2028\u2029]/gu;

function escapeControl(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

function describe(error: unknown): { code: string; message: string; argument?: string } {
  if (error instanceof FeedrankError) return error.toJSON() as ReturnType<typeof describe>;
  if (error instanceof CommanderError) {
    const message =
      error.code === 'commander.help'
        ? 'name a command; feedrank --help lists them'
        : error.message.replace(/^error: /, '');
    return { code: 'INVALID_ARGUMENT', message };
  }
  return { code: 'INTERNAL', message: error instanceof Error ? error.message : String(error) };
}
