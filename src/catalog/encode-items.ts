import { types } from 'node:util';
import type { NativeItems, NativeSchema } from '../binding';
import { FeedrankError, invalidArgument } from '../errors';
import { isInstant, toMilliseconds } from '../instant';
import {
  checkBatch,
  checkItemId,
  checkName,
  checkObject,
  checkVector,
  isObject,
  isStringId,
} from '../validation';
import { encodeTexts } from './encode-texts';
import { Names, noName } from './names';

/** 1 GiB of float32. */
const mostVectorValues = 2 ** 28;

/**
 * Checks items and lays them out as the native core takes them: one array a column. Everything is
 * checked before anything is handed over, so a bad item leaves the catalog as it was. An item costs
 * no allocation of ours: names of arguments are put together only for an error.
 * @internal
 */
export function encodeItems(items: unknown, schema: NativeSchema): NativeItems {
  const batch = checkBatch(items, 'items');
  const n = batch.length;
  const values = n * schema.spaces.reduce((sum, space) => sum + space.dimensions, 0);
  if (values > mostVectorValues) {
    throw invalidArgument('items', `at most ${mostVectorValues} vector values in one call`, values);
  }
  const withStrings = schema.ids === 'string';
  const idTexts: string[] = [];
  const idNumbers = new Float64Array(withStrings ? 0 : n);
  const publishTimes = new Float64Array(n);
  const authors = new Uint32Array(n).fill(noName);
  const authorNames = new Names();
  const topics: number[] = [];
  const topicEnds = new Uint32Array(n);
  const topicNames = new Names();
  const labelNames = new Names();
  const labels = schema.labels.map(() => new Uint32Array(n).fill(noName));
  const narrow = schema.columnPrecision === 'float32';
  const columns = schema.columns.map(() => new Float64Array(n).fill(NaN));
  const spaces = schema.spaces.map((space) => ({
    values: new Float32Array(n * space.dimensions),
    present: new Uint8Array(n),
  }));
  const columnIndex = new Map(schema.columns.map((name, i) => [name, i]));
  const labelIndex = new Map(schema.labels.map((name, i) => [name, i]));
  const spaceIndex = new Map(schema.spaces.map((space, i) => [space.name, i]));

  for (let i = 0; i < n; i++) {
    const given = batch[i];
    const item = isObject(given) ? given : checkObject(given, `items[${i}]`);
    const id = item['id'];
    if (withStrings) {
      idTexts.push(isStringId(id) ? id : (checkItemId(id, 'string', `items[${i}].id`) as string));
    } else {
      idNumbers[i] = checkItemId(id, 'integer', `items[${i}].id`) as number;
    }
    const publishTime = item['publishTime'];
    publishTimes[i] = isInstant(publishTime)
      ? Math.trunc(publishTime)
      : toMilliseconds(publishTime, `items[${i}].publishTime`);
    const author = item['author'];
    if (author !== undefined) {
      authors[i] =
        authorNames.find(author) ?? authorNames.add(checkName(author, `items[${i}].author`));
    }
    const itemTopics = item['topics'];
    if (itemTopics !== undefined) {
      if (!Array.isArray(itemTopics)) {
        throw invalidArgument(`items[${i}].topics`, 'an array', itemTopics);
      }
      for (let t = 0; t < itemTopics.length; t++) {
        const name: unknown = itemTopics[t];
        const code =
          topicNames.find(name) ?? topicNames.add(checkName(name, `items[${i}].topics[${t}]`));
        if (topicNames.isFirstIn(code, i)) topics.push(code);
      }
    }
    topicEnds[i] = topics.length;
    const itemLabels = item['labels'];
    if (itemLabels !== undefined) {
      const named = isObject(itemLabels)
        ? itemLabels
        : checkObject(itemLabels, `items[${i}].labels`);
      for (const name of Object.keys(named)) {
        const value = named[name];
        const index = labelIndex.get(name) ?? refuseName(labelIndex, name, i, 'labels');
        labels[index]![i] =
          labelNames.find(value) ?? labelNames.add(checkName(value, `items[${i}].labels.${name}`));
      }
    }
    const itemColumns = item['columns'];
    if (itemColumns !== undefined) {
      const named = isObject(itemColumns)
        ? itemColumns
        : checkObject(itemColumns, `items[${i}].columns`);
      for (const name of Object.keys(named)) {
        const value = named[name];
        const index = columnIndex.get(name) ?? refuseName(columnIndex, name, i, 'columns');
        if (!Number.isFinite(value)) {
          throw invalidArgument(`items[${i}].columns.${name}`, 'a finite number', value);
        }
        if (narrow && !Number.isFinite(Math.fround(value as number))) {
          throw invalidArgument(`items[${i}].columns.${name}`, 'a finite float32', value);
        }
        columns[index]![i] = value as number;
      }
    }
    const embeddings = item['embeddings'];
    if (embeddings !== undefined) {
      const named = isObject(embeddings)
        ? embeddings
        : checkObject(embeddings, `items[${i}].embeddings`);
      for (const name of Object.keys(named)) {
        const value = named[name];
        const index = spaceIndex.get(name) ?? refuseName(spaceIndex, name, i, 'embeddings');
        const { dimensions } = schema.spaces[index]!;
        const target = spaces[index]!;
        if (!placeVector(value, target.values, i * dimensions, dimensions)) {
          const vector = checkVector(value, dimensions, `items[${i}].embeddings.${name}`);
          target.values.set(vector, i * dimensions);
        }
        target.present[i] = 1;
      }
    }
  }
  return {
    ids: withStrings ? encodeTexts(idTexts) : idNumbers,
    publishTimes,
    authorNames: encodeTexts(authorNames.list),
    authors,
    topicNames: encodeTexts(topicNames.list),
    topics: new Uint32Array(topics),
    topicEnds,
    labelNames: encodeTexts(labelNames.list),
    labels: labels.map((values) => ({ values })),
    columns: columns.map((values) => ({ values })),
    spaces,
  };
}

