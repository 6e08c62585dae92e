import { describeValue, FeedrankError } from '../errors';

/**
 * Readers of single values of a row. Each throws `DATA_MALFORMED`, which names the file, the row
 * counted from 0, and the column.
 */
export class RowValues {
  readonly #label: string;
  readonly #row: number;
  readonly #values: Readonly<Record<string, unknown>>;

  constructor(label: string, row: number, values: Readonly<Record<string, unknown>>) {
    this.#label = label;
    this.#row = row;
    this.#values = values;
  }

  /** Whether the file has the column at all. */
  has(column: string): boolean {
    return column in this.#values;
  }

  malformed(column: string, problem: string): FeedrankError {
    return malformedRow(this.#label, this.#row, column, problem);
  }

  integer(column: string): number {
    const integer = toInteger(this.#values[column]);
    if (integer === undefined) throw this.#expected(column, 'a safe integer');
    return integer;
  }

  integers(column: string): number[] {
    return this.#list(column, toInteger, 'safe integer');
  }

  /** A list of integers, each once; repetitions in the file are dropped. */
  distinctIntegers(column: string): number[] {
    return [...new Set(this.integers(column))];
  }

  /** A list of instants in epoch milliseconds. */
  instants(column: string): number[] {
    return this.#list(column, toInstant, 'time between the years 1970 and 9999');
  }

  /** A list of finite numbers, `undefined` where the file has none. */
  optionalNumbers(column: string): (number | undefined)[] {
    const read = (value: unknown): number | null | undefined =>
      value === null || value === undefined ? null : toNumber(value);
    return this.#list(column, read, 'finite number').map((number) => number ?? undefined);
  }

  /** An instant in epoch milliseconds; a time without a zone is in UTC. */
  instant(column: string): number {
    const at = toInstant(this.#values[column]);
    if (at === undefined) throw this.#expected(column, 'a time between the years 1970 and 9999');
    return at;
  }

  optionalNumber(column: string): number | undefined {
    const value = this.#values[column];
    if (value === null || value === undefined) return undefined;
    const number = toNumber(value);
    if (number === undefined) throw this.#expected(column, 'a finite number or null');
    return number;
  }

  optionalBoolean(column: string): boolean | undefined {
    const value = this.#values[column];
    if (value === null || value === undefined) return undefined;
    if (typeof value !== 'boolean') throw this.#expected(column, 'true, false or null');
    return value;
  }

  optionalStrings(column: string): string[] | undefined {
    const value = this.#values[column];
    if (value === null || value === undefined) return undefined;
    if (!Array.isArray(value) || !value.every((entry) => typeof entry === 'string')) {
      throw this.#expected(column, 'a list of strings or null');
    }
    return value;
  }

  /** @param read one value of the list, `undefined` where it is not what was expected */
  #list<T>(column: string, read: (value: unknown) => T | undefined, expected: string): T[] {
    const list = this.#values[column];
    if (!Array.isArray(list)) throw this.#expected(column, `a list of ${expected}s`);
    return list.map((value: unknown, index) => {
      const converted = read(value);
      if (converted !== undefined) return converted;
      const got = describeValue(value ?? null);
      throw this.malformed(column, `holds ${got} at ${index}, not a ${expected}`);
    });
  }

  #expected(column: string, expected: string): FeedrankError {
    // The parquet reader has null for some absent values and undefined for others.
    const got = describeValue(this.#values[column] ?? null);
    return this.malformed(column, `is ${got}, not ${expected}`);
  }
}

/** The error that names a file, a row counted from 0 and a column. */
export function malformedRow(
  label: string,
  row: number,
  column: string,
  problem: string,
): FeedrankError {
  return new FeedrankError(
    'DATA_MALFORMED',
    `${label} row ${row}: ${column} ${problem}`,
    `${label}[${row}].${column}`,
  );
}

function toInteger(value: unknown): number | undefined {
  const number = typeof value === 'bigint' ? Number(value) : value;
  return Number.isSafeInteger(number) ? (number as number) : undefined;
}

function toNumber(value: unknown): number | undefined {
  const number = typeof value === 'bigint' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
}

function toInstant(value: unknown): number | undefined {
  const at = value instanceof Date ? value.getTime() : NaN;
  return at >= 0 && at <= 253_402_300_799_999 ? at : undefined;
}
