/** The part of the native addon that trains; {@link NativeBinding} is the whole. */
export interface NativeTrainingBinding {
  readonly TwoTowerTrainer: new (options: NativeTwoTowerOptions) => NativeTwoTowerTrainer;
  readonly RankingLists: new (features: number) => NativeRankingLists;
  createRankerTrainer(
    lists: NativeRankingLists,
    options: NativeRankerTrainingOptions,
    /** Whose network it starts from, pruned; a new one by default. */
    start?: NativeRankerTrainer,
  ): Promise<NativeRankerTrainer>;
  exportRanker(options: {
    trainers: readonly NativeRankerTrainer[];
    calibration: NativeCalibration;
  }): Promise<Buffer>;
}

export interface NativeRankingLists {
  append(lists: {
    /** [row × feature] */
    rows: Float32Array;
    /** Rows of each list. */
    lengths: Uint32Array;
    clicked: Uint8Array;
    /** One a list; NaN where it is not known. */
    dwellSeconds: Float32Array;
    /** One a row; 255 where it belongs to none. */
    groups: Uint8Array;
  }): void;
}

export interface NativeRankerTrainingOptions {
  readonly features: number;
  readonly hidden: Uint32Array;
  readonly crossLayers: number;
  readonly heads: readonly string[];
  readonly loss: string;
  readonly negatives: number;
  readonly dwellWeight: number;
  readonly scoreDwell: number;
  readonly dropout: number;
  readonly learningRate: number;
  readonly weightDecay: number;
  readonly batchLists: number;
  readonly epochs: number;
  readonly seed: number;
  readonly positions: boolean;
  readonly fairness: string;
  readonly fairnessWeight: number;
  /** One a row of the lists; empty where there is no teacher. */
  readonly teacherScores: Float32Array;
  readonly distillationWeight: number;
  readonly sparsity: number;
  readonly firstList: number;
  readonly endList: number;
}

export interface NativeTrainingStep {
  /** 0 for the first. */
  readonly epoch: number;
  /** Of the epoch, so far; `loss`, `penalty` and `rows` likewise. */
  readonly batches: number;
  readonly loss: number;
  readonly penalty: number;
  readonly rows: number;
  readonly epochEnded: boolean;
}

export interface NativeRankerTrainer {
  /** Trains for about so many milliseconds, and no further than the end of an epoch. */
  step(milliseconds: number): Promise<NativeTrainingStep>;
  /** [row × head] of the lists from `first` to before `end`. */
  score(first: number, end: number): Promise<Float32Array>;
  keep(): void;
  restore(): void;
}

export interface NativeCalibration {
  readonly kind: 'none' | 'platt' | 'isotonic';
  readonly slope: number;
  readonly offset: number;
  readonly scores: Float32Array;
  readonly probabilities: Float32Array;
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
