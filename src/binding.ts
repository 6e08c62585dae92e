import type { ItemId } from './identity';
import type { StageTrace } from './stage-trace';
import { loadAddon } from '../lib/load-addon.js';
import { FeedrankError } from './errors';
import type { NativeTrainingBinding } from './training-binding';

/**
 * What the native addon exports. Everything else in the facade goes through these types; nothing
 * reaches into a native object but by what is declared here.
 */
export interface NativeBinding extends NativeTrainingBinding {
  readonly version: string;
  readonly libtorchVersion: string;
  readonly Catalog: new (source: NativeSchema | number) => NativeCatalog;
  readonly Engagement: {
    new (catalog: NativeCatalog, options: NativeEngagementOptions): NativeEngagement;
    new (handle: number, catalog: NativeCatalog): NativeEngagement;
  };
  readonly Plan: new (engagement: NativeEngagement, plan: NativePlanSpec) => NativePlan;
  loadModel(options: NativeModelOptions): Promise<NativeModel>;
  /** Those of the names that LibTorch has as operators on tensors. */
  operatorsAmong(options: { names: readonly string[] }): string[];
  readonly TwoTowerTrainer: new (options: NativeTwoTowerOptions) => NativeTwoTowerTrainer;
  loadUserTower(options: NativeUserTowerOptions): Promise<NativeUserTower>;
  loadItemTower(options: NativeItemTowerOptions): Promise<NativeItemTower>;
  /** The bucket of each id or name, from 1 to `buckets` − 1. */
  towerBuckets(ids: readonly ItemId[], buckets: number): Uint32Array;
  saveScriptedNetwork(network: NativeNetwork, path: string): Promise<void>;
  configure(threads: number, queueLimit: number): void;
  runtime(): { threads: number; queueLimit: number; queued: number };
}

export interface NativeSchema {
  readonly ids: 'string' | 'integer';
  readonly spaces: readonly { name: string; dimensions: number; version: string }[];
  readonly columns: readonly string[];
  readonly labels: readonly string[];
}

/** A struct of arrays; position i of each is item i. Codes point into the lists of names. */
export interface NativeItems {
  readonly ids: readonly ItemId[];
  readonly publishTimes: Float64Array;
  readonly authorNames: readonly string[];
  readonly authors: Uint32Array;
  readonly topicNames: readonly string[];
  readonly topics: Uint32Array;
  readonly topicEnds: Uint32Array;
  readonly labelNames: readonly string[];
  readonly labels: readonly { values: Uint32Array }[];
  readonly columns: readonly { values: Float64Array }[];
  readonly spaces: readonly { values: Float32Array; present: Uint8Array }[];
}

export interface NativeCatalog {
  upsert(items: NativeItems): Promise<{ inserted: number; replaced: number; epoch: number }>;
  remove(ids: readonly ItemId[]): Promise<{ removed: number; unknown: number; epoch: number }>;
  has(id: ItemId): boolean;
  retrieve(options: NativeRetrieval): Promise<{ ids: ItemId[]; scores: Float64Array }[]>;
  stats(): { size: number; epoch: number; allocatedRows: number; bytes: number };
  share(): number;
  schema(): NativeSchema;
}

export interface NativeRetrieval {
  readonly space: string;
  readonly vectors: Float32Array;
  readonly now: Float64Array;
  readonly tauMs: Float64Array;
  readonly k: number;
  readonly negativeDots: 'decay' | 'keep' | 'drop';
  readonly device: string;
}

export interface NativeEngagementOptions {
  readonly halfLivesMs: Float64Array;
  readonly segmentHalfLivesMs: Float64Array;
  readonly segments: readonly { name: string; values: readonly string[] }[];
  readonly latenessMs: number;
  readonly maxUsers: number;
  readonly maxShownPerUser: number;
  readonly maxReadsPerUser: number;
  readonly ttlMs: number;
  readonly coRead: { halfLifeMs: number; windowMs: number; maxPerItem: number; reads: number };
  readonly slicesHalfLifeMs: number;
  readonly poolWindowMs: number;
  readonly poolGridMs: number;
}

