import { types } from 'node:util';
import {
  binding,
  type NativeItemTower,
  type NativeReaderEncoder,
  type NativeUserTower,
} from '../binding';
import type { Catalog } from '../catalog/catalog';
import { FeedrankError, guard, guardAsync, invalidArgument } from '../errors';
import type { ItemId } from '../identity';
import {
  checkBatch,
  checkBytes,
  checkInteger,
  checkItemIds,
  checkName,
  checkObject,
} from '../validation';
import { encodeTowerItems, type TowerItem } from './encode-tower-items';
import {
  attributeCount,
  categoryCount,
  toTowersDescription,
  type TowersDescription,
} from './towers-description';

/** The embedding space of two towers. */
export interface TowerSpace {
  readonly name: string;
  readonly version: string;
  readonly dimensions: number;
}

/** Two towers as they are stored. */
export interface TowersParts {
  /** A TorchScript file. */
  readonly userTower: Uint8Array;
  /** A TorchScript file. */
  readonly itemTower: Uint8Array;
  readonly space: TowerSpace;
  readonly description: TowersDescription;
  /** The items that the towers were trained on, and their vectors, row-major. */
  readonly items: {
    readonly ids: readonly ItemId[];
    readonly kind: 'string' | 'integer';
    readonly vectors: Float32Array;
  };
}

/** Options of {@link Towers.load}. */
export interface TowersLoadOptions {
  /**
   * A TorchScript file is code. Files that nothing vouches for are loaded only with `true`: give it
   * only for towers that you trained or checked. Defaults to `false`.
   */
  readonly allowUnverified?: boolean;
}

/** The stage in which a request turns its reader into a vector. */
const stageName = 'user-tower';

/**
 * An item tower and a user tower of one embedding space. The item tower gives items their vectors,
 * new ones by their attributes alone; a feed that is made with the towers computes its readers'
 * vectors itself, from what they have read lately.
 */
export class Towers {
  readonly space: TowerSpace;
  readonly description: TowersDescription;
  readonly #items: TowersParts['items'];
  readonly #known: ReadonlySet<ItemId>;
  #itemTower: NativeItemTower | undefined;
  #userTower: NativeUserTower | undefined;

  private constructor(
    parts: Pick<TowersParts, 'space' | 'description' | 'items'>,
    itemTower: NativeItemTower,
    userTower: NativeUserTower,
    known: ReadonlySet<ItemId> = new Set(parts.items.ids),
  ) {
    this.space = parts.space;
    this.description = parts.description;
    this.#items = parts.items;
    this.#known = known;
    this.#itemTower = itemTower;
    this.#userTower = userTower;
  }

  /**
   * Loads both towers and runs each once. Rejects with `MODEL_UNVERIFIED`, `MODEL_DESCRIPTION`,
   * `MODEL_CORRUPT`, `MODEL_SHAPE` (a tower does not take what the description names, or answers in
   * another shape), `MODEL_OUTPUT` (it answers NaN or infinity to empty input), `INVALID_ARGUMENT`
   * or `DIMENSION_MISMATCH`.
   */
  static async load(parts: TowersParts, options: TowersLoadOptions = {}): Promise<Towers> {
    checkObject(parts, 'parts');
    if (checkObject(options, 'options')['allowUnverified'] !== true) {
      throw new FeedrankError(
        'MODEL_UNVERIFIED',
        'parts: loading bare tower files runs code that they hold; if you trust them, pass allowUnverified: true',
        'parts',
      );
    }
    const description = toTowersDescription(parts.description, 'parts.description');
    const space = checkSpace(parts.space, description.dimensions);
    const items = checkItems(parts.items, description.dimensions);
    const { dimensions, maxReads, context, idBuckets, categoryBuckets } = description;
    const native = binding();
    const [itemTower, userTower] = await guardAsync(() =>
      Promise.all([
        native.loadItemTower({
          bytes: checkBytes(parts.itemTower, 'parts.itemTower'),
          dimensions,
          attributes: attributeCount(description),
          categories: categoryCount(description),
          idBuckets,
          categoryBuckets,
        }),
        native.loadUserTower({
          bytes: checkBytes(parts.userTower, 'parts.userTower'),
          dimensions,
          maxReads,
          context: context.length,
        }),
      ]),
    );
    return new Towers({ ...parts, description, space, items }, itemTower, userTower);
  }

