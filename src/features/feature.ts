import { FeedrankError, invalidArgument } from '../errors';
import { checkName, checkObject, checkPositive } from '../validation';

/** Where a feature's value comes from. */
export type FeatureSource =
  /** Decayed number of impressions or clicks, of seconds read, or of reads, at `halfLifeMs`. */
  | 'impressions'
  | 'clicks'
  | 'dwell-seconds'
  | 'dwells'
  /** (clicks + 1) / (impressions + 10), decayed at `halfLifeMs`. */
  | 'click-through-rate'
  /** (seconds read + 30) / (reads + 1), decayed at `halfLifeMs`. */
  | 'mean-dwell'
  /** Hours since publish time, at least 0. */
  | 'age'
  /** Hours since the first recorded impression; 0 where there is none. */
  | 'time-since-first-seen'
  /** A numeric column of the catalog. */
  | 'column'
  /** A number that the query brings in `context`. */
  | 'context'
  /** dot(user, item) in an embedding space. */
  | 'dot';

/** One column of the feature matrix: what it is, and how it is transformed. */
export interface FeatureDefinition {
  readonly name: string;
  readonly source: FeatureSource;
  /** `log1p` is sign(x) · log(1 + |x|). Defaults to `identity`. */
  readonly transformation?: 'identity' | 'log1p';
  /** Which other items a relative feature is relative to. Defaults to `none`: an absolute feature. */
  readonly reference?: 'none';
  /** For counters and rates, in milliseconds; one of the feed's `halfLivesMs`. */
  readonly halfLifeMs?: number;
  /** For `column`. */
  readonly column?: string;
  /** For `context`. */
  readonly key?: string;
  /** For `dot`. */
  readonly space?: string;
  /** Stands in where there is no value. Defaults to 0. */
  readonly missing?: number;
}

const hour = 3_600_000;

const sources: readonly FeatureSource[] = [
  'impressions',
  'clicks',
  'dwell-seconds',
  'dwells',
  'click-through-rate',
  'mean-dwell',
  'age',
  'time-since-first-seen',
  'column',
  'context',
  'dot',
];

/** @internal */
export const sourcesAtHalfLives: readonly FeatureSource[] = sources.slice(0, 6);

/** Names of the features that every catalog has, with `{h}` for a half-life in hours. */
const atHalfLives: readonly (readonly [string, FeatureSource, 'identity' | 'log1p'])[] = [
  ['impressions', 'impressions', 'log1p'],
  ['clicks', 'clicks', 'log1p'],
  ['dwell', 'dwell-seconds', 'log1p'],
  ['ctr', 'click-through-rate', 'identity'],
  ['mean_dwell', 'mean-dwell', 'log1p'],
];

/**
 * The features that every feed can serve, in order: `impressions_{h}h`, `clicks_{h}h`,
 * `dwell_{h}h`, `ctr_{h}h` and `mean_dwell_{h}h` for each half-life h in hours, then `age` and
 * `time_since_first_seen`. Columns, context and dot products are named by who declares them.
 */
export function builtInFeatures(halfLivesMs: readonly number[]): FeatureDefinition[] {
  const decayed = halfLivesMs.flatMap((halfLifeMs) =>
    atHalfLives.map(([name, source, transformation]): FeatureDefinition => ({
      name: `${name}_${halfLifeMs / hour}h`,
      source,
      transformation,
      reference: 'none',
      halfLifeMs,
    })),
  );
  return [
    ...decayed,
    { name: 'age', source: 'age', transformation: 'log1p', reference: 'none' },
    {
      name: 'time_since_first_seen',
      source: 'time-since-first-seen',
      transformation: 'log1p',
      reference: 'none',
    },
  ];
}

/**
 * A definition from a name that every feed knows, or from an object that a user wrote. Throws
 * `UNKNOWN_FEATURE` or `INVALID_ARGUMENT`.
 * @internal
 */
export function toFeatureDefinition(
  value: unknown,
  halfLivesMs: readonly number[],
  argument: string,
): FeatureDefinition {
  const name = typeof value === 'string' ? value : checkObject(value, argument)['name'];
  checkName(name, `${argument}.name`);
  if (typeof value === 'string' || (value as FeatureDefinition).source === undefined) {
    const found = builtInFeatures(halfLivesMs).find((candidate) => candidate.name === name);
    if (found !== undefined) return found;
    throw new FeedrankError(
      'UNKNOWN_FEATURE',
      `${argument}: no feature ${JSON.stringify(name)}; a feature that every feed knows is one of ` +
        `${builtInFeatures(halfLivesMs)
          .map((candidate) => candidate.name)
          .join(', ')}, and any other needs a 'source'`,
      argument,
    );
  }
  const definition = value as FeatureDefinition;
  if (!sources.includes(definition.source)) {
    throw invalidArgument(`${argument}.source`, `one of ${sources.join(', ')}`, definition.source);
  }
  const transformation = definition.transformation ?? 'identity';
  if (transformation !== 'identity' && transformation !== 'log1p') {
    throw invalidArgument(`${argument}.transformation`, "'identity' or 'log1p'", transformation);
  }
  if (definition.reference !== undefined && definition.reference !== 'none') {
    throw invalidArgument(`${argument}.reference`, "'none'", definition.reference);
  }
  if (definition.missing !== undefined && !Number.isFinite(definition.missing)) {
    throw invalidArgument(`${argument}.missing`, 'a finite number', definition.missing);
  }
  if (sourcesAtHalfLives.includes(definition.source)) {
    const halfLifeMs = checkPositive(definition.halfLifeMs, `${argument}.halfLifeMs`);
    if (!halfLivesMs.includes(halfLifeMs)) {
      throw invalidArgument(
        `${argument}.halfLifeMs`,
        `one of the feed's half-lives (${halfLivesMs.join(', ')})`,
        halfLifeMs,
      );
    }
  }
  if (definition.source === 'column') checkName(definition.column, `${argument}.column`);
  if (definition.source === 'context') checkName(definition.key, `${argument}.key`);
  if (definition.source === 'dot') checkName(definition.space, `${argument}.space`);
  return { ...definition, transformation, reference: 'none' };
}
