import { types } from 'node:util';
import type { ItemId } from './identity';
import { FeedrankError, invalidArgument } from './errors';

const longestId = 1024;
/** A gigabyte of float32. */
const mostNumbers = 2 ** 28;

/** @internal */
export function isItemId(value: unknown): value is ItemId {
  return typeof value === 'number' ? Number.isSafeInteger(value) : isStringId(value);
}

/** @internal */
export function isStringId(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    value.length > 0 &&
    value.length <= longestId &&
    // A lone surrogate has no UTF-8 form, so the id could not come back as it was given.
    value.isWellFormed()
  );
}

/** @internal */
export function checkUserId(value: unknown, argument: string): ItemId {
  if (isItemId(value)) return Object.is(value, -0) ? 0 : value;
  throw invalidArgument(
    argument,
    `a string of 1 to ${longestId} well-formed characters or a safe integer`,
    value,
  );
}

/** @internal */
export function checkItemId(value: unknown, kind: 'string' | 'integer', argument: string): ItemId {
  if (kind === 'string' ? isStringId(value) : Number.isSafeInteger(value)) {
    return Object.is(value, -0) ? 0 : (value as ItemId);
  }
  throw invalidArgument(
    argument,
    kind === 'string'
      ? `a string of 1 to ${longestId} well-formed characters`
      : 'a safe integer, as all ids of this catalog',
    value,
  );
}

/** @internal */
export function checkItemIds(
  values: unknown,
  kind: 'string' | 'integer',
  argument: string,
): ItemId[] {
  // Unlike `map`, this sees the holes of a sparse array.
  return Array.from(checkBatch(values, argument), (value, i) =>
    checkItemId(value, kind, `${argument}[${i}]`),
  );
}

const largestBatch = 1_000_000;

/** An array that is not too long to be checked and copied in one go. @internal */
export function checkBatch(value: unknown, argument: string): readonly unknown[] {
  if (!Array.isArray(value)) throw invalidArgument(argument, 'an array', value);
  if (value.length > largestBatch) {
    throw invalidArgument(argument, `at most ${largestBatch} entries in one call`, value);
  }
  return value;
}

/** @internal */
export function checkDistinct(ids: readonly ItemId[], argument: string): void {
  const seen = new Set<ItemId>();
  for (const id of ids) {
    if (seen.has(id)) {
      throw new FeedrankError(
        'DUPLICATE_ID',
        `${argument}: expected distinct ids, got ${JSON.stringify(id)} twice`,
        argument,
      );
    }
    seen.add(id);
  }
}

/** @internal */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** @internal */
export function checkObject(value: unknown, argument: string): Record<string, unknown> {
  if (isObject(value)) return value;
  throw invalidArgument(argument, 'an object', value);
}

/** A record's own entry: names such as `constructor` are names like any other. @internal */
export function ownValue<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

/** @internal */
export function checkInteger(
  value: unknown,
  argument: string,
  lowest: number,
  highest: number,
): number {
  if (Number.isInteger(value) && (value as number) >= lowest && (value as number) <= highest) {
    return value as number;
  }
  throw invalidArgument(argument, `an integer from ${lowest} to ${highest}`, value);
}

/** @internal */
export function checkFlag(value: unknown, argument: string): boolean {
  if (typeof value === 'boolean') return value;
  throw invalidArgument(argument, 'true or false', value);
}

/** A number within bounds, which are allowed. @internal */
export function checkNumber(
  value: unknown,
  argument: string,
  lowest: number,
  highest: number,
): number {
  if (typeof value === 'number' && value >= lowest && value <= highest) return value;
  throw invalidArgument(argument, `a number from ${lowest} to ${highest}`, value);
}

/** The bytes of a file that was read. @internal */
export function checkBytes(value: unknown, argument: string): Uint8Array {
  if (types.isUint8Array(value)) return value;
  throw invalidArgument(argument, 'the bytes of a TorchScript file', value);
}

