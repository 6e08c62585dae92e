import type { NativeSettings, NativeSmallerRanker } from '../binding';
import { FeedrankError, invalidArgument } from '../errors';
import { toFeatureDefinition } from '../features/check-feature';
import { encodeFeatures } from '../features/encode-features';
import type { FeatureDefinition, FeatureVocabulary } from '../features/feature';
import type { RankSettings } from '../profile/rank-settings';
import type { PlanTarget, SmallerBundle } from './named-stage';

/** A smaller bundle, and the native features that its ranker reads. */
interface SmallerRanker extends SmallerBundle {
  readonly definitions: readonly FeatureDefinition[];
}

/**
 * What smaller bundles read: of the plan's own `known` features, and `more`, beyond those and the
 * columns that enrichers of the user's give (`ours`). Throws `INVALID_ARGUMENT` or `UNKNOWN_FEATURE`.
 * @internal
 */
export function smallerRankers(
  bundles: readonly SmallerBundle[],
  known: readonly FeatureDefinition[],
  ours: ReadonlySet<string>,
  vocabulary: FeatureVocabulary,
): { rankers: SmallerRanker[]; more: FeatureDefinition[] } {
  const byName = new Map(known.map((definition) => [definition.name, definition]));
  const more: FeatureDefinition[] = [];
  const rankers = bundles.map((bundle): SmallerRanker => {
    const { name, model } = bundle;
    const definitions = model.description.features.flatMap((feature, i): FeatureDefinition[] => {
      if (ours.has(feature.name)) return [];
      const argument = `bundles.${name}.features[${i}]`;
      const found = byName.get(feature.name);
      if (found !== undefined && !('source' in feature)) return [found];
      const definition = toFeatureDefinition(feature, vocabulary, argument);
      if (found === undefined) {
        byName.set(definition.name, definition);
        more.push(definition);
      } else if (JSON.stringify(found) !== JSON.stringify(definition)) {
        throw invalidArgument(argument, 'one definition a name', definition.name);
      }
      return [definition];
    });
    return { ...bundle, definitions };
  });
  return { rankers, more };
}

/** @internal */
export function encodeSmaller(
  { name, model, definitions }: SmallerRanker,
  featureNames: readonly string[],
  { catalog, shape }: PlanTarget,
  contextKeys: readonly string[],
): NativeSmallerRanker {
  const columns = (of: readonly { readonly name: string }[]) =>
    Uint32Array.from(of, (feature) => featureNames.indexOf(feature.name));
  return {
    ...encodeFeatures(definitions, catalog, shape, contextKeys),
    name,
    model: model.native,
    featureColumns: columns(definitions),
    columns: columns(model.description.features),
  };
}

/** The smaller bundle and the shadow that a profile names. Throws `UNKNOWN_BUNDLE`. @internal */
export function smallerSettings(
  bundles: readonly SmallerBundle[],
  settings: RankSettings,
): Pick<NativeSettings, 'smaller' | 'smallerWeights' | 'shadow' | 'shadowWeights'> {
  const [smaller, smallerWeights] = named(bundles, settings, 'smallerBundle');
  const [shadow, shadowWeights] = named(bundles, settings, 'shadowBundle');
  return { smaller, smallerWeights, shadow, shadowWeights };
}

/** Position of a bundle that a profile names, and the weights of its heads. */
function named(
  bundles: readonly SmallerBundle[],
  settings: RankSettings,
  setting: 'smallerBundle' | 'shadowBundle',
): [number | undefined, Float64Array] {
  const name = settings[setting];
  if (name === undefined) return [undefined, new Float64Array(0)];
  const position = bundles.findIndex((bundle) => bundle.name === name);
  if (position < 0) {
    throw new FeedrankError(
      'UNKNOWN_BUNDLE',
      `profile.${setting}: no bundle ${JSON.stringify(name)}; the feed's bundles are: ` +
        (bundles.map((bundle) => bundle.name).join(', ') || 'none'),
      `profile.${setting}`,
    );
  }
  const { model } = bundles[position]!;
  // A profile weighs the heads of the feed's own model; another one need not have them all.
  const shared = Object.entries(settings.headWeights).filter(([head]) =>
    model.heads.includes(head),
  );
  return [position, model.headWeights(Object.fromEntries(shared))];
}