  /**
   * Items with their vectors in the towers' space filled in. An item that the towers were not trained
   * on gets its vector from its attributes alone. Some microseconds an item, off the event loop but
   * for the checks. Rejects with `INVALID_ARGUMENT`, `DIMENSION_MISMATCH`, `MODEL_OUTPUT`,
   * `OVERLOADED` or `DISPOSED`.
   */
  async embed<T extends TowerItem>(
    items: readonly T[],
  ): Promise<(T & Required<Pick<TowerItem, 'embeddings'>>)[]> {
    const tower = this.#live(this.#itemTower);
    checkBatch(items, 'items');
    const { name, dimensions } = this.space;
    const encoded = encodeTowerItems(
      items,
      this.description,
      this.#items.kind,
      (id) => this.#known.has(id),
      'items',
    );
    const vectors = await guardAsync(() => tower.encode(encoded));
    return items.map((item, i) => ({
      ...item,
      embeddings: {
        ...item.embeddings,
        [name]: vectors.subarray(i * dimensions, (i + 1) * dimensions),
      },
    }));
  }

  /** The items that the towers were trained on, and their vectors end to end. */
  itemVectors(): { readonly ids: readonly ItemId[]; readonly vectors: Float32Array } {
    return { ids: this.#items.ids, vectors: this.#items.vectors };
  }

  /** Whether the towers were trained on the item, so that its vector rests on its id as well. */
  has(id: ItemId): boolean {
    return this.#known.has(id);
  }

  /** Lets go of the towers. Feeds that were made with them keep what they need. */
  dispose(): void {
    this.#itemTower?.release();
    this.#userTower?.release();
    this.#itemTower = undefined;
    this.#userTower = undefined;
  }

  /** The same towers on handles of their own. Throws `DISPOSED`. @internal */
  share(): Towers {
    const { item, user } = this.native;
    const parts = { space: this.space, description: this.description, items: this.#items };
    return guard(() => new Towers(parts, item.share(), user.share(), this.#known));
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- The symbol's contract.
  async [Symbol.asyncDispose](): Promise<void> {
    this.dispose();
  }

  /**
   * How a feed on the catalog encodes readers. Throws `UNKNOWN_SPACE`, `DIMENSION_MISMATCH`,
   * `INVALID_ARGUMENT` where the catalog's space is of another version, `DISPOSED`.
   * @param contextKeys those of the feed, in the order of a query's context values
   * @internal
   */
  encoder(catalog: Catalog, contextKeys: readonly string[]): NativeReaderEncoder {
    const { name, version, dimensions } = this.space;
    const space = catalog.schema.spaces[catalog.space(name, 'towers.space').index]!;
    if (space.dimensions !== dimensions) {
      throw new FeedrankError(
        'DIMENSION_MISMATCH',
        `towers.space: expected a space of ${dimensions} dimensions, got ${space.dimensions}`,
        'towers.space',
      );
    }
    if (space.version !== version) {
      throw invalidArgument(
        'towers.space',
        `version ${version} of space ${name} in the catalog`,
        space.version,
      );
    }
    return {
      name: stageName,
      space: name,
      tower: this.#live(this.#userTower),
      context: Uint32Array.from(this.description.context, (key) => contextKeys.indexOf(key)),
    };
  }

  /** Both towers, to be run on inputs as their forward takes them. @internal */
  get native(): { readonly item: NativeItemTower; readonly user: NativeUserTower } {
    return { item: this.#live(this.#itemTower), user: this.#live(this.#userTower) };
  }

  #live<T>(tower: T | undefined): T {
    if (tower !== undefined) return tower;
    throw new FeedrankError('DISPOSED', 'towers: they have been disposed of', 'towers');
  }
}

function checkSpace(value: unknown, dimensions: number): TowerSpace {
  const space = checkObject(value, 'parts.space');
  const checked = {
    name: checkName(space['name'], 'parts.space.name'),
    version: checkName(space['version'], 'parts.space.version'),
    dimensions: checkInteger(space['dimensions'], 'parts.space.dimensions', 1, 4096),
  };
  if (checked.dimensions === dimensions) return checked;
  throw new FeedrankError(
    'DIMENSION_MISMATCH',
    `parts.space.dimensions: expected the description's ${dimensions}, got ${checked.dimensions}`,
    'parts.space.dimensions',
  );
}

function checkItems(value: unknown, dimensions: number): TowersParts['items'] {
  const { ids, kind, vectors } = checkObject(value, 'parts.items');
  if (kind !== 'string' && kind !== 'integer') {
    throw invalidArgument('parts.items.kind', "'string' or 'integer'", kind);
  }
  const checked = checkItemIds(ids, kind, 'parts.items.ids');
  if (!types.isFloat32Array(vectors)) {
    throw invalidArgument('parts.items.vectors', 'a Float32Array', vectors);
  }
  if (vectors.length === checked.length * dimensions) return { ids: checked, kind, vectors };
  throw new FeedrankError(
    'DIMENSION_MISMATCH',
    `parts.items.vectors: expected ${checked.length} × ${dimensions} values, got ${vectors.length}`,
    'parts.items.vectors',
  );
}
