import type { Item } from '../catalog/item';
import type { DatasetImpression } from '../data/dataset';
import type { ItemId } from '../identity';

/** What a replay's catalog holds, impression by impression. */
export interface Stock {
  /** Different items that were shown although the dataset does not list them. */
  readonly unknownItems: number;
  /** Whether the catalog holds the item. */
  has(id: ItemId): boolean;
  /** Items that the catalog has to hold for the next impression, and did not hold. */
  entering(impression: DatasetImpression): readonly Item[];
  /** Items that the catalog no longer holds then; read after `entering`. */
  readonly leaving: readonly ItemId[];
}
