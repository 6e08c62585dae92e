/** Where a feature's value comes from. */
export type FeatureSource =
  /**
   * Decayed number of impressions or clicks, of seconds read, of reads, of hides or of reports, at
   * `halfLifeMs`.
   */
  | 'impressions'
  | 'clicks'
  | 'dwell-seconds'
  | 'dwells'
  | 'hides'
  | 'reports'
  /** (clicks + 1) / (impressions + 10), decayed at `halfLifeMs`. */
  | 'click-through-rate'
  /** (seconds read + 30) / (reads + 1), decayed at `halfLifeMs`. */
  | 'mean-dwell'
  /** Mean share of the item that was scrolled through, (shares + 1) / (reads that say so + 2), decayed at `halfLifeMs`. */
  | 'completion-rate'
  /**
   * ln of (seconds read / E + 1) / (reads + 1), decayed at `halfLifeMs`, where E is the feed's own
   * `mean-dwell` at that half-life or, with a `column`, the seconds that it holds for the item.
   */
  | 'dwell-against-expected'
  /** (hides + 0.1) / (impressions + 100), decayed at `halfLifeMs`. */
  | 'hide-rate'
  /** (reports + 0.01) / (impressions + 100), decayed at `halfLifeMs`. */
  | 'report-rate'
  /**
   * ln of (clicks an hour at `halfLifeMs` + 1) / (clicks an hour at `longerHalfLifeMs` + 1), where
   * clicks an hour are the decayed clicks · ln 2 / half-life in hours.
   */
  | 'trend'
  /** Hours since publish time, at least 0. */
  | 'age'
  /** Hours since the first recorded impression; 0 where there is none. */
  | 'time-since-first-seen'
  /** A numeric column of the catalog. */
  | 'column'
  /**
   * As `impressions`, `clicks` and `click-through-rate`, of the query's own value of `segment` and at
   * one of the feed's `segmentHalfLivesMs`; missing where the query has no value.
   */
  | 'segment-impressions'
  | 'segment-clicks'
  | 'segment-click-through-rate'
  /** A number that the query brings in `context`. */
  | 'context'
  /** dot(user, item) in an embedding space. */
  | 'dot'
  /** 1 where the reader is known to have read the item. */
  | 'already-read'
  /** How often the item was shown to the reader. */
  | 'times-shown'
  /** Hours since the item was shown to the reader last, or hidden after that; missing where it never was. */
  | 'time-since-shown'
  /** Items that the reader is known to have read, at most the feed's `maxReadsPerUser`. */
  | 'history-length'
  /**
   * Sum or largest of the co-read similarities to the reader's last 20 reads of items that the catalog
   * still has: pair / √((reads of
   * one + 10) · (reads of the other + 10)), all decayed at the feed's `coRead.halfLifeMs`: the cosine
   * of co-occurrence (Salton and McGill 1983), shrunk by 10 for items with few reads.
   */
  | 'co-read-sum'
  | 'co-read-max'
  /** The same similarity to the query's `currentItemId`; missing without one. */
  | 'co-read-current'
  /** Clicks on the item from the page of the query's `currentItemId`, decayed likewise; missing without one. */
  | 'follow-ups'
  /** The same / (all clicks from that page + 10). */
  | 'follow-up-share';

/** One column of the feature matrix: what it is, and how it is transformed. */
export interface FeatureDefinition {
  readonly name: string;
  readonly source: FeatureSource;
  /** `log1p` is sign(x) · log(1 + |x|). Defaults to `identity`. */
  readonly transformation?: 'identity' | 'log1p';
  /**
   * Which other items the feature is relative to: (x − mean) / standard deviation of its transformed
   * value over them, 0 where they are all equal. `pool`: the items with an impression in the feed's
   * last `poolWindowMs`, as of the last instant of its `poolGridMs` at or before `now`; only for
   * sources of the item alone. `list`: the items given to `rerank` or `assemble`; `rank` refuses it,
   * because statistics of a shown list do not carry to a pool of candidates. Defaults to `none`: an
   * absolute feature.
   */
  readonly reference?: ReferenceSet;
  /** For what decays, in milliseconds; one of the feed's `halfLivesMs` or `segmentHalfLivesMs`. */
  readonly halfLifeMs?: number;
  /** For `trend`: another of the feed's `halfLivesMs`, longer than `halfLifeMs`. */
  readonly longerHalfLifeMs?: number;
  /** For the sources of segments: the name of one of the feed's `segments`. */
  readonly segment?: string;
  /** For `column`; for `dwell-against-expected` the column that holds the expected seconds. */
  readonly column?: string;
  /** For `context`. */
  readonly key?: string;
  /** For `dot`. */
  readonly space?: string;
  /** Stands in where there is no value, before the transformation. Defaults to 0. */
  readonly missing?: number;
}

/** The items that a feature is relative to. */
export type ReferenceSet = 'none' | 'pool' | 'list';

/** @internal */
export const referenceSets: readonly ReferenceSet[] = ['none', 'pool', 'list'];

interface SourceNeeds {
  /** Whose half-lives the source decays at. */
  readonly decays?: 'items' | 'segments';
  /** Whether it has nothing to do with the request, so that it may be relative to the pool. */
  readonly ofItem?: true;
  /** Fields of the definition that name something. */
  readonly names?: readonly ('column' | 'key' | 'space' | 'segment')[];
}

const counted: SourceNeeds = { decays: 'items', ofItem: true };
const segmented: SourceNeeds = { decays: 'segments', names: ['segment'] };

/** What each source needs of a definition. @internal */
export const sources: Readonly<Record<FeatureSource, SourceNeeds>> = {
  impressions: counted,
  clicks: counted,
  'dwell-seconds': counted,
  dwells: counted,
  hides: counted,
  reports: counted,
  'click-through-rate': counted,
  'mean-dwell': counted,
  'completion-rate': counted,
  'dwell-against-expected': counted,
  'hide-rate': counted,
  'report-rate': counted,
  trend: counted,
  age: { ofItem: true },
  'time-since-first-seen': { ofItem: true },
  column: { ofItem: true, names: ['column'] },
  'segment-impressions': segmented,
  'segment-clicks': segmented,
  'segment-click-through-rate': segmented,
  context: { names: ['key'] },
  dot: { names: ['space'] },
  'already-read': {},
  'times-shown': {},
  'time-since-shown': {},
  'history-length': {},
  'co-read-sum': {},
  'co-read-max': {},
  'co-read-current': {},
  'follow-ups': {},
  'follow-up-share': {},
};

/** What a feed can decay and divide by. @internal */
export interface FeatureVocabulary {
  readonly halfLivesMs: readonly number[];
  readonly segmentHalfLivesMs: readonly number[];
  /** By name; the values are of no consequence. */
  readonly segments: Readonly<Record<string, unknown>>;
}
