import {
  binding,
  type NativePlan,
  type NativePlanSpec,
  type NativeRankerSpec,
  type NativeSchema,
  type NativeSettings,
} from '../binding';
import { checkApproximate, type RetrievalTarget } from '../catalog/approximate';
import type { Catalog } from '../catalog/catalog';
import { FeedrankError, guard, invalidArgument } from '../errors';
import { encodeFeatures } from '../features/encode-features';
import { toFeatureDefinition } from '../features/check-feature';
import type { FeatureDefinition, FeatureVocabulary } from '../features/feature';
import type { Model } from '../models/model';
import type { Towers } from '../models/towers';
import { encodeExposure } from '../profile/encode-exposure';
import type { RankSettings } from '../profile/rank-settings';
import { encodeFilter } from './encode-filters';
import { encodeGenerator } from './encode-generators';
import { nativeOf, type NamedStage, type PlanTarget, type SmallerBundle } from './named-stage';
import { encodeSmaller, smallerRankers, smallerSettings } from './smaller-bundles';
import type { NativeStage, StageOf } from '../stages/native-stages';
import type {
  CandidateGenerator,
  FeatureEnricher,
  Filter,
  Ranker,
  Selector,
} from '../stages/stage';
import { checkName, checkObject, ownValue } from '../validation';

/** The stages of a feed: native ones, or objects of your own, in any mixture. */
export interface FeedStages {
  /** Run in parallel and merged by turns. Defaults to none, which leaves only `rerank`. */
  readonly generators?: readonly (CandidateGenerator | StageOf<'generator'>)[];
  /** Run one after another. Defaults to none. */
  readonly filters?: readonly (Filter | StageOf<'filter'>)[];
  /** Defaults to what a native ranker reads. */
  readonly enrichers?: readonly (FeatureEnricher | StageOf<'enricher'>)[];
  readonly ranker: Ranker | StageOf<'ranker'>;
  /** Defaults to `topN()`. */
  readonly selector?: Selector | StageOf<'selector'>;
}

/**
 * A feed, compiled once: adjacent native stages run as one native job, and only a stage written in
 * TypeScript breaks the run.
 * @internal
 */
export class Plan {
  readonly native: NativePlan;
  readonly schema: NativeSchema;
  readonly contextKeys: readonly string[];
  readonly featureNames: readonly string[];
  readonly generatorNames: readonly string[];
  readonly generators: readonly (CandidateGenerator | undefined)[];
  readonly filters: readonly (Filter | undefined)[];
  readonly enrichers: readonly FeatureEnricher[];
  readonly ranker: Ranker | undefined;
  readonly selector: Selector | undefined;
  readonly definitions: readonly FeatureDefinition[];
  /** Columns of the feature matrix that native code fills; those of enrichers follow. */
  readonly nativeColumns: number;
  /** Whether a feature is relative to the list, so that the plan can only rerank. */
  readonly readsList: boolean;
  /** Whether readers get a vector of a space that a native stage looks at. */
  readonly encodesReaders: boolean;
  readonly #model: Model | undefined;
  readonly #smaller: readonly SmallerBundle[];
  readonly #labels: readonly string[];
  readonly #retrieval: RetrievalTarget;
  readonly #encoded = new WeakMap<RankSettings, NativeSettings>();

