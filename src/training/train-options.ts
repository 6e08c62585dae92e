import { Bundle } from '../bundles/bundle';
import type { Dataset } from '../data/dataset';
import type { DatasetSource } from '../data/open-dataset';
import { invalidArgument } from '../errors';
import type { FeatureDefinition } from '../features/feature';
import type { TwoTowerTrainingOptions } from './two-tower-options';
import {
  checkFlag,
  checkInteger,
  checkName,
  checkNumber,
  checkObject,
  checkPath,
  checkPositive,
} from '../validation';

/** What a ranker learns from the order of a list; see {@link TrainOptions.loss}. */
export const rankingLosses = ['softmax', 'pairwise', 'lambdarank'] as const;
export type RankingLoss = (typeof rankingLosses)[number];

/** How scores become probabilities of a click; see {@link TrainOptions.calibration}. */
export const calibrations = ['isotonic', 'platt', 'none'] as const;
export type Calibration = (typeof calibrations)[number];

/** What a fairness regularizer holds down; see {@link FairnessOptions.measure}. */
export const fairnessMeasures = ['pairwise', 'disparity'] as const;
export type FairnessMeasure = (typeof fairnessMeasures)[number];

/** A fairness regularizer: λ · unequal treatment is added to the loss. */
export interface FairnessOptions {
  /** An item label or a user slice of the dataset; at most 255 values take part. */
  readonly group: string;
  /** λ, at least 0; 0 only watches. Costs ranking quality, as far as groups differ. */
  readonly weight: number;
  /**
   * `pairwise`: |correlation| between belonging to a group and the margin of a clicked over an
   * unclicked item (Beutel et al. 2019, arXiv 1903.00780); evens out `pairwiseGap`. `disparity`:
   * difference of mean scores in pooled standard deviations (demographic disparity), its standard
   * error over the batch's lists included; evens out `scoreDisparity`. Defaults to `pairwise` for
   * item labels and `disparity` for user slices.
   */
  readonly measure?: FairnessMeasure;
}

/** The shape of the network; see {@link TrainOptions.network}. */
export interface NetworkOptions {
  /** Widths of the hidden layers, 1 to 4,096 each, at most 8. Defaults to `[128, 64]`. */
  readonly hidden?: readonly number[];
  /** Cross layers before them (Wang et al. 2021, "DCN V2"), 0 to 8. Defaults to `0`. */
  readonly crossLayers?: number;
  /** Share of a hidden layer's outputs that a training batch goes without, 0 to 0.9. Defaults to `0.3`. */
  readonly dropout?: number;
  /**
   * Networks that are trained from different seeds and whose scores are averaged, 1 to 32. Each one
   * costs its training time and its forward pass. Defaults to `1`.
   */
  readonly members?: number;
}

/** What a trained network is made smaller by; see {@link TrainOptions.pruning}. */
export const pruningMethods = ['structured', 'magnitude'] as const;
export type PruningMethod = (typeof pruningMethods)[number];

/** How a trained network is pruned and then learns on. */
export interface PruningOptions {
  /**
   * `structured`: hidden units that matter least to the loss are taken out (Molchanov et al. 2019),
   * which makes the network as much faster as it becomes narrower. `magnitude`: the weights nearest
   * to 0 are set to 0 and held there (Han et al. 2015); it runs no faster, since its kernels are
   * dense, and only packs smaller. Defaults to `structured`.
   */
  readonly method?: PruningMethod;
  /** Share of each hidden layer's units, or of its weights, that stays; over 0, up to 1. */
  readonly keep: number;
  /** Passes over the data afterwards, 1 to 1,000, at half the learning rate. Defaults to `5`. */
  readonly epochs?: number;
}

/** What the towers of a bundle are trained with; the rest is as for its ranker. */
export type TowerOptions = Omit<
  TwoTowerTrainingOptions,
  'dataset' | 'split' | 'lagMs' | 'seed' | 'signal' | 'onProgress'
>;

