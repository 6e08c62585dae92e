import { binding, type NativeCatalog, type NativeRetrieval, type NativeSchema } from '../binding';
import {
  describeValue,
  FeedrankError,
  guard,
  guardAsync,
  invalidArgument,
  type ErrorCode,
} from '../errors';
import { toMilliseconds, type Instant } from '../instant';
import {
  checkDevice,
  checkHandle,
  checkInteger,
  checkItemId,
  checkItemIds,
  checkName,
  checkNumber,
  checkObject,
  checkPositive,
  copyVector,
} from '../validation';
import { defaultRetrievalEffort } from '../profile/rank-settings';
import { checkApproximate } from './approximate';
import { encodeItems } from './encode-items';
import type { Item } from './item';
import type { ItemId } from '../identity';

/** Beyond this, one call would hold a native thread for too long. */
const mostVectors = 4096;

/** One embedding space. */
export interface SpaceOptions {
  /** Values a vector, 1 to 4,096. */
  readonly dimensions: number;
  /** Vectors of different versions are never compared. Defaults to `1`. */
  readonly version?: string;
  /**
   * `approximate` keeps the items in inverted lists besides, so that profiles may choose approximate
   * retrieval; costs `dimensions` + 20 bytes an item and about 1 µs of a native thread an item, spent
   * after the write. Defaults to `exact`.
   */
  readonly index?: 'exact' | 'approximate';
}

/** What a catalog's items hold; fixed when it is created. */
export interface CatalogOptions {
  /** The one kind of id: `1` and `'1'` never mix. */
  readonly ids: 'string' | 'integer';
  /** Embedding spaces by name. Defaults to none. */
  readonly spaces?: Readonly<Record<string, SpaceOptions>>;
  /** Names of numeric columns. Defaults to none. */
  readonly columns?: readonly string[];
  /**
   * In which precision numeric columns are kept. `float32` takes half the memory and less of a
   * request's time, since features wait for memory; a value is rounded when it is written, and
   * features and conditions then read the rounded one. Defaults to `float64`.
   */
  readonly columnPrecision?: 'float64' | 'float32';
  /** Names of labels, such as the groups of slices. Defaults to none. */
  readonly labels?: readonly string[];
}

/** Options of {@link Catalog.retrieve}. */
export interface RetrieveOptions {
  readonly space: string;
  /** Up to 4,096 user vectors laid end to end, each of the space's dimensions; finite. */
  readonly vectors: ArrayLike<number>;
  /** Items a vector, 1 to 2³¹ − 1. */
  readonly k: number;
  /** τ of exp(−age/τ) in milliseconds, one for all or one a vector; above 0, `Infinity` for none. */
  readonly tauMs: number | readonly number[];
  /** One for all or one a vector. Defaults to the clock. */
  readonly now?: Instant | readonly Instant[];
  /** What decay does to a negative dot product. Defaults to `decay`. */
  readonly negativeDots?: 'decay' | 'keep' | 'drop';
  /** `approximate` for spaces of `index: 'approximate'` alone. Defaults to `exact`. */
  readonly retrieval?: 'exact' | 'approximate';
  /** From 0 to 1, where retrieval is approximate; at 1 it finds what the exact one finds. Defaults to 0.35. */
  readonly retrievalEffort?: number;
  /** Where the vectors are multiplied. Defaults to `cpu`. */
  readonly device?: 'cpu' | 'cuda';
}

/** Options of {@link Catalog.measureRecall}. */
export type MeasureRecallOptions = Omit<RetrieveOptions, 'retrieval' | 'device'>;

/** What {@link Catalog.measureRecall} found. */
export interface MeasuredRecall {
  /** Share of the items of the exact answers that are in the approximate ones too. */
  readonly recall: number;
  /** Median milliseconds of one exact search on one thread. */
  readonly exactMs: number;
  /** The same of an approximate one. */
  readonly approximateMs: number;
  /** Share of the space's items in inverted lists; the others are scanned. */
  readonly listed: number;
}

/** Items found for one user vector, best first. */
export interface RetrievedItems {
  readonly ids: readonly ItemId[];
  /** dot(user, item) · exp(−age/τ), one an id. */
  readonly scores: Float64Array;
}

/** Lets another worker_thread attach to a catalog; a plain value that `postMessage` carries. */
export interface CatalogHandle {
  readonly kind: 'feedrank-catalog';
  readonly number: number;
}

/**
 * What can be shown: the columns that hold the items, in native memory shared by the process.
 * Writes become visible all at once when their promise resolves; a request sees one state.
 */
export class Catalog {
  /** @internal */
  readonly schema: NativeSchema;
  #native: NativeCatalog | undefined;

  private constructor(native: NativeCatalog, schema: NativeSchema) {
    this.#native = native;
    this.schema = schema;
  }

