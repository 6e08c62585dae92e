import { Catalog } from '../catalog/catalog';
import type { Dataset, DatasetImpression, DatasetItem } from '../data/dataset';
import { FeedrankError } from '../errors';
import { replay, replayCatalogOptions, replayFeedOptions } from '../evaluation/replay';
import { Feed } from '../feed/feed';
import type { ItemId } from '../identity';
import type { TowerItem } from '../models/encode-tower-items';
import { weightedSum } from '../stages/native-stages';
import { throwIfAborted } from './throw-if-aborted';

/** What a gathering of examples looks at. */
export interface TowerExampleOptions {
  readonly dataset: Dataset;
  /** The part of the log whose clicks are learnt from. Defaults to `train`. */
  readonly split?: string;
  /** First instant that is not learnt from any more, in epoch milliseconds. Defaults to none. */
  readonly to?: number;
  /** A reader's last reads that are kept, 1 to 1024. Defaults to `20`. */
  readonly maxReads?: number;
  /** Keys of the impressions' context that are kept. Defaults to none. */
  readonly context?: readonly string[];
  /** How old an event is when it becomes known, in milliseconds. Defaults to `600000`. */
  readonly lagMs?: number;
  /** As in `replay`: reads of items that left the live pool are not seen. Defaults to all. */
  readonly poolMs?: number;
  readonly signal?: AbortSignal;
}

/** Clicks with what was known of their readers, in order of time. */
export interface TowerExamples {
  /** Every item that was clicked or read, in the order in which they came up. */
  readonly items: readonly TowerItem[];
  /** When each was published or first seen, in epoch milliseconds. */
  readonly publishTimes: Float64Array;
  /** Positions in `items`. */
  readonly clicked: Uint32Array;
  readonly at: Float64Array;
  /** clicks × context, row-major; NaN where missing. */
  readonly context: Float32Array;
  /** Positions in `items`, of all clicks end to end, each one's newest first. */
  readonly reads: Uint32Array;
  readonly readHours: Float32Array;
  /** Where each click's reads end. */
  readonly readEnds: Uint32Array;
}

/**
 * Replays a log causally and takes down each click with the reader's last reads as a feed knew them
 * at that time.
 *
 * @throws {FeedrankError} `EMPTY_DATA` where nothing was clicked, `ABORTED`, and what
 * {@link replay} throws.
 * @internal
 */
export async function gatherTowerExamples(options: TowerExampleOptions): Promise<TowerExamples> {
  const { dataset, split = 'train', to = Infinity, maxReads = 20, context = [] } = options;
  const taken = new Gathering(dataset, context);
  const catalog = await Catalog.create(replayCatalogOptions(dataset));
  const feed = await Feed.create({
    ...replayFeedOptions(dataset),
    catalog,
    ranker: weightedSum({ age: -1 }),
  });
  try {
    await replay({
      ...{ dataset, catalog, feed, split },
      ...(options.lagMs === undefined ? {} : { lagMs: options.lagMs }),
      ...(options.poolMs === undefined ? {} : { poolMs: options.poolMs }),
      onImpression(impression) {
        throwIfAborted(options.signal);
        taken.see(impression);
        if (impression.split !== split || impression.at >= to) return;
        if (impression.clickedIds.length === 0) return;
        taken.add(impression, feed.recentReads(impression, impression.at, maxReads));
      },
    });
  } finally {
    feed.dispose();
    catalog.dispose();
  }
  return taken.finish(split);
}

class Gathering {
  readonly #context: readonly string[];
  readonly #listed: ReadonlyMap<ItemId, DatasetItem>;
  readonly #firstSeen = new Map<ItemId, number>();
  readonly #places = new Map<ItemId, number>();
  readonly #clicked: number[] = [];
  readonly #at: number[] = [];
  readonly #contexts: number[] = [];
  readonly #reads: number[] = [];
  readonly #readHours: number[] = [];
  readonly #readEnds: number[] = [];

  constructor(dataset: Dataset, context: readonly string[]) {
    this.#context = context;
    this.#listed = new Map(dataset.items.map((item) => [item.id, item]));
  }

  see({ itemIds, at }: DatasetImpression): void {
    for (const id of itemIds) if (!this.#firstSeen.has(id)) this.#firstSeen.set(id, at);
  }

  add(
    { clickedIds, at, context }: DatasetImpression,
    reads: { readonly ids: readonly ItemId[]; readonly hours: Float32Array },
  ): void {
    for (const id of clickedIds) {
      this.#clicked.push(this.#placeOf(id));
      this.#at.push(at);
      for (const key of this.#context) this.#contexts.push(context[key] ?? NaN);
      for (const read of reads.ids) this.#reads.push(this.#placeOf(read));
      this.#readHours.push(...reads.hours);
      this.#readEnds.push(this.#reads.length);
    }
  }

  finish(split: string): TowerExamples {
    if (this.#clicked.length === 0) {
      throw new FeedrankError(
        'EMPTY_DATA',
        `split: expected clicks to learn from, got none in ${split}`,
        'split',
      );
    }
    const ids = [...this.#places.keys()];
    return {
      items: ids.map((id) => ({ ...this.#listed.get(id), id })),
      // An item that was only read was there before all that is learnt from.
      publishTimes: Float64Array.from(ids, (id) => {
        const listed = this.#listed.get(id)?.publishTime ?? Infinity;
        const first = Math.min(listed, this.#firstSeen.get(id) ?? Infinity);
        return first === Infinity ? 0 : first;
      }),
      clicked: Uint32Array.from(this.#clicked),
      at: Float64Array.from(this.#at),
      context: Float32Array.from(this.#contexts),
      reads: Uint32Array.from(this.#reads),
      readHours: Float32Array.from(this.#readHours),
      readEnds: Uint32Array.from(this.#readEnds),
    };
  }

  #placeOf(id: ItemId): number {
    let place = this.#places.get(id);
    if (place === undefined) this.#places.set(id, (place = this.#places.size));
    return place;
  }
}