/** Options of {@link train}. */
export interface TrainOptions extends Omit<DatasetSource, 'dataset' | 'seed'> {
  /** The name of a dataset, or one that has been opened. */
  readonly dataset: string | Dataset;
  /** Where the bundle is written: a folder that does not exist, or see `force`. */
  readonly out: string;
  /** Whether an existing bundle at `out` is replaced, once the new one is complete. Defaults to `false`. */
  readonly force?: boolean;
  /** The part of the log that is learnt from. Defaults to `train`. */
  readonly split?: string;
  /** How old an event is when it becomes known, in milliseconds. Defaults to `600000`. */
  readonly lagMs?: number;
  /**
   * What the ranker will be used for, which decides the features it may read. `rerank`: all, those
   * relative to the given list too. `rank`: none that are relative to a list, so that both
   * `Feed.rank` and `Feed.rerank` can use it. Defaults to `rerank`.
   */
  readonly mode?: 'rerank' | 'rank';
  /**
   * Names of built-in features, or definitions. Those whose values never vary in the data are left
   * out. Defaults to everything that a feed knows of the dataset; see `datasetFeatures`.
   */
  readonly features?: readonly (string | FeatureDefinition)[];
  /** Seed of all that is random, and of a simulated world; 0 to 2³² − 1. Defaults to `1`. */
  readonly seed?: number;
  /**
   * Networks that are trained at once, on the process's native threads. The result does not depend
   * on it. Defaults to the number of native threads; see `configure`.
   */
  readonly threads?: number;
  readonly network?: NetworkOptions;
  /**
   * `softmax`: cross-entropy of the clicked items within their list (Cao et al. 2007, ListNet's top
   * one), over at most `negatives` unclicked ones. `pairwise`: ln(1 + e^−margin) of clicked over
   * unclicked (Burges et al. 2005, RankNet; Rendle et al. 2009, BPR). `lambdarank`: the same,
   * weighted with the change of nDCG (Burges 2010). Defaults to `softmax`.
   */
  readonly loss?: RankingLoss;
  /** For `softmax`: unclicked items of a list that are drawn for each batch. Defaults to `64`. */
  readonly negatives?: number;
  /**
   * How much the head `dwell`, ln(1 + seconds that a click was read), counts beside the ranking loss;
   * 0 goes without that head. Defaults to `0.1`, and to 0 where the data has no reading times.
   */
  readonly dwellLossWeight?: number;
  /** Weight of the head `dwell` in the score, which a profile's `headWeights` may override. Defaults to `0`. */
  readonly dwellWeight?: number;
  /**
   * Whether to learn how much the place in the shown list adds to an item's chance, and leave it out
   * of the ranker (examination bias). Only for data that knows the order shown. Defaults to `false`.
   */
  readonly positions?: boolean;
  /** Defaults to none. */
  readonly fairness?: FairnessOptions;
  /**
   * A bundle whose ranker is the teacher: the network also learns to match its scores, as far as
   * they differ within a list (Ba and Caruana 2014). What the teacher reads is replayed as well,
   * and the network reads its own features. A teacher that has learnt from this log's tail tells a
   * little of it, so that metrics of the tail flatter the student somewhat. Defaults to none.
   */
  readonly distillFrom?: string | Bundle;
  /** Share of the teacher in the loss, 0 to 1; clicks have the rest. Defaults to `0.5`. */
  readonly distillationWeight?: number;
  /** Defaults to none. */
  readonly pruning?: PruningOptions;
  /**
   * How the head `click_probability` (weight 0) comes from the score, fitted on the train part's
   * tail: `isotonic` (Zadrozny and Elkan 2002) or `platt` (Platt 1999). Defaults to `isotonic`.
   */
  readonly calibration?: Calibration;
  /** The highest of a schedule that warms up and then falls to 0. Defaults to `0.001`. */
  readonly learningRate?: number;
  /** Of AdamW. Defaults to `0.0001`. */
  readonly weightDecay?: number;
  /** Lists in a batch, 1 to 65,536. Defaults to `256`. */
  readonly batchLists?: number;
  /** Passes over the data at most, 1 to 1,000. Defaults to `20`. */
  readonly epochs?: number;
  /**
   * Passes without a better AUC on the tail after which training ends. Not watched with a fairness
   * regularizer, even of weight 0: it lowers what is watched. Defaults to `5`.
   */
  readonly patience?: number;
  /**
   * Share of the lists, the latest, that is held out: it ends the training in time, gives the
   * calibration and the reported metrics, and is then learnt from too, unless `refit` is false.
   * 0.01 to 0.5; defaults to `0.2`.
   */
  readonly tailShare?: number;
  /** Whether the ranker is trained anew on everything, for as many passes as were best. Defaults to `true`. */
  readonly refit?: boolean;
  /**
   * A folder that gets, after each pass of each network that is the best so far, its ranker as a
   * TorchScript file with a `model.json`, so that something is left of a training that ends early. It
   * must be empty or missing. Defaults to none.
   */
  readonly checkpoints?: string;
  /**
   * Whether the bundle also gets an item tower and a user tower, whose embedding space is named
   * `tower`; see {@link trainTwoTowers} for the options. Costs a second replay. Defaults to `false`.
   */
  readonly towers?: boolean | TowerOptions;
  /** Ends the training with `ABORTED` within some tens of milliseconds; nothing is written then. */
  readonly signal?: AbortSignal;
}

