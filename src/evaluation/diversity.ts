import type { Dataset } from '../data/dataset';
import type { ItemId } from '../identity';

/** How many of a slate's first items the measures of diversity look at. */
export const diversityDepth = 10;

/**
 * Intra-list diversity (Ziegler et al. 2005, "Improving recommendation lists through topic
 * diversification"): the mean of 1 − cosine over all pairs. NaN for fewer than two vectors; vectors
 * of length 0 have no direction and are passed over.
 */
export function intraListDiversity(vectors: readonly ArrayLike<number>[]): number {
  const units = vectors.map(unit).filter((vector) => vector !== undefined);
  let sum = 0;
  for (const [index, vector] of units.entries()) {
    for (let other = 0; other < index; other += 1) {
      sum += 1 - dot(vector, units[other] as Float64Array);
    }
  }
  return sum / ((units.length * (units.length - 1)) / 2);
}

/** How diverse slates of a dataset's items are; NaN or `null` where the data cannot tell. */
export class SlateDiversity {
  /** Why there is no intra-list diversity, or no topic coverage, `null` where there is. */
  readonly reasons: { readonly intraList: string | null; readonly topics: string | null };
  readonly #vectors: ReadonlyMap<ItemId, ArrayLike<number>>;
  readonly #topics: ReadonlyMap<ItemId, readonly string[]>;

  constructor(dataset: Dataset) {
    const [space] = Object.keys(dataset.spaces);
    const vectors = new Map<ItemId, ArrayLike<number>>();
    const topics = new Map<ItemId, readonly string[]>();
    let hasTopics = false;
    for (const item of dataset.items) {
      const vector = space === undefined ? undefined : item.embeddings?.[space];
      if (vector) vectors.set(item.id, vector);
      topics.set(item.id, item.topics ?? []);
      hasTopics ||= (item.topics ?? []).length > 0;
    }
    this.#vectors = vectors;
    this.#topics = topics;
    this.reasons = {
      intraList: vectors.size > 0 ? null : `dataset ${dataset.name} has no embeddings`,
      topics: hasTopics ? null : `dataset ${dataset.name} has no topics`,
    };
  }

  /** Of the first 10 items, those that have vectors in the dataset's first embedding space. */
  intraList(ids: readonly ItemId[]): number {
    const vectors = ids.slice(0, diversityDepth).map((id) => this.#vectors.get(id));
    return intraListDiversity(vectors.filter((vector) => vector !== undefined));
  }

  /** How many different topics the first 10 items have; NaN where one of them is not listed. */
  topicCoverage(ids: readonly ItemId[]): number {
    const topics = new Set<string>();
    for (const id of ids.slice(0, diversityDepth)) {
      const own = this.#topics.get(id);
      if (!own) return NaN;
      for (const topic of own) topics.add(topic);
    }
    return topics.size;
  }
}

function unit(vector: ArrayLike<number>): Float64Array | undefined {
  const values = Float64Array.from(vector);
  const length = Math.sqrt(dot(values, values));
  return length > 0 ? values.map((value) => value / length) : undefined;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i += 1) sum += (a[i] as number) * (b[i] as number);
  return sum;
}
