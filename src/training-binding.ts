/** The part of the native addon that trains; {@link NativeBinding} is the whole. */
export interface NativeTrainingBinding {
  readonly RankingLists: new (features: number) => NativeRankingLists;
  createRankerTrainer(
    lists: NativeRankingLists,
    options: NativeRankerTrainingOptions,
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