/** Names of the options that a wrong use of {@link TrainOptions} is told by. @internal */
export const trainArguments: readonly string[] = [
  'dataset',
  'data',
  'scenario',
  'malformed',
  'out',
  'split',
  'lagMs',
  'mode',
  'seed',
  'threads',
  'network.hidden',
  'network.members',
  'loss',
  'epochs',
  'fairness.group',
  'fairness.weight',
  'fairness.measure',
  'dwellWeight',
  'calibration',
  'distillFrom',
  'distillationWeight',
  'pruning.method',
  'pruning.keep',
];

/** With every default filled in. @internal */
export interface ResolvedTrainOptions {
  readonly out: string;
  readonly force: boolean;
  readonly split: string;
  readonly lagMs: number;
  readonly mode: 'rerank' | 'rank';
  readonly seed: number;
  readonly threads: number | undefined;
  readonly ranker: RankerOptions;
  readonly fairness: FairnessOptions | undefined;
  readonly distillFrom: string | Bundle | undefined;
  readonly towers: TowerOptions | undefined;
  readonly checkpoints: string | undefined;
  readonly signal: AbortSignal | undefined;
}

/** What a ranker is trained with; recorded in the bundle. @internal */
export interface RankerOptions {
  readonly hidden: readonly number[];
  readonly crossLayers: number;
  readonly dropout: number;
  readonly members: number;
  readonly loss: RankingLoss;
  readonly negatives: number;
  readonly dwellLossWeight: number;
  readonly dwellWeight: number;
  readonly positions: boolean;
  readonly calibration: Calibration;
  readonly learningRate: number;
  readonly weightDecay: number;
  readonly batchLists: number;
  readonly epochs: number;
  readonly patience: number;
  readonly tailShare: number;
  readonly refit: boolean;
  readonly distillationWeight: number;
  readonly pruning?: Required<PruningOptions>;
}

/** @throws {FeedrankError} `INVALID_ARGUMENT` @internal */
export function resolveTrainOptions(options: TrainOptions): ResolvedTrainOptions {
  checkObject(options, 'options');
  const { lagMs = 600_000, mode = 'rerank', seed = 1, fairness, signal } = options;
  if (!Number.isFinite(lagMs) || lagMs < 0) {
    throw invalidArgument('lagMs', 'milliseconds, at least 0', lagMs);
  }
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw invalidArgument('signal', 'an AbortSignal', signal);
  }
  return {
    out: checkPath(options.out, 'out'),
    force: checkFlag(options.force ?? false, 'force'),
    split: checkName(options.split ?? 'train', 'split'),
    lagMs,
    mode: checkChoice(mode, ['rerank', 'rank'], 'mode'),
    seed: checkInteger(seed, 'seed', 0, 2 ** 32 - 1),
    threads:
      options.threads === undefined ? undefined : checkInteger(options.threads, 'threads', 1, 256),
    ranker: resolveRankerOptions(options),
    fairness: fairness === undefined ? undefined : checkFairness(fairness),
    distillFrom: checkTeacher(options.distillFrom),
    towers: resolveTowers(options.towers ?? false),
    checkpoints:
      options.checkpoints === undefined ? undefined : checkPath(options.checkpoints, 'checkpoints'),
    signal,
  };
}

