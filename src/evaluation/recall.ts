import { Catalog } from '../catalog/catalog';
import { splitsUpTo } from '../data/dataset';
import type { Dataset } from '../data/dataset';
import { FeedrankError, invalidArgument } from '../errors';
import type { EngagementOptions } from '../feed/engagement-options';
import { Feed } from '../feed/feed';
import type { FeedStages } from '../feed/plan';
import type { Towers } from '../models/towers';
import type { ItemId } from '../identity';
import type { RankProfile } from '../profile/rank-profile';
import { weightedSum } from '../stages/native-stages';
import { Bootstrap } from './bootstrap';
import type { MeanInterval } from './bootstrap';
import { queryOf } from './impression-query';
import { replay, replayCatalogOptions, replayFeedOptions } from './replay';
import { unhurriedBudgetMs } from './unhurried';

const hourMs = 3_600_000;

/** What to look for, where, and with what. */
export interface RecallOptions {
  readonly dataset: Dataset;
  /** Each is measured alone, and in the merges; made anew for each measurement. */
  readonly generators: NonNullable<FeedStages['generators']>;
  /** Settings of a request by the name of the merge, such as its `quotas`. Defaults to none. */
  readonly merges?: Readonly<Record<string, RankProfile>>;
  /** Settings of every request, such as `tauMs`, under those of the merges. Defaults to none. */
  readonly settings?: RankProfile;
  /** The merge that the gains of the merges are counted from. Defaults to the best generator alone. */
  readonly against?: string;
  /** How many items a generator alone, and a merged list, may hold. Defaults to `200`. */
  readonly k?: number;
  /** How long an item is live after it was published or shown last. Defaults to 48 h. */
  readonly poolMs?: number;
  /** How old an event is when it becomes known, in milliseconds. Defaults to `600000`. */
  readonly lagMs?: number;
  /** The part of the log that is measured. Defaults to `validation`. */
  readonly split?: string;
  /** First instant that is measured, in epoch milliseconds. Defaults to the start of the split. */
  readonly from?: number;
  /** First instant that is no longer measured. Defaults to the end of the split. */
  readonly to?: number;
  /** What the feed counts and remembers, beside the dataset's segments. Defaults to a feed's own. */
  readonly engagement?: Omit<EngagementOptions, 'segments' | 'latenessMs'>;
  /** Towers whose vectors items and readers get. Defaults to none. */
  readonly towers?: Towers;
  /** Which clicked items `subset` is to be about, such as those that were never trained on. */
  readonly inSubset?: (itemId: ItemId) => boolean;
  /** Called after each impression that was replayed. */
  readonly onProgress?: (impressions: number, total: number) => void;
}

/** How much of what readers clicked each list held. */
export interface Recall {
  /** Impressions with a click. */
  readonly impressions: number;
  /** Mean number of items that were live. */
  readonly poolItems: number;
  /** Share of the clicked items that were live, which no list of the pool can exceed. */
  readonly reachable: MeanInterval;
  /** By the name of the generator, alone. */
  readonly generators: Readonly<Record<string, MeanInterval>>;
  /** By the name of the merge. */
  readonly merges: Readonly<Record<string, MeanInterval>>;
  /** The generator that found the most. */
  readonly bestSingle: string;
  /** Each merge minus the best single generator, or minus `against`, resampled as pairs. */
  readonly gains: Readonly<Record<string, MeanInterval>>;
  /**
   * How many requests each stage took no part in, such as a generator that needs to know more of
   * the reader; empty where all took part in all.
   */
  readonly degraded: Readonly<Record<string, number>>;
  /** The same, of the clicked items that `inSubset` picks alone, where it is given and finds any. */
  readonly subset?: Omit<Recall, 'poolItems' | 'degraded' | 'subset'>;
}

/**
 * Recall of clicked items by generators alone and merged, in a causal replay. Candidates come from
 * the live pool: what somebody was shown, or what was published, in [t − `poolMs`, t − `lagMs`].
 * Recall is the share of an impression's clicked items that are in the list of at most `k`, averaged
 * over impressions, with 95% intervals of 1,000 bootstrap resamples of impressions (seed 1). A
 * clicked item that is not live counts as missed.
 *
 * @throws {FeedrankError} `INVALID_ARGUMENT`, `DATA_MISSING`, `DATA_MALFORMED`, and what
 * {@link Feed.create} and {@link Feed.rank} reject with.
 */
