import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { ColumnSource } from 'hyparquet-writer';
import type { SchemaElement } from 'hyparquet';

/** Rows of one file; a column is there where any row has it. */
export type Row = Record<string, unknown>;

export interface EbnerdFixture {
  readonly articles?: readonly Row[];
  readonly train?: readonly Row[];
  readonly validation?: readonly Row[];
  /** Rows of each split's history; no file where there are none. */
  readonly histories?: Readonly<Partial<Record<'train' | 'validation', readonly Row[]>>>;
  readonly rowGroupSize?: number;
}

const day = Date.UTC(2023, 4, 20);

/** An instant on the fixture's day as the file holds it: microseconds. */
export function micros(minutes: number): bigint {
  return BigInt(day + minutes * 60_000) * 1000n;
}

/** An instant on the fixture's day in epoch milliseconds. */
export function millis(minutes: number): number {
  return day + minutes * 60_000;
}

export const articles: readonly Row[] = [1, 2, 3].map((id) => ({
  article_id: id,
  published_time: micros(-60 * id),
}));

/** A sound row, changed where told. */
export function behavior(id: number, changes: Row = {}): Row {
  return {
    impression_id: id,
    impression_time: micros(id),
    user_id: 7,
    article_ids_inview: [1, 2, 3],
    article_ids_clicked: [2],
    ...changes,
  };
}

const lists: Readonly<Record<string, Partial<SchemaElement>>> = {
  article_ids_inview: { type: 'INT32' },
  article_ids_clicked: { type: 'INT32' },
  article_id_fixed: { type: 'INT32' },
  impression_time_fixed: {
    type: 'INT64',
    logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: false, unit: 'MICROS' },
  },
  read_time_fixed: { type: 'FLOAT' },
  scroll_percentage_fixed: { type: 'FLOAT' },
};
const times = new Set(['impression_time', 'published_time']);
const floats = new Set([
  ...['next_read_time', 'next_scroll_percentage', 'read_time', 'scroll_percentage'],
]);
const booleans = new Set(['premium', 'is_subscriber']);

function schemaOf(name: string): SchemaElement[] {
  const element = lists[name];
  if (element) {
    return [
      { name, repetition_type: 'OPTIONAL', num_children: 1, converted_type: 'LIST' },
      { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
      { name: 'element', repetition_type: 'OPTIONAL', ...element },
    ];
  }
  if (times.has(name)) {
    return [
      {
        name,
        repetition_type: 'OPTIONAL',
        type: 'INT64',
        logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: false, unit: 'MICROS' },
      },
    ];
  }
  const type = floats.has(name) ? 'FLOAT' : booleans.has(name) ? 'BOOLEAN' : 'INT32';
  return [{ name, repetition_type: 'OPTIONAL', type }];
}

/** Writes files in EB-NeRD's layout into a new folder, and returns the folder. */
export async function writeEbnerd(fixture: EbnerdFixture): Promise<string> {
  const { parquetWriteFile } = await import('hyparquet-writer');
  const folder = mkdtempSync(join(tmpdir(), 'feedrank-ebnerd-'));
  const write = (path: string, rows: readonly Row[]): void => {
    const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
    const columnData: ColumnSource[] = names.map((name) => ({
      name,
      data: rows.map((row) => row[name] ?? null) as ColumnSource['data'],
    }));
    const root: SchemaElement = { name: 'root', num_children: names.length };
    parquetWriteFile({
      filename: join(folder, path),
      columnData,
      schema: [root, ...names.flatMap(schemaOf)],
      ...(fixture.rowGroupSize === undefined ? {} : { rowGroupSize: fixture.rowGroupSize }),
    });
  };
  write('articles.parquet', fixture.articles ?? articles);
  for (const split of ['train', 'validation'] as const) {
    mkdirSync(join(folder, split));
    write(`${split}/behaviors.parquet`, fixture[split] ?? [behavior(split === 'train' ? 1 : 100)]);
    const history = fixture.histories?.[split];
    if (history) write(`${split}/history.parquet`, history);
  }
  return folder;
}