/**
 * Copies a vector to its place where it is one; false leaves it to `checkVector` to say what is
 * wrong. What lies at the place is then of no account.
 */
function placeVector(
  value: unknown,
  values: Float32Array,
  begin: number,
  dimensions: number,
): boolean {
  if (!Array.isArray(value) && !(types.isFloat32Array(value) && isOfOneThread(value.buffer))) {
    return false;
  }
  const vector = value as ArrayLike<unknown>;
  if (vector.length !== dimensions) return false;
  for (let d = 0; d < dimensions; d++) {
    const element = vector[d];
    if (typeof element !== 'number') return false;
    const rounded = Math.fround(element);
    // Neither infinity nor NaN is 0 when taken from itself.
    if (rounded - rounded !== 0) return false;
    values[begin + d] = rounded;
  }
  return true;
}

/** A detached buffer needs no question: its vectors have length 0. */
function isOfOneThread(buffer: ArrayBufferLike): boolean {
  return (
    (buffer instanceof ArrayBuffer || !types.isSharedArrayBuffer(buffer)) &&
    (buffer as { resizable?: boolean }).resizable !== true
  );
}

const kinds = {
  labels: ['UNKNOWN_COLUMN', 'label'],
  columns: ['UNKNOWN_COLUMN', 'column'],
  embeddings: ['UNKNOWN_SPACE', 'embedding space'],
} as const;

function refuseName(
  index: ReadonlyMap<string, number>,
  name: string,
  item: number,
  field: keyof typeof kinds,
): never {
  const [code, what] = kinds[field];
  const argument = `items[${item}].${field}.${name}`;
  const known = [...index.keys()].join(', ') || 'none';
  throw new FeedrankError(
    code,
    `${argument}: the catalog declares no ${what} of this name; it has: ${known}`,
    argument,
  );
}