/** A number above 0; infinity only where `infinite` allows it. @internal */
export function checkPositive(value: unknown, argument: string, infinite = false): number {
  if (typeof value === 'number' && value > 0 && (infinite || value < Infinity)) return value;
  throw invalidArgument(argument, 'a finite number above 0', value);
}

/** @internal */
export function checkName(value: unknown, argument: string): string {
  if (
    typeof value === 'string' &&
    value.length > 0 &&
    value.length <= 200 &&
    value.isWellFormed()
  ) {
    return value;
  }
  throw invalidArgument(argument, 'a name of 1 to 200 well-formed characters', value);
}

/** What `handle()` of a class returned, perhaps in another thread. @internal */
export function checkHandle(value: unknown, kind: string, expected: string): void {
  if (typeof value !== 'object' || (value as { kind?: unknown } | null)?.kind !== kind) {
    throw invalidArgument('handle', expected, value);
  }
  checkInteger((value as { number?: unknown }).number, 'handle.number', 0, 2 ** 32 - 1);
}

/** @internal */
export function checkDevice(value: unknown): 'cpu' | 'cuda' {
  if (value === 'cpu' || value === 'cuda') return value;
  throw invalidArgument('device', "'cpu' or 'cuda'", value);
}

/** A path of a file; a NUL would end it early for the native core. @internal */
export function checkPath(value: unknown, argument: string): string {
  if (typeof value === 'string' && value.length > 0 && !value.includes('\0')) return value;
  throw invalidArgument(argument, 'the path of a file', value);
}

/**
 * Copies numbers into a Float32Array of our own, so that nothing the caller does afterwards can
 * reach the native threads. Detached, resizable and shared buffers are refused, and every value
 * must be finite as a float32.
 * @internal
 */
export function copyVector(value: unknown, argument: string): Float32Array {
  const source = checkNumbers(value, argument);
  if (source.length > mostNumbers) {
    throw invalidArgument(argument, `at most ${mostNumbers} numbers`, value);
  }
  const copy = new Float32Array(source.length);
  for (let i = 0; i < source.length; i++) {
    const element: unknown = source[i];
    copy[i] = element as number;
    if (typeof element !== 'number' || !Number.isFinite(copy[i])) {
      throw invalidArgument(`${argument}[${i}]`, 'a finite float32 number', element);
    }
  }
  return copy;
}

/** {@link copyVector} of so many numbers. */
export function checkVector(value: unknown, dimensions: number, argument: string): Float32Array {
  const vector = copyVector(value, argument);
  if (vector.length === dimensions) return vector;
  throw new FeedrankError(
    'DIMENSION_MISMATCH',
    `${argument}: expected ${dimensions} dimensions, got ${vector.length}`,
    argument,
  );
}

function checkNumbers(value: unknown, argument: string): ArrayLike<number> {
  if (Array.isArray(value)) return value as number[];
  if (
    types.isTypedArray(value) &&
    !types.isBigInt64Array(value) &&
    !types.isBigUint64Array(value)
  ) {
    const buffer = value.buffer as ArrayBuffer & { resizable?: boolean };
    if (types.isSharedArrayBuffer(buffer)) {
      throw invalidArgument(argument, 'numbers in memory of one thread', 'a SharedArrayBuffer');
    }
    if (buffer.resizable === true) {
      throw invalidArgument(argument, 'numbers in a buffer of fixed length', 'a resizable buffer');
    }
    if (isDetached(buffer)) {
      throw invalidArgument(argument, 'numbers in a live buffer', 'a detached buffer');
    }
    return value;
  }
  throw invalidArgument(argument, 'an array or typed array of numbers', value);
}

/** Node 20 has no `ArrayBuffer.prototype.detached`; a view cannot be made on a detached buffer. */
function isDetached(buffer: ArrayBuffer): boolean {
  try {
    new Uint8Array(buffer);
    return false;
  } catch {
    return true;
  }
}