export interface NativeEvents {
  /** Positions in the native core's EventType. */
  readonly types: Uint8Array;
  readonly userIds: readonly ItemId[];
  readonly itemIds: readonly ItemId[];
  readonly at: Float64Array;
  readonly dwellMs: Float64Array;
  /** Shares from 0 to 1; NaN where there is none. */
  readonly scrolled: Float64Array;
  /** Four codes an event; 255 where there is none. */
  readonly segments: Uint8Array;
  /** Pages' items, and the events that they belong to, in order. */
  readonly fromIds: readonly ItemId[];
  readonly fromEvents: Uint32Array;
  /** One an event, or none at all. */
  readonly eventIds: readonly string[];
  readonly now: number;
}

export interface NativeEngagement {
  record(events: NativeEvents): Promise<{
    recorded: number;
    duplicates: number;
    late: number;
    unknownItems: number;
  }>;
  forget(userId: ItemId): boolean;
  features(
    options: NativeFeatureList & {
      ids: readonly ItemId[];
    } & Pick<
        NativeQuery,
        'context' | 'userVectors' | 'userId' | 'currentItem' | 'segments' | 'now'
      > & { readonly userTower?: NativeReaderEncoder },
  ): Promise<{ values: Float32Array; known: Float64Array }>;
  /** A reader's last reads of items that the catalog holds, newest first, the page before all. */
  reads(options: Pick<NativeQuery, 'userId' | 'currentItem' | 'now'> & { readonly most: number }): {
    ids: ItemId[];
    hours: Float32Array;
  };
  slices(options: { now: number }): NativeSlices;
  stats(): { users: number; userBytes: number; counterBytes: number };
  share(): number;
  /** What the counters were made with. */
  shape(): {
    halfLivesMs: number[];
    segmentHalfLivesMs: number[];
    segments: { name: string; values: string[] }[];
    latenessMs: number;
    poolGridMs: number;
  };
}

/** Figures and gaps in the order of the native core's SliceReport; NaN where one cannot be said. */
export interface NativeSlices {
  readonly asOf: number;
  readonly all: Float64Array;
  readonly segments: readonly NativeSliceComparison[];
  readonly groups: readonly (NativeSliceComparison & { readonly other: Float64Array })[];
  readonly slatesAhead: number;
}

export interface NativeSliceComparison {
  readonly name: string;
  readonly values: readonly string[];
  /** [value × figure] */
  readonly figures: Float64Array;
  readonly gaps: Float64Array;
}

export interface NativeFeature {
  readonly source: string;
  readonly transformation: string;
  readonly reference: string;
  readonly counter?: string;
  readonly index: number;
  /** Of the segment, of the longer half-life, or of the column of the expected dwell. */
  readonly second?: number;
  readonly missing: number;
}

export interface NativeFeatureList {
  readonly features: readonly NativeFeature[];
  readonly smoothing: {
    readonly clickRate: number;
    readonly clickWeight: number;
    readonly dwellSeconds: number;
    readonly dwellWeight: number;
    readonly completion: number;
    readonly completionWeight: number;
    readonly hideRate: number;
    readonly reportRate: number;
    readonly healthWeight: number;
    readonly trendClicks: number;
    readonly coReadWeight: number;
    readonly followUpWeight: number;
  };
}

export interface NativeModelOptions {
  /** A whole TorchScript file, which has been inspected. */
  readonly bytes: Uint8Array;
  /** What messages call the file. */
  readonly name: string;
  readonly features: number;
  readonly heads: readonly string[];
}

export interface NativeModel {
  readonly heads: string[];
  score(options: { features: Float32Array }): Promise<Float32Array>;
}

export interface NativeNetwork {
  readonly mean: Float32Array;
  readonly scale: Float32Array;
  readonly layers: readonly {
    inputs: number;
    outputs: number;
    weights: Float32Array;
    bias: Float32Array;
  }[];
}