  constructor(stages: FeedStages, target: PlanTarget) {
    checkObject(stages.ranker, 'ranker');
    const generators = list(stages.generators, 'generators', 'generator', 'generate');
    const filters = list(stages.filters, 'filters', 'filter', 'filter');
    const enrichers = list(stages.enrichers, 'enrichers', 'enricher', 'enrich');
    const ranker = list([stages.ranker], 'ranker', 'ranker', 'rank')[0]!;
    const selector = list(
      [stages.selector ?? { name: 'top-n', native: { stage: 'selector', kind: 'top-n' } }],
      'selector',
      'selector',
      'select',
    )[0]!;
    checkDistinctNames([...generators, ...filters, ...enrichers, ranker, selector]);

    this.schema = target.catalog.schema;
    this.generators = generators.map((stage) => external<CandidateGenerator>(stage));
    this.generatorNames = generators.map((stage) => stage.name);
    this.filters = filters.map((stage) => external<Filter>(stage));
    this.enrichers = enrichers.flatMap((stage) => external<FeatureEnricher>(stage) ?? []);
    this.ranker = external<Ranker>(ranker);
    this.selector = external<Selector>(selector);

    const ours = distinctColumns(this.enrichers);
    this.definitions = collectFeatures(enrichers, ranker, ours, target.shape);
    this.#smaller = target.smaller;
    const smaller = smallerRankers(target.smaller, this.definitions, ours, target.shape);
    const native = [...this.definitions, ...smaller.more];
    this.contextKeys = contextKeysOf(native, target.towers);
    this.nativeColumns = native.length;
    this.readsList = native.some(({ reference }) => reference === 'list');
    this.featureNames = [...native.map((definition) => definition.name), ...ours];
    const dots = [
      ...native.flatMap(({ source, space }) => (source === 'dot' ? space : [])),
      ...generators.flatMap((stage) => spaceOf(nativeOf(stage, 'generator'))),
      ...spaceOf(nativeOf(ranker, 'ranker')),
    ];
    this.encodesReaders = target.towers !== undefined && dots.includes(target.towers.space.name);
    this.#model = modelOf(ranker);
    this.#labels = target.catalog.schema.labels;
    this.#retrieval = {
      device: target.device,
      spaces: generators.flatMap((stage) => {
        const generator = nativeOf(stage, 'generator');
        if (generator?.kind !== 'decayed-dot') return [];
        return target.catalog.schema.spaces.filter(({ name }) => name === generator.space);
      }),
    };

    const features = encodeFeatures(
      this.definitions,
      target.catalog,
      target.shape,
      this.contextKeys,
    );
    const spec: NativePlanSpec = {
      ...features,
      contextValues: this.contextKeys.length,
      ...(target.towers && { userTower: target.towers.encoder(target.catalog, this.contextKeys) }),
      generators: generators.map((stage) => encodeGenerator(stage, target)),
      filters: filters.map((stage) => encodeFilter(stage, target.catalog)),
      enricherName:
        enrichers.find((stage) => nativeOf(stage, 'enricher') !== undefined)?.name ?? 'features',
      enrichers: this.enrichers.map(({ name, features: names }) => ({
        name,
        features: names.length,
      })),
      moreFeatures: smaller.more.length,
      smallerRankers: smaller.rankers.map((one) =>
        encodeSmaller(one, this.featureNames, target, this.contextKeys),
      ),
      ranker: encodeRanker(ranker, this.featureNames, target.catalog),
      selector: encodeSelector(selector, target.catalog),
      device: target.device,
    };
    this.native = guard(() => new (binding().Plan)(target.engagement, spec));
  }

  /** Whether a request needs no stage of the user's. */
  isNative(rerank: boolean): boolean {
    const always = this.ranker === undefined && this.enrichers.length === 0;
    if (rerank || !always) return always;
    return (
      this.selector === undefined &&
      !this.generators.some((stage) => stage !== undefined) &&
      !this.filters.some((stage) => stage !== undefined)
    );
  }

  /** Throws `UNKNOWN_STAGE`, `UNKNOWN_GROUP` or `INVALID_ARGUMENT` where settings do not fit. */
  encodeSettings(settings: RankSettings): NativeSettings {
    let encoded = this.#encoded.get(settings);
    if (encoded === undefined) {
      encoded = this.#encode(settings);
      this.#encoded.set(settings, encoded);
    }
    return encoded;
  }

  #effort(settings: RankSettings): number | undefined {
    if (settings.retrieval === 'exact') return undefined;
    checkApproximate(this.#retrieval, 'profile.retrieval');
    return settings.retrievalEffort;
  }

  #encode(settings: RankSettings): NativeSettings {
    for (const name of Object.keys(settings.quotas)) {
      if (!this.generatorNames.includes(name)) {
        throw new FeedrankError(
          'UNKNOWN_STAGE',
          `profile.quotas.${name}: no generator of this name; the feed has: ${this.generatorNames.join(', ') || 'none'}`,
          `profile.quotas.${name}`,
        );
      }
    }
    const quotas = this.generatorNames.map(
      (name) => ownValue(settings.quotas, name) ?? settings.maxCandidates,
    );
    if (quotas.length > 0 && quotas.every((quota) => quota === 0)) {
      throw invalidArgument('profile.quotas', 'a quota above 0 for one generator at least', 0);
    }
    return {
      tauMs: settings.tauMs,
      negativeDots: settings.negativeDots,
      effort: this.#effort(settings),
      maxCandidates: settings.maxCandidates,
      quotas: Uint32Array.from(quotas),
      maxAgeMs: settings.maxAgeMs,
      maxReports: settings.maxReports,
      maxReportRate: settings.maxReportRate,
      maxHideRate: settings.maxHideRate,
      seenAfterImpressions: settings.seenAfterImpressions,
      perAuthor: settings.perAuthor,
      perTopic: settings.perTopic,
      authorSpacing: settings.authorSpacing,
      topicSpacing: settings.topicSpacing,
      diversity: settings.diversity,
      exposure: encodeExposure(settings.exposure, this.#labels),
      headWeights: this.#model?.headWeights(settings.headWeights) ?? new Float64Array(0),
      budgetMs: settings.budgetMs,
      budgetPercentile: settings.budgetPercentile,
      profile: settings.profile,
      ...smallerSettings(this.#smaller, settings),
    };
  }
}

