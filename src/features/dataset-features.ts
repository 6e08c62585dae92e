import type { Dataset } from '../data/dataset';
import { builtInFeatures } from './built-in-features';
import type { FeatureDefinition } from './feature';
import { defaultHalfLivesMs, lastingHalfLivesMs } from './half-lives';

/** What a dataset has for features beyond what every feed has. */
export interface DatasetSignals {
  readonly columns: readonly string[];
  /** Keys of the impressions' context. */
  readonly contextKeys: readonly string[];
  readonly spaces: readonly string[];
  /** By name. */
  readonly segments: Readonly<Record<string, unknown>>;
  /** Of the counters. Defaults to those of a feed. */
  readonly halfLivesMs?: readonly number[];
}

const ofEveryList = ['hour', 'list_length'];

/** What the files of the owners hold, for who does not have them at hand. */
const documented: Readonly<Record<string, DatasetSignals>> = {
  ebnerd: {
    columns: ['premium', 'body_length'],
    contextKeys: ['device', 'subscriber', 'front_page', ...ofEveryList],
    spaces: [],
    segments: { device: [], surface: [] },
  },
  mind: { columns: [], contextKeys: ofEveryList, spaces: [], segments: {} },
  movielens: {
    columns: ['release_year'],
    contextKeys: ofEveryList,
    spaces: [],
    segments: {},
    halfLivesMs: [...defaultHalfLivesMs, ...lastingHalfLivesMs],
  },
};

/** Undefined where it takes the dataset's files to know. @internal */
export function documentedSignals(dataset: string): DatasetSignals | undefined {
  return Object.hasOwn(documented, dataset) ? documented[dataset] : undefined;
}

/** What an opened dataset has: its context is that of its first impression. @internal */
export async function signalsOf(dataset: Dataset): Promise<DatasetSignals> {
  let contextKeys: string[] = [];
  for (const { name } of dataset.splits.slice(0, 1)) {
    for await (const { context } of dataset.impressions(name)) {
      contextKeys = Object.keys(context);
      break;
    }
  }
  return {
    columns: dataset.columns,
    contextKeys,
    spaces: Object.keys(dataset.spaces),
    segments: dataset.segments,
    ...(dataset.halfLivesMs ? { halfLivesMs: dataset.halfLivesMs } : {}),
  };
}

/**
 * The features that a feed can serve for a dataset, in order: those that every feed knows, at the
 * dataset's half-lives and for its segments, then its columns, the context and the dot
 * products, by their own names. Without signals only the former.
 */
export function datasetFeatures(signals?: DatasetSignals): FeatureDefinition[] {
  const { columns = [], contextKeys = [], spaces = [], segments = {} } = signals ?? {};
  const halfLivesMs = signals?.halfLivesMs ?? defaultHalfLivesMs;
  const declared: FeatureDefinition[] = [
    ...columns.map((column) => ({ name: column, source: 'column' as const, column })),
    ...contextKeys.map((key) => ({ name: key, source: 'context' as const, key })),
    ...spaces.map((space) => ({ name: `dot_${space}`, source: 'dot' as const, space })),
  ].map((feature) => ({ ...feature, transformation: 'identity', reference: 'none' }));
  return [...builtInFeatures(halfLivesMs, { segments }), ...declared];
}