  /** Creates an empty catalog. Throws `INVALID_ARGUMENT`, `ADDON_LOAD_FAILED`. */
  // eslint-disable-next-line @typescript-eslint/require-await -- Part of the public contract: creation may become asynchronous.
  static async create(options: CatalogOptions): Promise<Catalog> {
    const schema = toSchema(options);
    return guard(() => new Catalog(new (binding().Catalog)(schema), schema));
  }

  /** Attaches to a catalog of another worker_thread of this process. Throws `DISPOSED`. */
  static attach(handle: CatalogHandle): Catalog {
    checkHandle(handle, 'feedrank-catalog', 'what Catalog.handle() returned');
    return guard(() => {
      const native = new (binding().Catalog)(handle.number);
      return new Catalog(native, native.schema());
    });
  }

  /** For {@link Catalog.attach} in another worker_thread, while this catalog lives. */
  handle(): CatalogHandle {
    return { kind: 'feedrank-catalog', number: this.native.share() };
  }

  /**
   * Inserts items, or replaces those whose id is there. Rejects with `INVALID_ARGUMENT`,
   * `DIMENSION_MISMATCH`, `DUPLICATE_ID`, `UNKNOWN_COLUMN`, `UNKNOWN_SPACE` or `OVERLOADED`.
   * Checking and laying out the batch takes the event loop some 1 µs an item; split large loads.
   */
  async upsert(
    items: readonly Item[],
  ): Promise<{ inserted: number; replaced: number; epoch: number }> {
    const encoded = encodeItems(items, this.schema);
    return guardAsync(() => this.native.upsert(encoded));
  }

  /** Removes items; ids that are not there are counted. Running requests drop them from slates. */
  async remove(
    ids: readonly ItemId[],
  ): Promise<{ removed: number; unknown: number; epoch: number }> {
    const checked = checkItemIds(ids, this.schema.ids, 'ids');
    return guardAsync(() => this.native.remove(checked));
  }

  has(id: ItemId): boolean {
    return this.native.has(checkItemId(id, this.schema.ids, 'id'));
  }

  /**
   * The top k by dot(user, item) · exp(−age/τ) for several user vectors, scored in double precision:
   * exactly and in one pass, or approximately. Rejects with `UNKNOWN_SPACE`, `DIMENSION_MISMATCH`, `INVALID_ARGUMENT`,
   * `DEVICE_UNAVAILABLE` or `OVERLOADED`.
   */
  async retrieve(options: RetrieveOptions): Promise<RetrievedItems[]> {
    const native = this.#search(options);
    return guardAsync(() => this.native.retrieve(native));
  }

  /**
   * Answers each vector exactly and approximately, by turns and on one native thread, and compares
   * what was found. The space must be of `index: 'approximate'`. Rejects as `retrieve` does.
   */
  async measureRecall(options: MeasureRecallOptions): Promise<MeasuredRecall> {
    checkObject(options, 'options');
    const native = this.#search({ ...options, retrieval: 'approximate', device: 'cpu' });
    return guardAsync(() => this.native.recall(native));
  }

  /**
   * Resolves when all that has been written lies in inverted lists that is going to: until then
   * approximate retrieval scans it. For measurements; nothing needs to wait for it.
   */
  async whenClustered(): Promise<void> {
    while (await guardAsync(() => this.native.tidySome()));
  }

