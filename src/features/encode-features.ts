import type { NativeFeature, NativeFeatureList } from '../binding';
import type { Catalog } from '../catalog/catalog';
import { FeedrankError } from '../errors';
import type { FeatureDefinition, FeatureVocabulary } from './feature';

/** Priors of the smoothed rates, as the sources' documentation has them. */
const smoothing = {
  clickRate: 0.1,
  clickWeight: 10,
  dwellSeconds: 30,
  dwellWeight: 1,
  completion: 0.5,
  completionWeight: 2,
  hideRate: 0.001,
  reportRate: 0.0001,
  healthWeight: 100,
  trendClicks: 1,
  coReadWeight: 10,
  followUpWeight: 10,
};

/** Sources that the native core knows as one: a counter, and which. */
const counters = new Set(['impressions', 'clicks', 'dwell-seconds', 'dwells', 'hides', 'reports']);

/**
 * Resolves feature definitions against a catalog, its counters and the context's keys. Throws
 * `UNKNOWN_COLUMN` or `UNKNOWN_SPACE`.
 * @internal
 */
export function encodeFeatures(
  definitions: readonly FeatureDefinition[],
  catalog: Catalog,
  vocabulary: FeatureVocabulary,
  contextKeys: readonly string[],
): NativeFeatureList {
  const features = definitions.map((definition): NativeFeature => {
    const { source, name } = definition;
    const column = () => columnIndex(catalog, definition.column, `features.${name}.column`);
    const halfLife = vocabulary.halfLivesMs.indexOf(definition.halfLifeMs ?? NaN);
    const common = {
      source,
      transformation: definition.transformation ?? 'identity',
      reference: definition.reference ?? 'none',
      missing: definition.missing ?? 0,
      index: 0,
    };
    if (counters.has(source)) {
      return { ...common, source: 'counter', counter: source, index: halfLife };
    }
    // eslint-disable-next-line @typescript-eslint/switch-exhaustiveness-check -- Most need no index.
    switch (source) {
      case 'click-through-rate':
      case 'mean-dwell':
      case 'completion-rate':
      case 'hide-rate':
      case 'report-rate':
        return { ...common, index: halfLife };
      case 'dwell-against-expected':
        if (definition.column === undefined) return { ...common, index: halfLife };
        return { ...common, index: halfLife, second: column() };
      case 'trend': {
        const second = vocabulary.halfLivesMs.indexOf(definition.longerHalfLifeMs ?? NaN);
        return { ...common, index: halfLife, second };
      }
      case 'segment-impressions':
      case 'segment-clicks':
      case 'segment-click-through-rate':
        return {
          ...common,
          index: vocabulary.segmentHalfLivesMs.indexOf(definition.halfLifeMs ?? NaN),
          second: Object.keys(vocabulary.segments).indexOf(definition.segment ?? ''),
        };
      case 'column':
        return { ...common, index: column() };
      case 'context':
        return { ...common, index: contextKeys.indexOf(definition.key ?? '') };
      case 'dot':
        return {
          ...common,
          index: catalog.space(definition.space, `features.${name}.space`).index,
        };
      default:
        return common;
    }
  });
  return { features, smoothing };
}

function columnIndex(catalog: Catalog, column: string | undefined, argument: string): number {
  const index = catalog.schema.columns.indexOf(column ?? '');
  if (index >= 0) return index;
  throw new FeedrankError(
    'UNKNOWN_COLUMN',
    `${argument}: the catalog has no column ${JSON.stringify(column)}; ` +
      `it has: ${catalog.schema.columns.join(', ') || 'none'}`,
    argument,
  );
}
