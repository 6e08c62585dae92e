/**
 * Stable codes of every error that feedrank throws or rejects with. Messages may change between
 * versions; codes do not.
 */
export const errorCodes = [
  'INVALID_ARGUMENT',
  'DIMENSION_MISMATCH',
  'DUPLICATE_ID',
  'UNKNOWN_SPACE',
  'UNKNOWN_COLUMN',
  'UNKNOWN_FEATURE',
  'UNKNOWN_PROFILE',
  'UNKNOWN_STAGE',
  'UNKNOWN_SEGMENT',
  'UNKNOWN_GROUP',
  'UNKNOWN_BUNDLE',
  'DISPOSED',
  'OVERLOADED',
  'ABORTED',
  'STAGE_FAILED',
  'DEVICE_UNAVAILABLE',
  'PRECISION_UNAVAILABLE',
  'EMBEDDINGS_MISSING',
  'MODEL_NOT_FOUND',
  'MODEL_CORRUPT',
  'MODEL_REFUSED',
  'MODEL_UNVERIFIED',
  'MODEL_DESCRIPTION',
  'MODEL_SHAPE',
  'MODEL_OUTPUT',
  'BUNDLE_NOT_FOUND',
  'BUNDLE_CORRUPT',
  'BUNDLE_VERSION',
  'BUNDLE_GOLDEN',
  'EMPTY_DATA',
  'DATA_MISSING',
  'DATA_MALFORMED',
  'TRAINING_DIVERGED',
  'FILE_NOT_WRITTEN',
  'OUTPUT_EXISTS',
  'ADDON_LOAD_FAILED',
  'BUILD_FAILED',
  'INTERNAL',
] as const;

/** One of {@link errorCodes}. */
export type ErrorCode = (typeof errorCodes)[number];

/**
 * The one error class of feedrank. `code` is stable, `argument` names what was wrong in the
 * caller's own words (such as `items[3].publishTime`), and the message says what came and what was
 * expected. A call that throws it has changed nothing.
 */
export class FeedrankError extends Error {
  readonly code: ErrorCode;
  readonly argument: string | undefined;
  /**
   * With `OVERLOADED`, where the budget was what ruled the request out: milliseconds after which
   * there may be room again.
   */
  readonly retryAfterMs: number | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    argument?: string,
    options?: ErrorOptions & { readonly retryAfterMs?: number | undefined },
  ) {
    super(message, options);
    this.name = 'FeedrankError';
    this.code = code;
    this.argument = argument;
    this.retryAfterMs = options?.retryAfterMs;
  }

  toJSON(): { code: ErrorCode; message: string; argument: string | undefined } {
    return { code: this.code, message: this.message, argument: this.argument };
  }
}

/** Describes a value for a message: short, one line, and without the value's own line breaks. */
export function describeValue(value: unknown): string {
  if (typeof value === 'string') {
    const shown = JSON.stringify(value.slice(0, 40));
    return value.length > 40 ? `${shown}… (${value.length} characters)` : shown;
  }
  if (typeof value === 'bigint') return `${value}n`;
  if (value === null || value === undefined) return String(value);
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (ArrayBuffer.isView(value)) return `a ${value.constructor.name} of ${value.byteLength} bytes`;
  if (value instanceof Date) {
    return Number.isNaN(value.getTime()) ? 'an invalid Date' : value.toISOString();
  }
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

/** @internal */
export function invalidArgument(argument: string, expected: string, got: unknown): FeedrankError {
  return new FeedrankError(
    'INVALID_ARGUMENT',
    `${argument}: expected ${expected}, got ${describeValue(got)}`,
    argument,
  );
}

/**
 * Turns whatever the native core threw into a {@link FeedrankError}.
 * @internal
 */
export function fromNative(error: unknown): FeedrankError {
  if (error instanceof FeedrankError) return error;
  const { code, argument, message, retryAfterMs } = error as Partial<FeedrankError>;
  const known = errorCodes.find((candidate) => candidate === code);
  return new FeedrankError(known ?? 'INTERNAL', message ?? String(error), argument, {
    cause: error,
    retryAfterMs,
  });
}

/** Runs what calls into the native core. @internal */
export function guard<T>(body: () => T): T {
  try {
    return body();
  } catch (error) {
    throw fromNative(error);
  }
}

/** @internal */
export async function guardAsync<T>(body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    throw fromNative(error);
  }
}
