import type { Dataset, DatasetImpression } from '../data/dataset';
import { Bootstrap } from '../evaluation/bootstrap';
import type { MeanInterval } from '../evaluation/bootstrap';
import type { GroupMetrics, RankedImpression } from '../evaluation/group-metrics';
import { measureLists, type ListMeasures, type MeasuredLists } from '../evaluation/measured-lists';
import { byAge, compareGroups, inView, publishTimesOf } from '../evaluation/ranked-impressions';
import { summarise } from '../evaluation/ranking-metrics';
import type { ItemId } from '../identity';
import type { TradeoffRow } from './report';

/** What a way to rank is worth, on the lists that were replayed. */
export interface Quality extends Pick<TradeoffRow, 'metrics' | 'diversity'> {
  readonly groups: Readonly<Record<string, GroupMetrics>>;
  /** Of each list: AUC, nDCG@10 and so on, for comparisons of pairs. */
  readonly perList: readonly ListMetrics[];
  readonly unavailable: Readonly<Record<string, string>>;
}

/** What the comparisons look at, of one list; NaN where it does not apply. */
export interface ListMetrics extends ListMeasures {
  /** Share of the first ten positions that the least shown group of items has. */
  readonly exposure10: number;
}

/** Lists that readers had in view, which any number of rankings are measured on. */
export class ReplayedLists {
  readonly #dataset: Dataset;
  readonly #impressions: readonly DatasetImpression[];
  readonly #publishTimes: ReadonlyMap<ItemId, number>;

  constructor(dataset: Dataset, impressions: readonly DatasetImpression[]) {
    this.#dataset = dataset;
    this.#impressions = impressions;
    this.#publishTimes = publishTimesOf(dataset);
  }

  get count(): number {
    return this.#impressions.length;
  }

  /** The lists as scores order them, one score an item, list after list. */
  ranked(scores: ArrayLike<number>): RankedImpression[] {
    let first = 0;
    return this.#impressions.map((impression) => {
      const { itemIds, at } = impression;
      const compare = byAge(at, this.#publishTimes);
      const slate = itemIds
        .map((id, i) => ({ id, score: scores[first + i]! }))
        .sort((a, b) => b.score - a.score || compare(a.id, b.id));
      first += itemIds.length;
      return inView(this.#dataset, impression, slate, this.#publishTimes);
    });
  }

  /** Metrics as `evaluate` has them, and those of all groups of the dataset. */
  quality(scores: ArrayLike<number>): Quality {
    return qualityOf(this.#dataset, this.ranked(scores));
  }
}

/** The same of lists that something else has ordered. */
export function qualityOf(dataset: Dataset, ranked: readonly RankedImpression[]): Quality {
  const lists = measureLists(dataset, ranked);
  const { metrics, diversity, dwellNdcg10, unavailable } = summarise(dataset, ranked, lists);
  return {
    metrics: { ...metrics, dwellNdcg10 },
    diversity,
    groups: compareGroups(dataset, ranked, [...dataset.labels, ...dataset.userSlices]),
    perList: withExposure(dataset, ranked, lists),
    // Scores are compared here, and probabilities are not.
    unavailable: Object.fromEntries(
      Object.entries(unavailable).filter(([name]) => name !== 'calibration'),
    ),
  };
}

function withExposure(
  dataset: Dataset,
  ranked: readonly RankedImpression[],
  { lists }: MeasuredLists,
): ListMetrics[] {
  const isRare = rarestGroup(dataset);
  return ranked.map(({ slateIds }, i) => ({
    ...lists[i]!,
    exposure10: isRare === undefined ? NaN : slateIds.filter(isRare).length / slateIds.length,
  }));
}

/** Of the dataset's first label, the value that the fewest items have. */
function rarestGroup(dataset: Dataset): ((id: ItemId) => boolean) | undefined {
  const [label] = dataset.labels;
  if (label === undefined) return undefined;
  const values = new Map(dataset.items.map((item) => [item.id, item.labels?.[label]]));
  const counts = new Map<string, number>();
  for (const value of values.values()) {
    if (value !== undefined) counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  const [rarest] = [...counts].sort(([, a], [, b]) => a - b)[0] ?? [];
  return rarest === undefined ? undefined : (id) => values.get(id) === rarest;
}

/** Differences of means; `null` where no list has both. */
export type Change = Readonly<
  Record<
    'auc' | 'ndcg10' | 'dwellNdcg10' | 'intraList10' | 'topicCoverage10' | 'exposure10',
    MeanInterval | null
  >
>;

/** One quality minus another, list by list, with intervals of a paired bootstrap. */
export function changeOf(quality: readonly ListMetrics[], from: readonly ListMetrics[]): Change {
  const changes = (name: keyof ListMetrics): Float64Array =>
    Float64Array.from(quality, (list, i) => list[name] - from[i]![name]);
  const plain = ['auc', 'ndcg10', 'intraList10', 'topicCoverage10', 'exposure10'] as const;
  const bootstrap = new Bootstrap([
    ...plain.map(changes),
    // What a weighted mean changes by is the mean of weighted changes over the mean weight.
    changes('weightedNdcg10'),
    Float64Array.from(from, ({ weight }) => weight),
  ]);
  const orNull = (interval: MeanInterval): MeanInterval | null =>
    Number.isNaN(interval.mean) ? null : interval;
  return {
    ...(Object.fromEntries(plain.map((name, i) => [name, orNull(bootstrap.interval(i))])) as Record<
      (typeof plain)[number],
      MeanInterval | null
    >),
    dwellNdcg10: orNull(bootstrap.ratio(plain.length, plain.length + 1)),
  };
}