/** Keys of a query's context that features or the user tower read, each once. @internal */
export function contextKeysOf(
  definitions: readonly FeatureDefinition[],
  towers: Towers | undefined,
): string[] {
  const keys = definitions.flatMap((definition) => definition.key ?? []);
  return [...new Set([...keys, ...(towers?.description.context ?? [])])];
}

function list(
  stages: unknown,
  argument: string,
  kind: NativeStage['native']['stage'],
  method: string,
): NamedStage[] {
  if (stages === undefined) return [];
  if (!Array.isArray(stages)) throw invalidArgument(argument, 'an array of stages', stages);
  return stages.map((stage: unknown, i) => {
    const where = stages.length === 1 ? argument : `${argument}[${i}]`;
    const fields = checkObject(stage, where);
    checkName(fields['name'], `${where}.name`);
    const native = fields['native'] as { readonly stage?: unknown } | null | undefined;
    if (native === undefined ? typeof fields[method] !== 'function' : native?.stage !== kind) {
      throw invalidArgument(where, `a native ${kind}, or an object with a ${method} method`, stage);
    }
    return stage as NamedStage;
  });
}

/** The stage itself where it is the user's own. */
function external<T>(stage: NamedStage): T | undefined {
  return stage.native === undefined ? (stage as unknown as T) : undefined;
}

/** The space in which a stage multiplies readers with items. */
function spaceOf(native: StageOf<'generator' | 'ranker'>['native'] | undefined): string[] {
  return native?.kind === 'decayed-dot' ? [native.space] : [];
}

function modelOf(ranker: NamedStage): Model | undefined {
  const native = nativeOf(ranker, 'ranker');
  return native?.kind === 'model' ? native.model : undefined;
}

function checkDistinctNames(stages: readonly NamedStage[]): void {
  const seen = new Set<string>();
  for (const { name } of stages) {
    if (seen.has(name)) {
      throw invalidArgument('stages', 'a name of its own for each stage', name);
    }
    seen.add(name);
  }
}

