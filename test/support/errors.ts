import { errorCodes, FeedrankError, type ErrorCode } from '../../src';

/** What a refused call must say. */
export interface Refusal {
  readonly code: ErrorCode;
  readonly argument?: string;
  /** Must be found in the message. */
  readonly message?: RegExp;
}

/** The FeedrankError that a call throws or rejects with; anything else fails the test. */
export async function refusal(call: () => unknown): Promise<FeedrankError> {
  let value: unknown;
  try {
    value = await call();
  } catch (error) {
    if (!(error instanceof FeedrankError)) {
      throw new Error(`expected a FeedrankError, got ${String(error)}`, { cause: error });
    }
    if (!errorCodes.includes(error.code) || error.code === 'INTERNAL') {
      throw new Error(`expected a code that tells what was wrong, got ${error.code}`, {
        cause: error,
      });
    }
    return error;
  }
  throw new Error(`expected the call to be refused; it answered ${JSON.stringify(value)}`);
}

export async function expectRefusal(call: () => unknown, expected: Refusal): Promise<void> {
  const error = await refusal(call);
  expect({ code: error.code, argument: error.argument, message: error.message }).toEqual({
    code: expected.code,
    argument: expected.argument ?? error.argument,
    message: expected.message ? (expect.stringMatching(expected.message) as string) : error.message,
  });
  // One line that a log can hold, and short whatever came in.
  expect(error.message).not.toContain('\n');
  expect(error.message.length).toBeLessThan(1500);
}

/** Calls a function with arguments that its types forbid. */
export function untyped(target: unknown, method: string, ...args: unknown[]): unknown {
  const object = target as Record<string, (...args: unknown[]) => unknown>;
  return object[method]!(...args);
}
