import type { NativeItems, NativeSchema } from '../binding';
import { FeedrankError, invalidArgument } from '../errors';
import { toMilliseconds } from '../instant';
import { checkBatch, checkItemId, checkName, checkObject, copyVector } from '../validation';
import type { ItemId } from '../identity';

const none = 0xffffffff;

/** 1 GiB of float32. */
const mostVectorValues = 2 ** 28;

/** Numbers the distinct names of a batch. */
class Names {
  readonly list: string[] = [];
  readonly #codes = new Map<string, number>();

  code(name: string): number {
    let code = this.#codes.get(name);
    if (code === undefined) {
      code = this.list.length;
      this.list.push(name);
      this.#codes.set(name, code);
    }
    return code;
  }
}

/**
 * Checks items and lays them out as the native core takes them: one array a column. Everything is
 * checked before anything is handed over, so a bad item leaves the catalog as it was.
 * @internal
 */
export function encodeItems(items: unknown, schema: NativeSchema): NativeItems {
  const batch = checkBatch(items, 'items');
  const n = batch.length;
  const values = n * schema.spaces.reduce((sum, space) => sum + space.dimensions, 0);
  if (values > mostVectorValues) {
    throw invalidArgument('items', `at most ${mostVectorValues} vector values in one call`, values);
  }
  const ids: ItemId[] = [];
  const publishTimes = new Float64Array(n);
  const authors = new Uint32Array(n).fill(none);
  const authorNames = new Names();
  const topics: number[] = [];
  const topicEnds = new Uint32Array(n);
  const topicNames = new Names();
  const labelNames = new Names();
  const labels = schema.labels.map(() => new Uint32Array(n).fill(none));
  const columns = schema.columns.map(() => new Float64Array(n).fill(NaN));
  const spaces = schema.spaces.map((space) => ({
    values: new Float32Array(n * space.dimensions),
    present: new Uint8Array(n),
  }));
  const columnIndex = new Map(schema.columns.map((name, i) => [name, i]));
  const labelIndex = new Map(schema.labels.map((name, i) => [name, i]));
  const spaceIndex = new Map(schema.spaces.map((space, i) => [space.name, i]));

  for (let i = 0; i < n; i++) {
    const path = `items[${i}]`;
    const item = checkObject(batch[i], path);
    ids.push(checkItemId(item['id'], schema.ids, `${path}.id`));
    publishTimes[i] = toMilliseconds(item['publishTime'], `${path}.publishTime`);
    if (item['author'] !== undefined) {
      authors[i] = authorNames.code(checkName(item['author'], `${path}.author`));
    }
    if (item['topics'] !== undefined) {
      const names = item['topics'];
      if (!Array.isArray(names)) throw invalidArgument(`${path}.topics`, 'an array', names);
      const distinct = new Set(names.map((name, t) => checkName(name, `${path}.topics[${t}]`)));
      for (const name of distinct) topics.push(topicNames.code(name));
    }
    topicEnds[i] = topics.length;
    for (const [name, value, where] of entries(item['labels'], `${path}.labels`)) {
      const index = lookUp(labelIndex, name, where, 'UNKNOWN_COLUMN', 'label');
      labels[index]![i] = labelNames.code(checkName(value, where));
    }
    for (const [name, value, where] of entries(item['columns'], `${path}.columns`)) {
      const index = lookUp(columnIndex, name, where, 'UNKNOWN_COLUMN', 'column');
      if (!Number.isFinite(value)) throw invalidArgument(where, 'a finite number', value);
      columns[index]![i] = value as number;
    }
    for (const [name, value, where] of entries(item['embeddings'], `${path}.embeddings`)) {
      const index = lookUp(spaceIndex, name, where, 'UNKNOWN_SPACE', 'embedding space');
      const { dimensions } = schema.spaces[index]!;
      const vector = copyVector(value, where);
      if (vector.length !== dimensions) {
        throw new FeedrankError(
          'DIMENSION_MISMATCH',
          `${where}: expected ${dimensions} dimensions, got ${vector.length}`,
          where,
        );
      }
      spaces[index]!.values.set(vector, i * dimensions);
      spaces[index]!.present[i] = 1;
    }
  }
  return {
    ids,
    publishTimes,
    authorNames: authorNames.list,
    authors,
    topicNames: topicNames.list,
    topics: Uint32Array.from(topics),
    topicEnds,
    labelNames: labelNames.list,
    labels: labels.map((values) => ({ values })),
    columns: columns.map((values) => ({ values })),
    spaces,
  };
}

function* entries(value: unknown, path: string): Generator<[string, unknown, string]> {
  if (value === undefined) return;
  for (const [name, element] of Object.entries(checkObject(value, path))) {
    yield [name, element, `${path}.${name}`];
  }
}

function lookUp(
  index: ReadonlyMap<string, number>,
  name: string,
  argument: string,
  code: 'UNKNOWN_COLUMN' | 'UNKNOWN_SPACE',
  what: string,
): number {
  const found = index.get(name);
  if (found !== undefined) return found;
  const known = [...index.keys()].join(', ') || 'none';
  throw new FeedrankError(
    code,
    `${argument}: the catalog declares no ${what} of this name; it has: ${known}`,
    argument,
  );
}