/** A name for each column: with two of one name, a ranker could not say which it reads. */
function distinctColumns(enrichers: readonly FeatureEnricher[]): ReadonlySet<string> {
  const columns = new Set<string>();
  for (const stage of enrichers) {
    for (const column of checkFeatureNames(stage)) {
      if (columns.has(column)) {
        throw invalidArgument(`enrichers.${stage.name}.features`, 'distinct names', column);
      }
      columns.add(column);
    }
  }
  return columns;
}

function checkFeatureNames({ name, features }: FeatureEnricher): string[] {
  const argument = `enrichers.${name}.features`;
  if (!Array.isArray(features) || features.length === 0) {
    throw invalidArgument(argument, 'names of columns', features);
  }
  return features.map((column, i) => checkName(column, `${argument}[${i}]`));
}

/** Native features: what native enrichers list, then what the ranker reads beyond that. */
function collectFeatures(
  enrichers: readonly NamedStage[],
  ranker: NamedStage,
  ours: ReadonlySet<string>,
  vocabulary: FeatureVocabulary,
): FeatureDefinition[] {
  const byName = new Map<string, FeatureDefinition>();
  const add = (value: unknown, argument: string) => {
    const definition = toFeatureDefinition(value, vocabulary, argument);
    const known = byName.get(definition.name);
    if (known !== undefined && JSON.stringify(known) !== JSON.stringify(definition)) {
      throw invalidArgument(argument, 'one definition a name', definition.name);
    }
    byName.set(definition.name, definition);
  };
  for (const stage of enrichers) {
    nativeOf(stage, 'enricher')?.features.forEach((feature, i) =>
      add(feature, `enrichers.${stage.name}.features[${i}]`),
    );
  }
  const native = nativeOf(ranker, 'ranker');
  if (native?.kind === 'weighted-sum') {
    for (const name of Object.keys(native.weights)) {
      if (!ours.has(name) && !byName.has(name)) add(name, `ranker.weights.${name}`);
    }
  }
  if (native?.kind === 'model') {
    native.model.description.features.forEach((feature, i) => {
      const named = !('source' in feature);
      if (ours.has(feature.name) || (named && byName.has(feature.name))) return;
      add(feature, `model.features[${i}]`);
    });
  }
  for (const name of byName.keys()) {
    if (ours.has(name)) throw invalidArgument('enrichers', 'one definition a name', name);
  }
  return [...byName.values()];
}

function encodeRanker(
  stage: NamedStage,
  featureNames: readonly string[],
  catalog: Catalog,
): NativeRankerSpec {
  const native = nativeOf(stage, 'ranker');
  const common = { name: stage.name, failClosed: stage.failClosed ?? false };
  if (native === undefined) return { ...common, kind: 'external' };
  if (native.kind === 'decayed-dot') {
    catalog.space(native.space, `ranker.${stage.name}.space`);
    return { ...common, kind: native.kind, space: native.space };
  }
  const terms =
    native.kind === 'model'
      ? native.model.description.features.map((feature) => feature.name)
      : Object.keys(native.weights);
  const columns = Uint32Array.from(terms, (name) => featureNames.indexOf(name));
  if (native.kind === 'model') {
    return { ...common, kind: native.kind, model: native.model.native, columns };
  }
  const weights = Float64Array.from(Object.values(native.weights));
  return { ...common, kind: native.kind, columns, weights, terms };
}

function encodeSelector(stage: NamedStage, catalog: Catalog): NativePlanSpec['selector'] {
  const native = nativeOf(stage, 'selector');
  if (native === undefined) return { name: stage.name, kind: 'external' };
  if (native.kind === 'top-n' || native.space === undefined) {
    return { name: stage.name, kind: native.kind };
  }
  catalog.space(native.space, `selector.${stage.name}.space`);
  return { name: stage.name, kind: native.kind, space: native.space };
}