/** @internal */
export function resolveRankerOptions(
  options: Omit<TrainOptions, 'dataset' | 'out'>,
): RankerOptions {
  const network = checkObject(options.network ?? {}, 'network') as NetworkOptions;
  const hidden: readonly unknown[] = network.hidden ?? [128, 64];
  if (!Array.isArray(hidden) || hidden.length > 8) {
    throw invalidArgument('network.hidden', 'at most 8 widths', hidden);
  }
  return {
    hidden: hidden.map((width, i) => checkInteger(width, `network.hidden[${i}]`, 1, 4096)),
    crossLayers: checkInteger(network.crossLayers ?? 0, 'network.crossLayers', 0, 8),
    dropout: checkNumber(network.dropout ?? 0.3, 'network.dropout', 0, 0.9),
    members: checkInteger(network.members ?? 1, 'network.members', 1, 32),
    loss: checkChoice(options.loss ?? 'softmax', rankingLosses, 'loss'),
    negatives: checkInteger(options.negatives ?? 64, 'negatives', 1, 65_536),
    dwellLossWeight: checkNumber(options.dwellLossWeight ?? 0.1, 'dwellLossWeight', 0, 1000),
    dwellWeight: checkNumber(options.dwellWeight ?? 0, 'dwellWeight', -1000, 1000),
    positions: checkFlag(options.positions ?? false, 'positions'),
    calibration: checkChoice(options.calibration ?? 'isotonic', calibrations, 'calibration'),
    learningRate: checkPositive(options.learningRate ?? 0.001, 'learningRate'),
    weightDecay: checkNumber(options.weightDecay ?? 0.0001, 'weightDecay', 0, 100),
    batchLists: checkInteger(options.batchLists ?? 256, 'batchLists', 1, 65_536),
    epochs: checkInteger(options.epochs ?? 20, 'epochs', 1, 1000),
    patience: checkInteger(options.patience ?? 5, 'patience', 1, 1000),
    tailShare: checkNumber(options.tailShare ?? 0.2, 'tailShare', 0.01, 0.5),
    refit: checkFlag(options.refit ?? true, 'refit'),
    distillationWeight: checkNumber(options.distillationWeight ?? 0.5, 'distillationWeight', 0, 1),
    ...(options.pruning === undefined ? {} : { pruning: checkPruning(options.pruning) }),
  };
}

/** @throws {FeedrankError} `INVALID_ARGUMENT` @internal */
export function checkPruning(value: unknown): Required<PruningOptions> {
  const { method = 'structured', keep, epochs = 5 } = checkObject(value, 'pruning');
  const share = checkNumber(keep, 'pruning.keep', 0, 1);
  if (share === 0) throw invalidArgument('pruning.keep', 'a share over 0', keep);
  return {
    method: checkChoice(method, pruningMethods, 'pruning.method'),
    keep: share,
    epochs: checkInteger(epochs, 'pruning.epochs', 1, 1000),
  };
}

function checkTeacher(value: unknown): string | Bundle | undefined {
  if (value === undefined || value instanceof Bundle) return value;
  return checkPath(value, 'distillFrom');
}

function resolveTowers(value: unknown): TowerOptions | undefined {
  if (typeof value === 'boolean') return value ? {} : undefined;
  return checkObject(value, 'towers');
}

function checkFairness(value: unknown): FairnessOptions {
  const { group, weight, measure } = checkObject(value, 'fairness');
  return {
    group: checkName(group, 'fairness.group'),
    weight: checkNumber(weight, 'fairness.weight', 0, 1e6),
    ...(measure === undefined
      ? {}
      : { measure: checkChoice(measure, fairnessMeasures, 'fairness.measure') }),
  };
}

function checkChoice<T extends string>(value: unknown, choices: readonly T[], argument: string): T {
  const found = choices.find((choice) => choice === value);
  if (found === undefined) throw invalidArgument(argument, `one of ${choices.join(', ')}`, value);
  return found;
}
