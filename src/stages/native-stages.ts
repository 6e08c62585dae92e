import type { FeatureDefinition } from '../features/feature';
import { invalidArgument } from '../errors';
import { Model } from '../models/model';
import { largestWeight } from '../profile/rank-settings';
import { checkFlag, checkName, checkObject } from '../validation';
import type { Condition } from './condition';
import type { TrendingCounter } from './native-generators';

/** A stage that the native core implements; made by functions such as {@link torchScript}. */
export interface NativeStage {
  readonly name: string;
  readonly native: NativeStageKind;
  readonly failClosed?: boolean;
}

type NativeStageKind =
  | { readonly stage: 'generator'; readonly kind: 'decayed-dot'; readonly space: string }
  | {
      readonly stage: 'generator';
      readonly kind: 'trending';
      readonly counter: TrendingCounter;
      readonly halfLifeMs?: number;
      readonly segment?: string;
    }
  | { readonly stage: 'generator'; readonly kind: 'fresh' | 'followed' | 'co-read' }
  | { readonly stage: 'filter'; readonly kind: 'seen' | 'maximum-age' | 'blocked' | 'muted' }
  | {
      readonly stage: 'filter';
      readonly kind: 'eligible' | 'where';
      readonly conditions: readonly Condition[];
    }
  | {
      readonly stage: 'enricher';
      readonly kind: 'features';
      readonly features: readonly (string | FeatureDefinition)[];
    }
  | { readonly stage: 'ranker'; readonly kind: 'model'; readonly model: Model }
  | { readonly stage: 'ranker'; readonly kind: 'decayed-dot'; readonly space: string }
  | {
      readonly stage: 'ranker';
      readonly kind: 'weighted-sum';
      readonly weights: Readonly<Record<string, number>>;
    }
  | { readonly stage: 'selector'; readonly kind: 'top-n' }
  | {
      readonly stage: 'selector';
      readonly kind: 'mmr' | 'dpp';
      /** The embedding space in which items are compared; by their topics where it is missing. */
      readonly space?: string;
    };

/** A native stage of one kind. */
export type StageOf<S extends NativeStageKind['stage']> = NativeStage & {
  readonly native: Extract<NativeStageKind, { stage: S }>;
};

type NativeEnricher = StageOf<'enricher'>;
type NativeRanker = StageOf<'ranker'>;

/** Options that native generators and filters have in common. */
export interface NativeStageOptions {
  /** Unique within the feed. Defaults to the name of the kind of stage. */
  readonly name?: string;
  /**
   * Whether a failure of this stage fails the request with `STAGE_FAILED`. Otherwise the stage is
   * skipped, which the trace and `degraded` say. Defaults to `false` where the stage says nothing
   * else.
   */
  readonly failClosed?: boolean;
}

/** @internal */
export function nativeOptions(
  options: NativeStageOptions,
  name: string,
  failClosed: boolean,
): Required<NativeStageOptions> {
  return {
    name: nameOf(options, name),
    failClosed: checkFlag(options.failClosed ?? failClosed, 'failClosed'),
  };
}

/**
 * Assembles features in the native core. What a native ranker reads is added by itself, so this is
 * needed only for a ranker of your own. Costs about a tenth of a microsecond a value.
 */
export function nativeFeatures(
  features: readonly (string | FeatureDefinition)[],
  options: { name?: string } = {},
): NativeEnricher {
  if (!Array.isArray(features)) throw invalidArgument('features', 'an array of features', features);
  return {
    name: nameOf(options, 'features'),
    native: { stage: 'enricher', kind: 'features', features },
  };
}

/** Options of the rankers. */
export interface RankerOptions {
  readonly name?: string;
  /**
   * Whether a failure fails the request, instead of falling back to the order of the candidates.
   * Such a ranker is also run when the budget is spent already. Defaults to `false`.
   */
  readonly failClosed?: boolean;
}

/**
 * Scores with a TorchScript model: the weighted sum of its heads. Moves what the model was trained
 * for; costs its forward pass.
 */
export function torchScript(model: Model, options: RankerOptions = {}): NativeRanker {
  if (!(model instanceof Model)) throw invalidArgument('model', 'a Model', model);
  return ranker('torchscript', options, { stage: 'ranker', kind: 'model', model });
}

/** Scores by dot(user, item) · exp(−age/τ); an item without a vector scores 0. */
export function decayedDotRanker(options: RankerOptions & { space: string }): NativeRanker {
  checkObject(options, 'options');
  const space = checkName(options.space, 'space');
  return ranker('decayed-dot-ranker', options, { stage: 'ranker', kind: 'decayed-dot', space });
}

/** Scores by Σ weight · feature, summed in double precision in the order given. */
export function weightedSum(
  weights: Readonly<Record<string, number>>,
  options: RankerOptions = {},
): NativeRanker {
  const entries = Object.entries(checkObject(weights, 'weights'));
  if (entries.length === 0) throw invalidArgument('weights', 'at least one feature', weights);
  for (const [name, weight] of entries) {
    if (typeof weight !== 'number' || !(Math.abs(weight) <= largestWeight)) {
      throw invalidArgument(`weights.${name}`, `a number within ±${largestWeight}`, weight);
    }
  }
  return ranker('weighted-sum', options, { stage: 'ranker', kind: 'weighted-sum', weights });
}

/** The name in a stage's options, or the stage's usual one. @internal */
export function nameOf(options: { readonly name?: string }, fallback: string): string {
  checkObject(options, 'options');
  return checkName(options.name ?? fallback, 'name');
}

function ranker(
  name: string,
  options: RankerOptions,
  native: NativeRanker['native'],
): NativeRanker {
  return {
    name: nameOf(options, name),
    native,
    failClosed: options.failClosed ?? false,
  };
}
