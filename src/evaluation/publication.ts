import type { Item } from '../catalog/item';
import type { Dataset, DatasetImpression, DatasetItem } from '../data/dataset';
import type { ItemId } from '../identity';
import type { Stock } from './stock';

/** Says which items a catalog holds when: those that have come into being. */
export class Publication implements Stock {
  unknownItems = 0;
  readonly leaving: readonly ItemId[] = [];
  readonly #items: readonly DatasetItem[];
  readonly #listed: ReadonlyMap<ItemId, DatasetItem>;
  readonly #published = new Set<ItemId>();
  #next = 0;

  constructor(dataset: Dataset) {
    this.#items = dataset.items.filter(({ publishTime }) => publishTime !== undefined);
    this.#listed = new Map(dataset.items.map((item) => [item.id, item]));
  }

  has(id: ItemId): boolean {
    return this.#published.has(id);
  }

  /** Items not handed out before that are published by the impression's time or shown in it. */
  entering({ at, itemIds }: DatasetImpression): Item[] {
    const items: Item[] = [];
    let item = this.#items[this.#next];
    while (item?.publishTime !== undefined && item.publishTime <= at) {
      if (!this.#published.has(item.id)) items.push({ ...item, publishTime: item.publishTime });
      this.#published.add(item.id);
      this.#next += 1;
      item = this.#items[this.#next];
    }
    for (const id of itemIds) {
      if (this.#published.has(id)) continue;
      const listed = this.#listed.get(id);
      if (!listed) this.unknownItems += 1;
      // A listed time that is still to come would tell the future.
      items.push({ ...listed, id, publishTime: at });
      this.#published.add(id);
    }
    return items;
  }
}
