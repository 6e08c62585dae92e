import path from 'node:path';
import type { Catalog, CatalogOptions } from '../catalog/catalog';
import type { Item } from '../catalog/item';
import { TextTable } from '../data/text-table';
import { describeValue, FeedrankError } from '../errors';
import type { ItemId } from '../identity';
import { bodyCheck } from './body-check';
import { itemSchema } from './request-schemas';

/** Longer than any item that a request may bring. */
const longestLine = 8 * 2 ** 20;
const batchItems = 1000;

/**
 * A file of items, one JSON object a line as `PUT /items` takes them; blank lines are passed over.
 * It is read twice, so that what the catalog must declare is known before the first item goes in
 * and no more than a batch is held at a time.
 */
export class ItemsFile {
  readonly #table: TextTable;
  readonly #check = bodyCheck(itemSchema);
  readonly #signal: AbortSignal | undefined;

  /** Throws `DATA_MISSING` where there is no such file, `DATA_MALFORMED` where it is empty. */
  constructor(file: string, signal?: AbortSignal) {
    // The lines are JSON, not rows of columns, so only their encoding matters.
    const layout = { separator: '\n', encoding: 'utf-8', columns: [] } as const;
    this.#table = TextTable.open(file, path.basename(file), layout);
    this.#signal = signal;
  }

  /**
   * What a catalog must declare for these items. Rejects with `DATA_MALFORMED`, naming the line, for
   * one that is no item, repeats an id, or has an id or a vector of another kind than those before.
   */
  async survey(): Promise<Required<Pick<CatalogOptions, 'ids' | 'spaces' | 'columns' | 'labels'>>> {
    const lines = new Map<ItemId, number>();
    const spaces = new Map<string, number>();
    const columns = new Set<string>();
    const labels = new Set<string>();
    let ids: 'string' | 'integer' | undefined;
    for await (const { item, line } of this.#items()) {
      const kind = typeof item.id === 'string' ? 'string' : 'integer';
      ids ??= kind;
      if (kind !== ids) {
        throw this.#malformed(
          line,
          `id: expected a ${ids}, as before, got ${describeValue(item.id)}`,
        );
      }
      const earlier = lines.get(item.id);
      if (earlier !== undefined) {
        throw this.#malformed(line, `id: ${describeValue(item.id)} is in line ${earlier}, too`);
      }
      lines.set(item.id, line);
      for (const [space, { length }] of Object.entries(item.embeddings ?? {})) {
        const dimensions = spaces.get(space) ?? length;
        spaces.set(space, dimensions);
        if (length === dimensions) continue;
        const expected = `expected ${dimensions} values, as before, got ${length}`;
        throw this.#malformed(line, `embeddings.${space}: ${expected}`);
      }
      for (const column of Object.keys(item.columns ?? {})) columns.add(column);
      for (const label of Object.keys(item.labels ?? {})) labels.add(label);
    }
    if (ids === undefined) {
      throw new FeedrankError('DATA_MALFORMED', `${this.#table.label} has no items`, 'items');
    }
    const dimensions = [...spaces].map(([name, size]) => [name, { dimensions: size }] as const);
    return {
      ids,
      spaces: Object.fromEntries(dimensions),
      columns: [...columns],
      labels: [...labels],
    };
  }

  /** Writes all items. `prepare` may add to those of a batch. Rejects as {@link ItemsFile.survey}. */
  async load(
    catalog: Catalog,
    prepare: (items: readonly Item[]) => Promise<readonly Item[]> = (items) =>
      Promise.resolve(items),
  ): Promise<void> {
    let items: Item[] = [];
    let lines: number[] = [];
    const write = async (): Promise<void> => {
      try {
        await catalog.upsert(await prepare(items));
      } catch (error) {
        throw this.#ofLine(error, lines);
      }
      items = [];
      lines = [];
    };
    for await (const { item, line } of this.#items()) {
      items.push(item);
      lines.push(line);
      if (items.length === batchItems) await write();
    }
    if (items.length > 0) await write();
  }

  async *#items(): AsyncGenerator<{ readonly item: Item; readonly line: number }> {
    const decoder = new TextDecoder('utf-8', { fatal: true });
    for await (const { row, bytes } of this.#table.lines()) {
      this.#signal?.throwIfAborted();
      const line = row + 1;
      if (bytes.length > longestLine) {
        throw this.#malformed(
          line,
          `it has ${bytes.length} bytes; at most ${longestLine} are read`,
        );
      }
      let item: unknown;
      try {
        const text = decoder.decode(bytes);
        if (text.trim() === '') continue;
        item = JSON.parse(text);
      } catch (error) {
        throw this.#malformed(line, `it is no JSON: ${(error as Error).message.slice(0, 200)}`);
      }
      try {
        this.#check(item);
      } catch (error) {
        throw this.#malformed(line, (error as Error).message);
      }
      yield { item: item as Item, line };
    }
  }

  /** What the catalog refused, by the line instead of by the position in the batch. */
  #ofLine(error: unknown, lines: readonly number[]): unknown {
    if (!(error instanceof FeedrankError)) return error;
    const position = /^items\[(\d+)\]\.?/.exec(error.argument ?? '');
    const line = position && lines[Number(position[1])];
    if (typeof line !== 'number') return error;
    return this.#malformed(line, error.message.replace(position![0], ''));
  }

  #malformed(line: number, what: string): FeedrankError {
    const message = `${this.#table.label}, line ${line}: ${what}`;
    return new FeedrankError('DATA_MALFORMED', message, 'items');
  }
}
