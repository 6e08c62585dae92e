import type { ItemId, UserId } from '../identity';
import { countOrderedPairs, type PairCount } from './metrics';

/** What a comparison of groups looks at: position i of each array is position i of the slate. */
export interface ComparedImpression {
  readonly itemIds: readonly ItemId[];
  /** −∞ for an item that the ranker was never asked about. */
  readonly scores: readonly number[];
  readonly clicked: readonly boolean[];
  readonly userSlices: Readonly<Record<string, string>>;
  readonly userId: UserId;
}

/** What one impression says of one group. */
export interface GroupPart {
  readonly value: string;
  /** Of the slice's list, or of the group's items in the list. */
  readonly scores: readonly number[];
  readonly pairs: PairCount;
  /**
   * The list by which the group's AUC and nDCG are measured: for a group of items without clicked
   * items of other groups. Nothing of it may be clicked.
   */
  readonly list: Pick<ComparedImpression, 'scores' | 'clicked'>;
}

/** Of the slice of the impression's reader, where there is one. */
export function sliceParts(
  { userSlices, scores, clicked }: ComparedImpression,
  slice: string,
): GroupPart[] {
  const value = userSlices[slice];
  if (value === undefined) return [];
  const pairs = countOrderedPairs(
    scores.filter((_, i) => clicked[i]),
    scores.filter((_, i) => !clicked[i]),
  );
  return [{ value, scores, pairs, list: { scores, clicked } }];
}

/**
 * Of each group that items of the impression belong to.
 * @param groupOf the item's group, `undefined` where it has none
 */
export function itemGroupParts(
  { itemIds, scores, clicked }: ComparedImpression,
  groupOf: (itemId: ItemId) => string | undefined,
): GroupPart[] {
  const groups = itemIds.map(groupOf);
  const values = [...new Set(groups)].filter((value) => value !== undefined);
  return values.map((value) => {
    const isKept = (i: number): boolean => !clicked[i] || groups[i] === value;
    return {
      value,
      scores: scores.filter((_, i) => groups[i] === value),
      pairs: countOrderedPairs(
        scores.filter((_, i) => clicked[i] && groups[i] === value),
        scores.filter((_, i) => !clicked[i] && groups[i] !== undefined && groups[i] !== value),
      ),
      list: {
        scores: scores.filter((_, i) => isKept(i)),
        clicked: clicked.filter((_, i) => isKept(i)),
      },
    };
  });
}

/**
 * The groups with the highest and the lowest value, of those that have one; of equal ones the first
 * by name is the highest, and the last the lowest.
 */
export function extremes<Group>(
  groups: ReadonlyMap<string, Group>,
  valueOf: (group: Group) => number,
): [highest: string, lowest: string] | null {
  const ranked = [...groups]
    .map(([name, group]) => ({ name, value: valueOf(group) }))
    .filter(({ value }) => !Number.isNaN(value))
    .sort((a, b) => b.value - a.value || (a.name < b.name ? -1 : 1));
  return ranked.length > 1 ? [ranked[0]!.name, ranked.at(-1)!.name] : null;
}
