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
    return new FeedrankError(
      'DATA_MALFORMED',
      `${this.#label} row ${this.#row}: ${column} ${problem}`,
      `${this.#label}[${this.#row}].${column}`,
    );
  }

  integer(column: string): number {
    const integer = toInteger(this.#values[column]);
    if (integer === undefined) throw this.#expected(column, 'a safe integer');
    return integer;
  }

  /** A list of integers, each once; repetitions in the file are dropped. */
  integers(column: string): number[] {
    const list = this.#values[column];
    if (!Array.isArray(list)) throw this.#expected(column, 'a list of safe integers');
    const integers = new Set<number>();
    for (const [index, value] of list.entries()) {
      const integer = toInteger(value);
      if (integer === undefined) {
        const got = describeValue(value);
        throw this.malformed(column, `holds ${got} at ${index}, not a safe integer`);
      }
      integers.add(integer);
    }
    return [...integers];
  }

  /** An instant in epoch milliseconds; a time without a zone is in UTC. */
  instant(column: string): number {
    const value = this.#values[column];
    const at = value instanceof Date ? value.getTime() : NaN;
    if (!(at >= 0 && at <= 253_402_300_799_999)) {
      throw this.#expected(column, 'a time between the years 1970 and 9999');
    }
    return at;
  }

  optionalNumber(column: string): number | undefined {
    const value = this.#values[column];
    if (value === null || value === undefined) return undefined;
    const number = typeof value === 'bigint' ? Number(value) : value;
    if (typeof number !== 'number' || !Number.isFinite(number)) {
      throw this.#expected(column, 'a finite number or null');
    }
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

  #expected(column: string, expected: string): FeedrankError {
    // The parquet reader has null for some absent values and undefined for others.
    const got = describeValue(this.#values[column] ?? null);
    return this.malformed(column, `is ${got}, not ${expected}`);
  }
}

function toInteger(value: unknown): number | undefined {
  const number = typeof value === 'bigint' ? Number(value) : value;
  return Number.isSafeInteger(number) ? (number as number) : undefined;
}
