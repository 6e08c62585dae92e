import type { Item } from '../catalog/item';
import type { Dataset, DatasetImpression, DatasetItem } from '../data/dataset';
import type { ItemId } from '../identity';
import type { Stock } from './stock';

interface Sighting {
  readonly id: ItemId;
  readonly at: number;
}

/**
 * A catalog that holds just what is live: at time t the items that somebody was shown, or that were
 * published, in [t − window, t − lag]. An impression never brings its own items in.
 */
export class LivePool implements Stock {
  leaving: readonly ItemId[] = [];
  readonly #windowMs: number;
  readonly #lagMs: number;
  readonly #items: readonly DatasetItem[];
  readonly #listed: ReadonlyMap<ItemId, DatasetItem>;
  readonly #firstSeen = new Map<ItemId, number>();
  /** When each item of the pool was shown or published last. */
  readonly #lastSeen = new Map<ItemId, number>();
  /** Publications and lists shown, oldest first: those from `#known` on are younger than the lag. */
  readonly #sightings: Sighting[] = [];
  #known = 0;
  #expired = 0;
  #nextItem = 0;
  #shown: DatasetImpression | undefined;
  readonly #unknown = new Set<ItemId>();

  constructor(dataset: Dataset, windowMs: number, lagMs: number) {
    this.#windowMs = windowMs;
    this.#lagMs = lagMs;
    this.#items = dataset.items.filter(({ publishTime }) => publishTime !== undefined);
    this.#listed = new Map(dataset.items.map((item) => [item.id, item]));
  }

  get unknownItems(): number {
    return this.#unknown.size;
  }

  get size(): number {
    return this.#lastSeen.size;
  }

  has(id: ItemId): boolean {
    return this.#lastSeen.has(id);
  }

  entering(impression: DatasetImpression): Item[] {
    const { at } = impression;
    this.#publishUpTo(this.#shown?.at ?? -Infinity);
    if (this.#shown) this.#see(this.#shown.itemIds, this.#shown.at);
    this.#shown = impression;
    this.#publishUpTo(at);

    const entered = new Set<ItemId>();
    for (let next = this.#sightings[this.#known]; next && next.at <= at - this.#lagMs;) {
      if (next.at >= at - this.#windowMs) {
        if (!this.has(next.id)) entered.add(next.id);
        this.#lastSeen.set(next.id, next.at);
      }
      this.#known += 1;
      next = this.#sightings[this.#known];
    }
    this.#expireBefore(at - this.#windowMs, entered);
    return [...entered].map((id) => this.#itemOf(id));
  }

  #publishUpTo(at: number): void {
    for (let item = this.#items[this.#nextItem]; item?.publishTime !== undefined;) {
      if (item.publishTime > at) break;
      this.#see([item.id], item.publishTime);
      this.#nextItem += 1;
      item = this.#items[this.#nextItem];
    }
  }

  #see(ids: readonly ItemId[], at: number): void {
    for (const id of ids) {
      if (!this.#firstSeen.has(id)) this.#firstSeen.set(id, at);
      if (!this.#listed.has(id)) this.#unknown.add(id);
      this.#sightings.push({ id, at });
    }
  }

  #expireBefore(at: number, entered: Set<ItemId>): void {
    const leaving: ItemId[] = [];
    for (let next = this.#sightings[this.#expired]; next && next.at < at;) {
      // A later sighting keeps the item.
      if (this.#lastSeen.get(next.id) === next.at) {
        this.#lastSeen.delete(next.id);
        if (!entered.delete(next.id)) leaving.push(next.id);
      }
      this.#expired += 1;
      next = this.#sightings[this.#expired];
    }
    this.leaving = leaving;
  }

  #itemOf(id: ItemId): Item {
    const listed = this.#listed.get(id);
    const first = this.#firstSeen.get(id) as number;
    return { ...listed, id, publishTime: Math.min(listed?.publishTime ?? first, first) };
  }
}
