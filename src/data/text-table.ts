import { createReadStream, existsSync, statSync } from 'node:fs';

import { describeValue, FeedrankError } from '../errors';
import { malformedRow } from './row-values';

/** How a text file is laid out. */
export interface TextLayout {
  /** Between the values of a row. */
  readonly separator: string;
  readonly encoding: 'utf-8' | 'latin1';
  /** Names of the columns from the first on; a row may hold more, which are passed over. */
  readonly columns: readonly string[];
}

/** A line as the file holds it, with its position in the file counted from 0. */
export interface TextLine {
  readonly row: number;
  readonly bytes: Buffer;
}

/**
 * One text file without a header, a row a line. Errors name the file as `label`, a path that a
 * reader of the message recognises.
 */
export class TextTable {
  readonly label: string;
  readonly #path: string;
  readonly #layout: TextLayout;
  readonly #decoder = new TextDecoder('utf-8', { fatal: true });

  private constructor(path: string, label: string, layout: TextLayout) {
    this.#path = path;
    this.label = label;
    this.#layout = layout;
  }

  /** @throws {FeedrankError} `DATA_MISSING` where there is no such file, `DATA_MALFORMED` where it is empty. */
  static open(path: string, label: string, layout: TextLayout): TextTable {
    if (!existsSync(path) || !statSync(path).isFile()) {
      throw new FeedrankError('DATA_MISSING', `there is no file ${path}`, label);
    }
    if (statSync(path).size === 0) {
      throw new FeedrankError('DATA_MALFORMED', `${path} is empty`, label);
    }
    return new TextTable(path, label, layout);
  }

  /** How many lines the file has. */
  async countLines(): Promise<number> {
    let count = 0;
    for await (const line of this.lines()) count = line.row + 1;
    return count;
  }

  /** The lines in the file's own order, without what ends them. */
  async *lines(): AsyncGenerator<TextLine> {
    let rest: Buffer[] = [];
    let row = 0;
    for await (const chunk of createReadStream(this.#path, { highWaterMark: 2 ** 20 })) {
      const bytes = chunk as Buffer;
      let begin = 0;
      for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, begin)) {
        const line = bytes.subarray(begin, end);
        yield {
          row,
          bytes: withoutReturn(rest.length > 0 ? Buffer.concat([...rest, line]) : line),
        };
        rest = [];
        row += 1;
        begin = end + 1;
      }
      if (begin < bytes.length) rest.push(bytes.subarray(begin));
    }
    if (rest.length > 0) yield { row, bytes: withoutReturn(Buffer.concat(rest)) };
  }

  /** @throws {FeedrankError} `DATA_MALFORMED` for a line in another encoding or with too few columns. */
  parse({ row, bytes }: TextLine): TextRow {
    const { separator, columns } = this.#layout;
    const values = this.#decode(row, bytes).split(separator);
    if (values.length < columns.length) {
      const missing = columns[values.length] as string;
      const problem = `is missing: the row has ${values.length} columns of ${columns.length}`;
      throw malformedRow(this.label, row, missing, problem);
    }
    return new TextRow(
      this.label,
      row,
      new Map(columns.map((column, index) => [column, values[index] as string])),
    );
  }

  #decode(row: number, bytes: Buffer): string {
    const [first = ''] = this.#layout.columns;
    // Text of two or four bytes a character is told by its zeros; other text has none.
    if (bytes.includes(0))
      throw malformedRow(this.label, row, first, 'begins no text: it holds a zero byte');
    if (this.#layout.encoding === 'latin1') return bytes.toString('latin1');
    try {
      return this.#decoder.decode(bytes);
    } catch {
      throw malformedRow(this.label, row, first, 'begins a row that is not UTF-8');
    }
  }
}

/** The values of one row, each read as what it should be. */
export class TextRow {
  readonly #label: string;
  readonly #row: number;
  readonly #values: ReadonlyMap<string, string>;

  constructor(label: string, row: number, values: ReadonlyMap<string, string>) {
    this.#label = label;
    this.#row = row;
    this.#values = values;
  }

  malformed(column: string, problem: string): FeedrankError {
    return malformedRow(this.#label, this.#row, column, problem);
  }

  /** What stands there; may be empty. */
  text(column: string): string {
    return this.#values.get(column) ?? '';
  }

  /** A name or id: one word. */
  word(column: string): string {
    const text = this.text(column);
    if (!/^\S{1,256}$/.test(text)) throw this.#expected(column, 'a word of 1 to 256 characters');
    return text;
  }

  /** The words between the blanks; none where nothing stands there. */
  words(column: string): string[] {
    return this.text(column).split(' ').filter(Boolean);
  }

  /** A whole number of at least 0. */
  wholeNumber(column: string): number {
    const text = this.text(column);
    const number = /^\d{1,16}$/.test(text) ? Number(text) : NaN;
    if (!Number.isSafeInteger(number)) throw this.#expected(column, 'a whole number');
    return number;
  }

  #expected(column: string, expected: string): FeedrankError {
    return this.malformed(column, `is ${describeValue(this.text(column))}, not ${expected}`);
  }
}

function withoutReturn(line: Buffer): Buffer {
  return line.at(-1) === 13 ? line.subarray(0, -1) : line;
}
