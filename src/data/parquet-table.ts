import { existsSync } from 'node:fs';

import type { AsyncBuffer, FileMetaData } from 'hyparquet';

import { FeedrankError } from '../errors';

/** A row as the file holds it, with its position in the file counted from 0. */
export interface ParquetTableRow {
  readonly row: number;
  readonly values: Readonly<Record<string, unknown>>;
}

/**
 * One parquet file, read a row group at a time and only the columns asked for. Errors name the
 * file as `label`, a path that a reader of the message recognises.
 */
export class ParquetTable {
  readonly label: string;
  readonly rowCount: number;
  readonly columns: ReadonlySet<string>;
  readonly #file: AsyncBuffer;
  readonly #metadata: FileMetaData;

  private constructor(
    label: string,
    columns: ReadonlySet<string>,
    file: AsyncBuffer,
    metadata: FileMetaData,
  ) {
    this.label = label;
    this.rowCount = Number(metadata.num_rows);
    this.columns = columns;
    this.#file = file;
    this.#metadata = metadata;
  }

  /**
   * Reads the file's footer.
   * @throws {FeedrankError} `DATA_MISSING` where there is no such file, `DATA_MALFORMED` where it
   * is not parquet or lacks a required column.
   */
  static async open(
    path: string,
    label: string,
    required: readonly string[],
  ): Promise<ParquetTable> {
    if (!existsSync(path))
      throw new FeedrankError('DATA_MISSING', `there is no file ${path}`, label);
    const { asyncBufferFromFile, parquetMetadataAsync, parquetSchema } = await import('hyparquet');
    try {
      const file = await asyncBufferFromFile(path);
      const metadata = await parquetMetadataAsync(file);
      const columns = new Set(parquetSchema(metadata).children.map(({ element }) => element.name));
      const missing = required.find((column) => !columns.has(column));
      if (missing !== undefined) {
        throw new FeedrankError('DATA_MALFORMED', `${path} has no column ${missing}`, label);
      }
      return new ParquetTable(label, columns, file, metadata);
    } catch (error) {
      throw asMalformed(error, path, label);
    }
  }

  /** The rows in the file's own order; columns that the file lacks are left out. */
  async *rows(columns: readonly string[]): AsyncGenerator<ParquetTableRow> {
    const [{ parquetReadObjects }, { compressors }] = await Promise.all([
      import('hyparquet'),
      import('hyparquet-compressors'),
    ]);
    const present = columns.filter((column) => this.columns.has(column));
    let rowStart = 0;
    for (const group of this.#metadata.row_groups) {
      const rowEnd = rowStart + Number(group.num_rows);
      const rows = await parquetReadObjects({
        file: this.#file,
        metadata: this.#metadata,
        columns: present,
        rowStart,
        rowEnd,
        compressors,
      }).catch((error: unknown) => {
        throw asMalformed(error, this.label, this.label);
      });
      for (const [index, values] of rows.entries()) yield { row: rowStart + index, values };
      rowStart = rowEnd;
    }
  }
}

function asMalformed(error: unknown, path: string, label: string): FeedrankError {
  if (error instanceof FeedrankError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new FeedrankError(
    'DATA_MALFORMED',
    `${path} cannot be read as parquet: ${reason}`,
    label,
    {
      cause: error,
    },
  );
}
