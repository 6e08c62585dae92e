import type { ItemId } from '../identity';
import type { Instant } from '../instant';

/** What a catalog is told of one item. An upsert replaces all of it. */
export interface Item {
  readonly id: ItemId;
  /** A time in the future counts as age 0. */
  readonly publishTime: Instant;
  /** Names of authors, topics and label values are kept for the catalog's life, each once. */
  readonly author?: string;
  readonly topics?: readonly string[];
  /** Values of the catalog's declared labels, such as `{ creator: 'independent' }`. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Values of the catalog's declared numeric columns; finite. */
  readonly columns?: Readonly<Record<string, number>>;
  /** Vectors by embedding space, each as long as the space has dimensions; finite. */
  readonly embeddings?: Readonly<Record<string, ArrayLike<number>>>;
}
