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

/** The smaller bundle that a profile names. Throws `UNKNOWN_BUNDLE`. @internal */
export function smallerSettings(
  bundles: readonly SmallerBundle[],
  { smallerBundle, headWeights }: RankSettings,
): Pick<NativeSettings, 'smaller' | 'smallerWeights'> {
  if (smallerBundle === undefined) {
    return { smaller: undefined, smallerWeights: new Float64Array(0) };
  }
  const smaller = bundles.findIndex(({ name }) => name === smallerBundle);
  if (smaller < 0) {
    throw new FeedrankError(
      'UNKNOWN_BUNDLE',
      `profile.smallerBundle: no bundle ${JSON.stringify(smallerBundle)}; the feed's bundles are: ` +
        (bundles.map(({ name }) => name).join(', ') || 'none'),
      'profile.smallerBundle',
    );
  }
  const { model } = bundles[smaller]!;
  // A profile weighs the heads of the feed's own model; the smaller one need not have them all.
  const shared = Object.entries(headWeights).filter(([head]) => model.heads.includes(head));
  return { smaller, smallerWeights: model.headWeights(Object.fromEntries(shared)) };
}
