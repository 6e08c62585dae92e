import type { ItemId } from './identity';
import { loadAddon } from '../lib/load-addon.js';
import { FeedrankError } from './errors';
import type { NativePlan, NativePlanSpec, NativeQuery } from './request-binding';
import type { NativeTowerItems, NativeTrainingBinding } from './training-binding';

export type * from './request-binding';
export type * from './training-binding';

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
  loadUserTower(options: NativeUserTowerOptions): Promise<NativeUserTower>;
  loadItemTower(options: NativeItemTowerOptions): Promise<NativeItemTower>;
  /** The bucket of each id or name, from 1 to `buckets` − 1. */
  towerBuckets(ids: readonly ItemId[], buckets: number): Uint32Array;
  saveScriptedNetwork(network: NativeNetwork, path: string): Promise<void>;
  configure(threads: number, queueLimit: number): void;
  runtime(): { threads: number; queueLimit: number; queued: number };
  /** What runs on this processor: scan kernels, the best first, the one in use, and bfloat16. */
  processor(): { kernels: string[]; kernel: string; bfloat16: boolean };
  setDefaults(budgetMs: number, budgetPercentile: number): void;
  defaults(): { budgetMs: number; budgetPercentile: number; version: number };
  /** The version of `defaults`, at less cost. */
  defaultsVersion(): number;
}

export interface NativeSchema {
  readonly ids: 'string' | 'integer';
  readonly spaces: readonly {
    name: string;
    dimensions: number;
    version: string;
    index: 'exact' | 'approximate';
  }[];
  readonly columns: readonly string[];
  readonly columnPrecision: 'float64' | 'float32';
  readonly labels: readonly string[];
}

/** Texts end to end in UTF-8, and where each of them ends. */
export interface NativeTexts {
  readonly bytes: Uint8Array;
  readonly ends: Uint32Array;
}

/** A struct of arrays; position i of each is item i. Codes point into the lists of names. */
export interface NativeItems {
  readonly ids: NativeTexts | Float64Array;
  readonly publishTimes: Float64Array;
  readonly authorNames: NativeTexts;
  readonly authors: Uint32Array;
  readonly topicNames: NativeTexts;
  readonly topics: Uint32Array;
  readonly topicEnds: Uint32Array;
  readonly labelNames: NativeTexts;
  readonly labels: readonly { values: Uint32Array }[];
  readonly columns: readonly { values: Float64Array }[];
  readonly spaces: readonly { values: Float32Array; present: Uint8Array }[];
}

export interface NativeCatalog {
  upsert(items: NativeItems): Promise<{ inserted: number; replaced: number; epoch: number }>;
  remove(ids: readonly ItemId[]): Promise<{ removed: number; unknown: number; epoch: number }>;
  has(id: ItemId): boolean;
  retrieve(options: NativeRetrieval): Promise<{ ids: ItemId[]; scores: Float64Array }[]>;
  recall(
    options: NativeRetrieval,
  ): Promise<{ recall: number; exactMs: number; approximateMs: number; listed: number }>;
  /** Works for about a millisecond; says whether there is more to do. */
  tidySome(): Promise<boolean>;
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
  /** Of approximate retrieval; undefined where it is to be exact. */
  readonly effort: number | undefined;
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
  /** A whole TorchScript file, which has been inspected, or with `compiled` an AOTInductor package. */
  readonly bytes: Uint8Array;
  /** What messages call the file. */
  readonly name: string;
  readonly features: number;
  readonly heads: readonly string[];
  readonly precision: 'float32' | 'bfloat16' | 'int8';
  readonly compiled: boolean;
  readonly device: 'cpu' | 'cuda';
}

/** Where work is done. */
export interface NativeTask {
  /** On a thread that no request waits for, instead of one of theirs. Defaults to `false`. */
  readonly aside?: boolean;
}

/** Native objects are freed when JavaScript's collector comes by, or at once where they say so. */
export interface NativeHandle {
  /** Lets go of what the handle stands for; whoever else holds it keeps it. */
  release(): void;
}

export interface NativeModel extends NativeHandle {
  readonly heads: string[];
  /** Another handle on the same model. */
  share(): NativeModel;
  score(options: { features: Float32Array } & NativeTask): Promise<Float32Array>;
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

export interface NativeUserTowerOptions {
  readonly bytes: Uint8Array;
  readonly dimensions: number;
  readonly maxReads: number;
  readonly context: number;
}

export interface NativeUserTower extends NativeHandle {
  share(): NativeUserTower;
  encode(input: {
    readonly reads: Float32Array;
    readonly hours: Float32Array;
    readonly present: Float32Array;
    readonly context: Float32Array;
    readonly aside?: boolean;
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

export interface NativeItemTower extends NativeHandle {
  share(): NativeItemTower;
  encode(items: NativeTowerItems & NativeTask): Promise<Float32Array>;
}

/** What turns a reader into a vector of a space where a query brings none. */
export interface NativeReaderEncoder {
  readonly name: string;
  readonly space: string;
  readonly tower: NativeUserTower;
  /** Positions among the query's context values. */
  readonly context: Uint32Array;
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