export async function measureRecall(options: RecallOptions): Promise<Recall> {
  const { dataset, generators, merges = {}, k = 200, split = 'validation' } = options;
  const { poolMs = 48 * hourMs, lagMs = 600_000, from = -Infinity, to = Infinity } = options;
  if (!Number.isSafeInteger(k) || k < 1 || k > 10_000) {
    throw invalidArgument('k', 'a whole number between 1 and 10000', k);
  }
  if (!(poolMs > lagMs)) throw invalidArgument('poolMs', 'more milliseconds than lagMs', poolMs);
  if (options.against !== undefined && !Object.hasOwn(merges, options.against)) {
    throw invalidArgument('against', `one of ${Object.keys(merges).join(', ')}`, options.against);
  }
  const names = generators.map(({ name }) => name);
  const lists = [...names.map((name) => alone(name, names, k)), ...Object.values(merges)];
  const total = splitsUpTo(dataset, split).reduce((sum, part) => sum + part.impressions, 0);

  const catalog = await Catalog.create(replayCatalogOptions(dataset, options.towers));
  const feed = await Feed.create({
    ...options.engagement,
    ...replayFeedOptions(dataset),
    catalog,
    generators,
    ...(options.towers && { towers: options.towers }),
    // Every candidate is in the slate, so any order will do.
    ranker: weightedSum({ age: -1 }),
  });
  const rows: number[][] = [];
  const subsetRows: number[][] = [];
  const degraded: Record<string, number> = {};
  let poolItems = 0;
  try {
    await replay({
      ...{ dataset, catalog, feed, split, lagMs, poolMs },
      ...(options.towers && { towers: options.towers }),
      async onImpression(impression) {
        const { at, clickedIds } = impression;
        if (impression.split !== split || at < from || at >= to || clickedIds.length === 0) return;
        poolItems += catalog.size;
        const live = new Set(clickedIds.filter((id) => catalog.has(id)));
        const slates = await Promise.all(
          lists.map((profile) =>
            feed.rank({
              ...queryOf(feed, impression),
              profile: {
                ...{ budgetMs: unhurriedBudgetMs, maxCandidates: k, limit: k },
                ...options.settings,
                ...profile,
              },
            }),
          ),
        );
        for (const { stage } of slates.flatMap(({ degraded }) => degraded)) {
          degraded[stage] = (degraded[stage] ?? 0) + 1;
        }
        const found = slates.map(({ items }) => new Set(items.map(({ id }) => id)));
        rows.push([live, ...found].map((ids) => shareIn(ids, clickedIds)));
        const picked = clickedIds.filter((id) => options.inSubset?.(id) === true);
        if (picked.length > 0) {
          subsetRows.push([live, ...found].map((ids) => shareIn(ids, picked)));
        }
      },
      onProgress: (impressions) => options.onProgress?.(impressions, total),
    });
  } finally {
    feed.dispose();
    catalog.dispose();
  }
  if (rows.length === 0) {
    throw new FeedrankError(
      'INVALID_ARGUMENT',
      `split: no impression of ${split} has a click`,
      'split',
    );
  }
  const summaryOf = (shares: readonly number[][]) =>
    summarise(shares, names, Object.keys(merges), options.against);
  return {
    ...summaryOf(rows),
    poolItems: poolItems / rows.length,
    degraded,
    ...(subsetRows.length > 0 && { subset: summaryOf(subsetRows) }),
  };
}

function alone(name: string, names: readonly string[], k: number): RankProfile {
  return { quotas: Object.fromEntries(names.map((other) => [other, other === name ? k : 0])) };
}

function shareIn(ids: ReadonlySet<ItemId>, clickedIds: readonly ItemId[]): number {
  return clickedIds.filter((id) => ids.has(id)).length / clickedIds.length;
}

function summarise(
  rows: readonly (readonly number[])[],
  generators: readonly string[],
  merges: readonly string[],
  against: string | undefined,
): Omit<Recall, 'poolItems' | 'degraded' | 'subset'> {
  const width = 1 + generators.length + merges.length;
  const bootstrap = new Bootstrap(
    Array.from({ length: width }, (_, column) =>
      Float64Array.from(rows, (row) => row[column] as number),
    ),
  );
  const columnOf = (index: number): number => 1 + index;
  const columnOfMerge = (index: number): number => 1 + generators.length + index;
  const best = generators.reduce(
    (bestIndex, _, index) =>
      (bootstrap.means[columnOf(index)] as number) >
      (bootstrap.means[columnOf(bestIndex)] as number)
        ? index
        : bestIndex,
    0,
  );
  const reference = against === undefined ? columnOf(best) : columnOfMerge(merges.indexOf(against));
  return {
    impressions: rows.length,
    reachable: bootstrap.interval(0),
    generators: Object.fromEntries(
      generators.map((name, i) => [name, bootstrap.interval(columnOf(i))]),
    ),
    merges: Object.fromEntries(
      merges.map((name, i) => [name, bootstrap.interval(columnOfMerge(i))]),
    ),
    bestSingle: generators[best] as string,
    gains: Object.fromEntries(
      merges.map((name, i) => [name, bootstrap.difference(columnOfMerge(i), reference)]),
    ),
  };
}