export interface NativeTwoTowerOptions {
  readonly dimensions: number;
  readonly hidden: number;
  readonly maxReads: number;
  readonly attributes: number;
  readonly categories: number;
  readonly context: number;
  readonly idBuckets: number;
  readonly categoryBuckets: number;
  readonly unitVectors: boolean;
  readonly temperature: number;
  readonly tauMs: number;
  readonly idDropout: number;
  readonly learningRate: number;
  readonly embeddingLearningRate: number;
  readonly batchSize: number;
  readonly seed: number;
}

/** Items as towers read them: one bucket an id (0: unknown), rows of attributes and of buckets. */
export interface NativeTowerItems {
  readonly ids: Uint32Array;
  readonly attributes: Float32Array;
  readonly categories: Uint32Array;
}

export interface NativeTwoTowerProgress {
  readonly epoch: number;
  readonly batch: number;
  readonly batches: number;
  readonly examples: number;
  readonly lossSum: number;
  readonly ended: boolean;
}

export interface NativeTwoTowerTrainer {
  addItems(items: NativeTowerItems & { readonly publishTimes: Float64Array }): Promise<void>;
  addExamples(examples: {
    readonly clicked: Uint32Array;
    readonly at: Float64Array;
    readonly context: Float32Array;
    readonly reads: Uint32Array;
    readonly readHours: Float32Array;
    readonly readEnds: Uint32Array;
  }): Promise<void>;
  begin(trainingExamples: number): Promise<void>;
  step(milliseconds: number): Promise<NativeTwoTowerProgress>;
  validate(milliseconds: number): Promise<NativeTwoTowerProgress>;
  keep(): Promise<void>;
  restore(): Promise<void>;
  files(): Promise<{ itemTower: Buffer; userTower: Buffer }>;
}

export interface NativeUserTowerOptions {
  readonly bytes: Uint8Array;
  readonly dimensions: number;
  readonly maxReads: number;
  readonly context: number;
}

export interface NativeUserTower {
  encode(input: {
    readonly reads: Float32Array;
    readonly hours: Float32Array;
    readonly present: Float32Array;
    readonly context: Float32Array;
  }): Promise<Float32Array>;
}

export interface NativeItemTowerOptions {
  readonly bytes: Uint8Array;
  readonly dimensions: number;
  readonly attributes: number;
  readonly categories: number;
  readonly idBuckets: number;
  readonly categoryBuckets: number;
}

export interface NativeItemTower {
  encode(items: NativeTowerItems): Promise<Float32Array>;
}

/** What turns a reader into a vector of a space where a query brings none. */
export interface NativeReaderEncoder {
  readonly name: string;
  readonly space: string;
  readonly tower: NativeUserTower;
  /** Positions among the query's context values. */
  readonly context: Uint32Array;
}

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
}

/** Authors and topics that a query names. */
export interface NativeNames {
  readonly authors: readonly string[];
  readonly topics: readonly string[];
}

export interface NativeSettings {
  readonly tauMs: number;
  readonly negativeDots: string;
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
  /** Only where the query asks for it. */
  readonly explanations?: NativeExplanations;
}

/** One entry an item of the slate, row-major. */
export interface NativeExplanations {
  /** [item × generator]; meaningful where the source's score is not NaN. */
  readonly sourcePositions: Float64Array;
  /** [item × feature] */
  readonly features: Float64Array;
  /** Otherwise the columns of native features hold nothing. */
  readonly nativeFeaturesReady: boolean;
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

export interface NativePlan {
  rank(query: NativeQuery, settings: NativeSettings, cancel?: Int32Array): Promise<NativeAnswer>;
  begin(query: NativeQuery, settings: NativeSettings): NativeRequest;
}

let loaded: NativeBinding | undefined;

/** The addon, loaded on first use: loading LibTorch costs some 200 ms and 100 MB. */
export function binding(): NativeBinding {
  if (loaded === undefined) {
    try {
      loaded = loadAddon() as NativeBinding;
    } catch (error) {
      throw new FeedrankError(
        'ADDON_LOAD_FAILED',
        error instanceof Error ? error.message : String(error),
        undefined,
        { cause: error },
      );
    }
  }
  return loaded;
}
