import { agreesWithGolden } from './agrees-with-golden';
import { encodeTowerItems, type TowerItem } from './encode-tower-items';
import type { Towers } from './towers';
import { attributeCount, categoryCount } from './towers-description';

/** Inputs of both towers and what the towers answer to them, to check a stored file by. */
export interface TowersGolden {
  readonly item: {
    readonly ids: number[];
    readonly attributes: (number | null)[][];
    readonly categories: (number | null)[][];
    readonly outputs: number[][];
  };
  readonly user: {
    readonly reads: number[][][];
    readonly hours: number[][];
    readonly present: number[][];
    readonly context: (number | null)[][];
    readonly outputs: number[][];
  };
}

/** The items' answers, and those of readers who have read none, some and more than all of them. @internal */
export async function goldenOf(
  towers: Towers,
  kind: 'string' | 'integer',
  items: readonly TowerItem[],
): Promise<TowersGolden> {
  const { description } = towers;
  const { dimensions, maxReads } = description;
  const encoded = encodeTowerItems(items, description, kind, (id) => towers.has(id), 'items');
  const vectors = await towers.native.item.encode(encoded);
  const item = {
    ids: [...encoded.ids],
    attributes: rows(encoded.attributes, attributeCount(description), items.length),
    categories: rows(encoded.categories, categoryCount(description), items.length),
    outputs: rows(vectors, dimensions, items.length) as number[][],
  };

  const user = {
    reads: [] as number[][][],
    hours: [] as number[][],
    present: [] as number[][],
    context: [] as (number | null)[][],
    outputs: [] as number[][],
  };
  for (const count of new Set([0, Math.ceil(maxReads / 2), maxReads])) {
    const reads = new Float32Array(maxReads * dimensions);
    const hours = new Float32Array(maxReads);
    const present = new Float32Array(maxReads);
    for (let r = 0; r < count; r++) {
      const from = (r % items.length) * dimensions;
      reads.set(vectors.subarray(from, from + dimensions), r * dimensions);
      hours[r] = 2 ** (r % 24) / 1024;
      present[r] = 1;
    }
    // Nothing known of the query where nothing has been read.
    const context = new Float32Array(description.context.length).fill(count === 0 ? NaN : 1);
    const output = await towers.native.user.encode({ reads, hours, present, context });
    user.reads.push(rows(reads, dimensions, maxReads) as number[][]);
    user.hours.push([...hours]);
    user.present.push([...present]);
    user.context.push(nullable(context));
    user.outputs.push([...output]);
  }
  return { item, user };
}

/**
 * Where the towers answer otherwise than they did when they were stored, beyond
 * |a − b| ≤ 1e-4 · max(1, |b|); undefined where they do not.
 * @internal
 */
export async function differenceFromGolden(
  { native, space }: Towers,
  { item, user }: TowersGolden,
): Promise<string | undefined> {
  const vectors = await native.item.encode({
    ids: Uint32Array.from(item.ids),
    attributes: numbers(item.attributes.flat()),
    categories: Uint32Array.from(item.categories.flat(), Number),
    aside: true,
  });
  const wrong = wrongRow(vectors, item.outputs, space.dimensions);
  if (wrong !== undefined) return `golden item ${wrong}`;
  for (const [row, expected] of user.outputs.entries()) {
    const vector = await native.user.encode({
      reads: numbers(user.reads[row]!.flat()),
      hours: numbers(user.hours[row]!),
      present: numbers(user.present[row]!),
      context: numbers(user.context[row]!),
      aside: true,
    });
    if (wrongRow(vector, [expected], space.dimensions) !== undefined) return `golden reader ${row}`;
  }
  return undefined;
}

function wrongRow(
  values: Float32Array,
  expected: readonly (readonly number[])[],
  width: number,
): number | undefined {
  const row = expected.findIndex((outputs, r) =>
    outputs.some((value, d) => !agreesWithGolden(values[r * width + d]!, value)),
  );
  return row < 0 ? undefined : row;
}

function numbers(values: readonly (number | null)[]): Float32Array {
  return Float32Array.from(values, (value) => value ?? NaN);
}

function rows(
  values: Float32Array | Uint32Array,
  width: number,
  count: number,
): (number | null)[][] {
  return Array.from({ length: count }, (_, i) =>
    nullable(values.subarray(i * width, (i + 1) * width)),
  );
}

/** JSON has no NaN. */
function nullable(values: Float32Array | Uint32Array): (number | null)[] {
  return Array.from(values, (value) => (Number.isNaN(value) ? null : value));
}
