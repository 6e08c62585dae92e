import type { ItemId } from './identity';
import type { BudgetTrace, StageTrace } from './stage-trace';
import type { NativeFeatureList, NativeHandle, NativeModel, NativeReaderEncoder } from './binding';

export interface NativeRankerSpec {
  readonly name: string;
  readonly kind: 'model' | 'decayed-dot' | 'weighted-sum' | 'external';
  readonly failClosed: boolean;
  readonly model?: NativeModel;
  readonly space?: string;
  readonly columns?: Uint32Array;
  readonly weights?: Float64Array;
  readonly terms?: readonly string[];
}

export interface NativeSmallerRanker extends NativeFeatureList {
  readonly name: string;
  readonly model: NativeModel;
  /** Columns of the feature matrix: where its native features stand. */
  readonly featureColumns: Uint32Array;
  /** Columns of the feature matrix that the model reads, in its order. */
  readonly columns: Uint32Array;
}

export interface NativePlanSpec extends NativeFeatureList {
  readonly contextValues: number;
  readonly userTower?: NativeReaderEncoder;
  readonly generators: readonly {
    name: string;
    failClosed: boolean;
    kind: 'decayed-dot' | 'trending' | 'fresh' | 'followed' | 'co-read' | 'external';
    space?: string;
    /** Position in the native core's Counter. */
    counter?: number;
    halfLife?: number;
    segment?: number;
  }[];
  readonly filters: readonly {
    name: string;
    failClosed: boolean;
    kind: 'seen' | 'maximum-age' | 'blocked' | 'muted' | 'eligible' | 'where' | 'external';
    conditions: readonly NativeCondition[];
  }[];
  /** Columns between the features and those of enrichers, which smaller rankers alone read. */
  readonly moreFeatures: number;
  readonly smallerRankers: readonly NativeSmallerRanker[];
  readonly enricherName: string;
  readonly enrichers: readonly { name: string; features: number }[];
  readonly ranker: NativeRankerSpec;
  readonly selector: { name: string; kind: 'top-n' | 'mmr' | 'dpp' | 'external'; space?: string };
  readonly device: string;
}

export type NativeCondition =
  | {
      readonly of: 'column';
      readonly index: number;
      readonly atLeast: number;
      readonly atMost: number;
      readonly isNot?: number;
      readonly missingMeets: boolean;
    }
  | {
      readonly of: 'label' | 'author' | 'topics';
      /** Of a label. */
      readonly index?: number;
      readonly names: readonly string[];
      readonly isOneOf: boolean;
    };

export interface NativeUserVector {
  readonly space: number;
  readonly values: Float32Array;
}

export interface NativeQuery {
  readonly userId: ItemId | undefined;
  readonly userVectors: readonly NativeUserVector[];
  readonly now: number;
  readonly limit: number;
  readonly context: Float64Array;
  /** Four codes; 255 where there is none. */
  readonly segments: Uint8Array;
  readonly currentItem: ItemId | undefined;
  readonly follows: NativeNames;
  readonly blocked: NativeNames;
  readonly muted: NativeNames;
  readonly seen: readonly ItemId[];
  readonly list: readonly ItemId[] | undefined;
  readonly explain: boolean;
  /** Whether nobody is shown the slate yet. */
  readonly ahead?: boolean;
}

/** Authors and topics that a query names. */
export interface NativeNames {
  readonly authors: readonly string[];
  readonly topics: readonly string[];
}

export interface NativeSettings {
  readonly tauMs: number;
  readonly negativeDots: string;
  /** Of approximate retrieval; undefined where it is to be exact. */
  readonly effort: number | undefined;
  readonly maxCandidates: number;
  readonly quotas: Uint32Array;
  readonly maxAgeMs: number;
  readonly maxReports: number;
  readonly maxReportRate: number;
  readonly maxHideRate: number;
  readonly seenAfterImpressions: number;
  readonly perAuthor: number;
  readonly perTopic: number;
  readonly authorSpacing: number;
  readonly topicSpacing: number;
  readonly diversity: number;
  /** At most 8; `label` is a position in the catalog's labels. */
  readonly exposure: readonly { label: number; value: string; share: number; tolerance: number }[];
  readonly headWeights: Float64Array;
  readonly budgetMs: number;
  readonly budgetPercentile: number;
  /** Requests of one profile learn from each other what they cost. */
  readonly profile: string;
  /** Position among the plan's smaller rankers. */
  readonly smaller: number | undefined;
  readonly smallerWeights: Float64Array;
  /** Position among the plan's smaller rankers of the one that looks on. */
  readonly shadow: number | undefined;
  readonly shadowWeights: Float64Array;
}

