import type { NativeFeature, NativeFeatureList } from '../binding';
import type { Catalog } from '../catalog/catalog';
import { FeedrankError } from '../errors';
import { sourcesAtHalfLives, type FeatureDefinition } from './feature';

/** Priors of the smoothed rates: 1 click in 10 impressions, one read of 30 s. */
const smoothing = { clickRate: 0.1, clickWeight: 10, dwellSeconds: 30, dwellWeight: 1 };

/**
 * Resolves feature definitions against a catalog, its counters and the context's keys.
 * @internal
 */
export function encodeFeatures(
  definitions: readonly FeatureDefinition[],
  catalog: Catalog,
  halfLivesMs: readonly number[],
  contextKeys: readonly string[],
): NativeFeatureList {
  const features = definitions.map((definition): NativeFeature => {
    const { source, name } = definition;
    const common = {
      transformation: definition.transformation ?? 'identity',
      missing: definition.missing ?? 0,
    };
    if (sourcesAtHalfLives.includes(source)) {
      const index = halfLivesMs.indexOf(definition.halfLifeMs ?? NaN);
      return source === 'click-through-rate' || source === 'mean-dwell'
        ? { ...common, source, index }
        : { ...common, source: 'counter', counter: source, index };
    }
    let index = 0;
    if (source === 'column') {
      index = catalog.schema.columns.indexOf(definition.column ?? '');
      if (index < 0) {
        throw new FeedrankError(
          'UNKNOWN_COLUMN',
          `features.${name}.column: the catalog has no column ${JSON.stringify(definition.column)}; ` +
            `it has: ${catalog.schema.columns.join(', ') || 'none'}`,
          `features.${name}.column`,
        );
      }
    }
    if (source === 'context') index = contextKeys.indexOf(definition.key ?? '');
    if (source === 'dot') index = catalog.space(definition.space, `features.${name}.space`).index;
    return { ...common, source, index };
  });
  return { features, smoothing };
}
