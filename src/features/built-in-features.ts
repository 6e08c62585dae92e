import {
  sources,
  type FeatureDefinition,
  type FeatureSource,
  type FeatureVocabulary,
} from './feature';

const hour = 3_600_000;

type Row = readonly [name: string, source: FeatureSource, transformation: 'identity' | 'log1p'];

const engagement: readonly Row[] = [
  ['impressions', 'impressions', 'log1p'],
  ['clicks', 'clicks', 'log1p'],
  ['dwell', 'dwell-seconds', 'log1p'],
  ['ctr', 'click-through-rate', 'identity'],
  ['mean_dwell', 'mean-dwell', 'log1p'],
];

/** Few of them come in, so they are kept at the two longest half-lives only. */
const quality: readonly Row[] = [
  ['completion', 'completion-rate', 'identity'],
  ['dwell_vs_expected', 'dwell-against-expected', 'identity'],
  ['hide_rate', 'hide-rate', 'identity'],
  ['report_rate', 'report-rate', 'identity'],
  ['hides', 'hides', 'log1p'],
  ['reports', 'reports', 'log1p'],
];

const ofSegment: readonly Row[] = [
  ['impressions', 'segment-impressions', 'log1p'],
  ['clicks', 'segment-clicks', 'log1p'],
  ['ctr', 'segment-click-through-rate', 'identity'],
];

const ofReader: readonly Row[] = [
  ['already_read', 'already-read', 'identity'],
  ['times_shown', 'times-shown', 'log1p'],
  ['time_since_shown', 'time-since-shown', 'log1p'],
  ['history_length', 'history-length', 'log1p'],
  ['co_read_sum', 'co-read-sum', 'identity'],
  ['co_read_max', 'co-read-max', 'identity'],
];

const ofPage: readonly Row[] = [
  ['co_read_current', 'co-read-current', 'identity'],
  ['follow_ups', 'follow-ups', 'log1p'],
  ['follow_up_share', 'follow-up-share', 'identity'],
];

/** The segments of a feed, for {@link builtInFeatures}. */
export interface FeatureSegments {
  /** The feed's `segments`. Defaults to none. */
  readonly segments?: Readonly<Record<string, unknown>>;
  /** The feed's `segmentHalfLivesMs`. Defaults to 2 and 12 h. */
  readonly segmentHalfLivesMs?: readonly number[];
}

/**
 * The features that every feed can serve by name, in order: for each half-life h in hours
 * `impressions_{h}h`, `clicks_{h}h`, `dwell_{h}h`, `ctr_{h}h` and `mean_dwell_{h}h`; for the two
 * longest ones `completion_{h}h`, `dwell_vs_expected_{h}h`, `hide_rate_{h}h`, `report_rate_{h}h`,
 * `hides_{h}h` and `reports_{h}h`; `trend` (the shortest half-life against 12 h, or against the
 * longest where there is no 12 h), `age` and `time_since_first_seen`. Each of these also as
 * `{name}_vs_pool` and `{name}_vs_list`, at the end. Before that, for each segment
 * `impressions_{h}h_{segment}`, `clicks_{h}h_{segment}` and `ctr_{h}h_{segment}`; of the reader
 * `already_read`, `times_shown`, `time_since_shown` (−1 h where the item never was), `history_length`,
 * `co_read_sum`, `co_read_max`; of the current item's page `co_read_current`, `follow_ups`,
 * `follow_up_share`. Columns, context and dot products are named by who declares them.
 */
export function builtInFeatures(
  halfLivesMs: readonly number[],
  { segments = {}, segmentHalfLivesMs = [2 * hour, 12 * hour] }: FeatureSegments = {},
): FeatureDefinition[] {
  const absolute = [
    ...ofItems(halfLivesMs),
    ...Object.keys(segments).flatMap((segment) =>
      segmentHalfLivesMs.flatMap((halfLifeMs) =>
        ofSegment.map((row) => {
          const { name, ...definition } = define(row, halfLifeMs);
          return { ...definition, name: `${name}_${segment}`, segment };
        }),
      ),
    ),
    ...[...ofReader, ...ofPage].map((row) => define(row)),
  ];
  const relative = (['pool', 'list'] as const).flatMap((reference) =>
    absolute
      .filter(({ source }) => sources[source].ofItem)
      .map((definition): FeatureDefinition => ({
        ...definition,
        name: `${definition.name}_vs_${reference}`,
        reference,
      })),
  );
  return [...absolute, ...relative];
}

/** The features of a feed by name. @internal */
export function featuresOf(vocabulary: FeatureVocabulary): ReadonlyMap<string, FeatureDefinition> {
  return new Map(
    builtInFeatures(vocabulary.halfLivesMs, vocabulary).map((feature) => [feature.name, feature]),
  );
}

function ofItems(halfLivesMs: readonly number[]): FeatureDefinition[] {
  const ascending = [...halfLivesMs].sort((a, b) => a - b);
  const longest = new Set(ascending.slice(-2));
  return [
    ...halfLivesMs.flatMap((halfLifeMs) => engagement.map((row) => define(row, halfLifeMs))),
    ...halfLivesMs
      .filter((halfLifeMs) => longest.has(halfLifeMs))
      .flatMap((halfLifeMs) => quality.map((row) => define(row, halfLifeMs))),
    ...trend(ascending),
    define(['age', 'age', 'log1p']),
    define(['time_since_first_seen', 'time-since-first-seen', 'log1p']),
  ];
}

/** None where there is only one half-life, which cannot be held against another. */
function trend([shortest, ...longer]: readonly number[]): FeatureDefinition[] {
  const longerHalfLifeMs = longer.includes(12 * hour) ? 12 * hour : longer.at(-1);
  if (longerHalfLifeMs === undefined || longerHalfLifeMs === shortest) return [];
  const definition = define(['trend', 'trend', 'identity']);
  return [{ ...definition, halfLifeMs: shortest!, longerHalfLifeMs }];
}

function define([name, source, transformation]: Row, halfLifeMs?: number): FeatureDefinition {
  return {
    name: halfLifeMs === undefined ? name : `${name}_${halfLifeMs / hour}h`,
    source,
    transformation,
    reference: 'none',
    ...(halfLifeMs === undefined ? {} : { halfLifeMs }),
    ...(source === 'time-since-shown' ? { missing: -1 } : {}),
  };
}
