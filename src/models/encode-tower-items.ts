import { binding, type NativeTowerItems } from '../binding';
import type { Item } from '../catalog/item';
import { guard, invalidArgument } from '../errors';
import type { ItemId } from '../identity';
import { checkItemId, checkName, checkObject, checkVector } from '../validation';
import { attributeCount, categoryCount, type TowersDescription } from './towers-description';

/** An item as far as towers read it. */
export type TowerItem = Omit<Item, 'publishTime'>;

/**
 * Lays items out as the item tower reads them. Ids that `isKnown` denies are left out: what is in
 * their buckets was learnt from other items.
 *
 * Throws `INVALID_ARGUMENT` or `DIMENSION_MISMATCH`.
 * @internal
 */
export function encodeTowerItems(
  items: readonly unknown[],
  description: TowersDescription,
  kind: 'string' | 'integer',
  isKnown: (id: ItemId) => boolean,
  argument: string,
): NativeTowerItems {
  const n = items.length;
  const width = attributeCount(description);
  const names = categoryCount(description);
  const attributes = new Float32Array(n * width).fill(NaN);
  const categories = new Uint32Array(n * names);
  const ids = new Uint32Array(n);
  const known: { readonly id: ItemId; readonly at: number }[] = [];
  const named: { readonly id: string; readonly at: number }[] = [];

  Array.from(items, (value, i) => {
    const path = `${argument}[${i}]`;
    const item = checkObject(value, path) as unknown as TowerItem;
    const id = checkItemId(item.id, kind, `${path}.id`);
    if (isKnown(id)) known.push({ id, at: i });

    let at = i * width;
    const columns = checkObject(item.columns ?? {}, `${path}.columns`);
    for (const name of description.columns) {
      const column = columns[name];
      if (column !== undefined) attributes[at] = checkFinite(column, `${path}.columns.${name}`);
      at += 1;
    }
    const embeddings = checkObject(item.embeddings ?? {}, `${path}.embeddings`);
    for (const { name, dimensions } of description.spaces) {
      const vector = embeddings[name];
      const where = `${path}.embeddings.${name}`;
      if (vector !== undefined) attributes.set(checkVector(vector, dimensions, where), at);
      at += dimensions;
    }

    let slot = i * names;
    const add = (field: string, name: unknown, where: string) => {
      if (name !== undefined) named.push({ id: `${field}\0${checkName(name, where)}`, at: slot });
      slot += 1;
    };
    if (description.author) add('author', item.author, `${path}.author`);
    const labels = checkObject(item.labels ?? {}, `${path}.labels`);
    for (const label of description.labels) {
      add(`label ${label}`, labels[label], `${path}.labels.${label}`);
    }
    if (description.topics > 0 && item.topics !== undefined) {
      if (!Array.isArray(item.topics)) {
        throw invalidArgument(`${path}.topics`, 'an array', item.topics);
      }
      item.topics
        .slice(0, description.topics)
        .forEach((topic: unknown, t) => add('topic', topic, `${path}.topics[${t}]`));
    }
  });

  fillBuckets(ids, known, description.idBuckets);
  fillBuckets(categories, named, description.categoryBuckets);
  return { ids, attributes, categories };
}

function fillBuckets(
  into: Uint32Array,
  entries: readonly { readonly id: ItemId; readonly at: number }[],
  count: number,
): void {
  const buckets = guard(() =>
    binding().towerBuckets(
      entries.map(({ id }) => id),
      count,
    ),
  );
  entries.forEach(({ at }, i) => (into[at] = buckets[i]!));
}

function checkFinite(value: unknown, argument: string): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw invalidArgument(argument, 'a finite number', value);
}