export interface NativeSlate {
  readonly ids: ItemId[];
  readonly scores: Float64Array;
  readonly generators: number;
  readonly sourceScores: Float64Array;
  readonly termNames: string[];
  readonly terms: Float64Array;
  readonly epoch: number;
  readonly queueMs: number;
  readonly nativeMs: number;
  readonly unknownIds: number;
  readonly removedMeanwhile: number;
  readonly stages: StageTrace[];
  readonly budget: BudgetTrace;
  /** Only where the query asks for it. */
  readonly explanations?: NativeExplanations;
}

/** One entry an item of the slate, row-major. */
export interface NativeExplanations {
  /** [item × generator]; meaningful where the source's score is not NaN. */
  readonly sourcePositions: Float64Array;
  /** [item × feature] */
  readonly features: Float64Array;
  /** The columns of native features that hold something. */
  readonly readyColumns: Uint32Array;
  /** [item × term], or empty. */
  readonly outputs: Float64Array;
  /** Of a selector that weighs more than the score. */
  readonly penaltyNames: readonly string[];
  /** [item × penalty] */
  readonly penalties: Float64Array;
  readonly stages: readonly { name: string; positions: Float64Array }[];
}

export interface NativeBatch {
  readonly size: number;
  readonly ids: ItemId[];
  readonly publishTimes: Float64Array;
  readonly authors: (string | undefined)[];
  readonly topics: string[][];
  /** By column of the catalog; NaN where an item has no value. */
  readonly columns: Float64Array[];
  /** By label of the catalog: positions among its texts; 2³² − 1 where an item has no value. */
  readonly labels: { texts: string[]; places: Uint32Array }[];
  readonly sourceScores: Float64Array;
  readonly features: Float32Array;
  readonly scores: Float64Array;
}

/** The finished slate, or the stage that the request waits for and its candidates. */
export interface NativeAnswer {
  readonly slate?: NativeSlate;
  readonly waitsFor?: 'generators' | 'filter' | 'enrichers' | 'ranker' | 'selector';
  readonly index?: number;
  readonly batch?: NativeBatch;
}

interface Skippable {
  readonly skipped?: string;
  readonly ms: number;
}

export type NativeExternalResult =
  | {
      readonly kind: 'generated';
      readonly sources: readonly (Skippable & {
        generator: number;
        ids: readonly ItemId[];
        scores: Float64Array;
      })[];
    }
  | (Skippable & { readonly kind: 'kept'; readonly keep: Uint8Array })
  | {
      readonly kind: 'enriched';
      readonly sources: readonly (Skippable & { values: Float32Array })[];
    }
  | (Skippable & {
      readonly kind: 'ranked';
      readonly scores: Float64Array;
      readonly termNames: readonly string[];
      readonly terms: Float64Array;
    })
  | (Skippable & { readonly kind: 'selected'; readonly positions: Uint32Array });

export interface NativeRequest {
  run(result: NativeExternalResult | undefined, cancel?: Int32Array): Promise<NativeAnswer>;
  /** Lets go of the catalog's state. */
  end(): void;
}

/** What a ranker that looks on came to; means and percentiles say nothing where none was scored. */
export interface NativeShadow {
  readonly scored: number;
  readonly skipped: number;
  readonly failed: number;
  readonly lastFailure: string;
  readonly topOverlap: number;
  readonly kendallTau: number;
  readonly liveP50Ms: number;
  readonly liveP99Ms: number;
  readonly shadowP50Ms: number;
  readonly shadowP99Ms: number;
}

export interface NativePlan extends NativeHandle {
  rank(query: NativeQuery, settings: NativeSettings, cancel?: Int32Array): Promise<NativeAnswer>;
  begin(query: NativeQuery, settings: NativeSettings): NativeRequest;
  /**
   * Whether an earlier answer may be given again: all of its items are still there, and native filters
   * let them pass. It then counts as shown. `scores` are the ranker's, or none.
   */
  repeats(
    query: NativeQuery,
    settings: NativeSettings,
    ids: readonly ItemId[],
    scores: Float64Array,
  ): boolean;
  /** One a smaller ranker. */
  shadows(): NativeShadow[];
  /**
   * Takes on what the plan that this one replaces has learnt of costs, and what it keeps on a device.
   * Another ranker has the `changedTier`: 0 is the plan's own, 1 + i its i-th smaller one.
   */
  goOnFrom(plan: NativePlan, changedTier: number): void;
}