  #search(options: RetrieveOptions): NativeRetrieval {
    checkObject(options, 'options');
    const { dimensions } = this.space(options.space, 'space');
    const vectors = copyVector(options.vectors, 'vectors');
    if (vectors.length === 0 || vectors.length % dimensions !== 0) {
      throw new FeedrankError(
        'DIMENSION_MISMATCH',
        `vectors: expected a multiple of ${dimensions} values, got ${vectors.length}`,
        'vectors',
      );
    }
    const count = vectors.length / dimensions;
    if (count > mostVectors) {
      throw invalidArgument('vectors', `at most ${mostVectors} vectors in one call`, count);
    }
    const negativeDots = options.negativeDots ?? 'decay';
    if (!['decay', 'keep', 'drop'].includes(negativeDots)) {
      throw invalidArgument('negativeDots', "'decay', 'keep' or 'drop'", negativeDots);
    }
    return {
      space: options.space,
      vectors,
      k: checkInteger(options.k, 'k', 1, 2 ** 31 - 1),
      tauMs: perVector(options.tauMs, count, 'tauMs', (value, argument) =>
        checkPositive(value, argument, true),
      ),
      now: perVector(options.now ?? Date.now(), count, 'now', toMilliseconds),
      negativeDots,
      effort: this.#effort(options),
      device: checkDevice(options.device ?? 'cpu'),
    };
  }

  #effort({ space, retrieval = 'exact', retrievalEffort, device }: RetrieveOptions) {
    if (retrieval !== 'exact' && retrieval !== 'approximate') {
      throw invalidArgument('retrieval', "'exact' or 'approximate'", retrieval);
    }
    const effort = checkNumber(retrievalEffort ?? defaultRetrievalEffort, 'retrievalEffort', 0, 1);
    if (retrieval === 'exact') return undefined;
    const spaces = this.schema.spaces.filter(({ name }) => name === space);
    checkApproximate({ device: device ?? 'cpu', spaces }, 'retrieval');
    return effort;
  }

  /** Number of items. */
  get size(): number {
    return this.native.stats().size;
  }

  /** Rises with every write that changed something. */
  get epoch(): number {
    return this.native.stats().epoch;
  }

  /** Bytes of native memory set aside for rows and for the indexes that are searched. */
  get bytes(): number {
    return this.native.stats().bytes;
  }

  /** Rows set aside, in use or waiting to be used again. @internal */
  get allocatedRows(): number {
    return this.native.stats().allocatedRows;
  }

  /** Lets go of the catalog. Feeds that were made from it keep what they need. */
  dispose(): void {
    this.#native = undefined;
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- The symbol's contract.
  async [Symbol.asyncDispose](): Promise<void> {
    this.dispose();
  }

  /** @internal */
  get native(): NativeCatalog {
    if (this.#native === undefined) {
      throw new FeedrankError('DISPOSED', 'catalog: it has been disposed of', 'catalog');
    }
    return this.#native;
  }

  /** @internal */
  space(name: unknown, argument: string): { index: number; dimensions: number } {
    const index = this.schema.spaces.findIndex((space) => space.name === name);
    const space = this.schema.spaces[index];
    if (space !== undefined) return { index, dimensions: space.dimensions };
    const known = this.schema.spaces.map((candidate) => candidate.name).join(', ') || 'none';
    throw new FeedrankError(
      'UNKNOWN_SPACE',
      `${argument}: no embedding space ${describeValue(name)}; the catalog has: ${known}`,
      argument,
    );
  }

  /** Position of a column. Throws `UNKNOWN_COLUMN`. @internal */
  column(name: unknown, argument: string): number {
    return position(this.schema.columns, name, argument, 'UNKNOWN_COLUMN', 'column');
  }

  /** Position of a label. Throws `UNKNOWN_GROUP`. @internal */
  label(name: unknown, argument: string): number {
    return position(this.schema.labels, name, argument, 'UNKNOWN_GROUP', 'label');
  }
}

function position(
  names: readonly string[],
  name: unknown,
  argument: string,
  code: ErrorCode,
  what: string,
): number {
  const index = names.indexOf(name as string);
  if (index >= 0) return index;
  const known = names.join(', ') || 'none';
  throw new FeedrankError(
    code,
    `${argument}: no ${what} ${describeValue(name)}; the catalog has: ${known}`,
    argument,
  );
}

function toSchema(options: CatalogOptions): NativeSchema {
  checkObject(options, 'options');
  if (options.ids !== 'string' && options.ids !== 'integer') {
    throw invalidArgument('ids', "'string' or 'integer'", options.ids);
  }
  const spaces = Object.entries(checkObject(options.spaces ?? {}, 'spaces')).map(
    ([name, value]) => {
      const space = checkObject(value, `spaces.${name}`);
      return {
        name: checkName(name, 'spaces'),
        dimensions: checkInteger(space['dimensions'], `spaces.${name}.dimensions`, 1, 4096),
        version: checkName(space['version'] ?? '1', `spaces.${name}.version`),
        index: checkIndex(space['index'] ?? 'exact', `spaces.${name}.index`),
      };
    },
  );
  return {
    ids: options.ids,
    spaces,
    columns: distinctNames(options.columns ?? [], 'columns'),
    columnPrecision: checkPrecision(options.columnPrecision ?? 'float64'),
    labels: distinctNames(options.labels ?? [], 'labels'),
  };
}

function checkPrecision(precision: unknown): 'float64' | 'float32' {
  if (precision !== 'float64' && precision !== 'float32') {
    throw invalidArgument('columnPrecision', "'float64' or 'float32'", precision);
  }
  return precision;
}

function checkIndex(value: unknown, argument: string): 'exact' | 'approximate' {
  if (value === 'exact' || value === 'approximate') return value;
  throw invalidArgument(argument, "'exact' or 'approximate'", value);
}

function distinctNames(names: unknown, argument: string): string[] {
  if (!Array.isArray(names)) throw invalidArgument(argument, 'an array of names', names);
  const checked = names.map((name, i) => checkName(name, `${argument}[${i}]`));
  if (new Set(checked).size !== checked.length) {
    throw invalidArgument(argument, 'distinct names', checked.join(', '));
  }
  return checked;
}

function perVector(
  value: unknown,
  count: number,
  argument: string,
  check: (value: unknown, argument: string) => number,
): Float64Array {
  if (!Array.isArray(value)) return new Float64Array(count).fill(check(value, argument));
  if (value.length !== count) {
    throw invalidArgument(argument, `one value, or one for each of ${count} vectors`, value);
  }
  return Float64Array.from(value, (element, i) => check(element, `${argument}[${i}]`));
}
