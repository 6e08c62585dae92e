import { FeedrankError } from '../errors';
import type { MalformedRows } from './dataset';

/** Reads the rows of a dataset's files, and does with malformed ones what it was told to do. */
export class RowReader {
  readonly #malformed: MalformedRows;
  readonly #counts = new Map<string, number>();

  constructor(malformed: MalformedRows) {
    this.#malformed = malformed;
  }

  /** Rows that were left out; a file that is read again counts once. */
  get malformedRows(): number {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
  }

  /**
   * Every row of a file, converted.
   * @param label names the file
   * @param convert throws `DATA_MALFORMED` for a row that it cannot make sense of
   */
  async read<R, T>(label: string, rows: AsyncIterable<R>, convert: (row: R) => T): Promise<T[]> {
    const converted: T[] = [];
    let malformed = 0;
    for await (const row of rows) {
      try {
        converted.push(convert(row));
      } catch (error) {
        const isRow = error instanceof FeedrankError && error.code === 'DATA_MALFORMED';
        if (!isRow || this.#malformed === 'fail') throw error;
        malformed += 1;
      }
      this.#counts.set(label, malformed);
    }
    return converted;
  }
}
