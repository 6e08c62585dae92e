import { invalidArgument } from '../errors';
import {
  checkFlag,
  checkInteger,
  checkName,
  checkNumber,
  checkObject,
  checkPositive,
} from '../validation';
import type { TowerExampleOptions } from './two-tower-examples';

/** What a training has done so far. */
export interface TwoTowerProgress {
  /** From 1. */
  readonly epoch: number;
  /** Of the epoch, from 1. */
  readonly batch: number;
  readonly batches: number;
  /** Mean loss of the epoch so far. */
  readonly loss: number;
  /** Mean loss of the clicks that validate; told at the end of an epoch, where there are any. */
  readonly validationLoss?: number;
  readonly examplesPerSecond: number;
}

/** Options of {@link trainTwoTowers}. */
export interface TwoTowerTrainingOptions extends TowerExampleOptions {
  /** Name of the embedding space. Defaults to `tower`. */
  readonly space?: string;
  /** Version of the embedding space. Defaults to `1`. */
  readonly version?: string;
  /** Of the vectors, 1 to 4096. Defaults to `64`. */
  readonly dimensions?: number;
  /** Width of each tower's hidden layer, 1 to 4096. Defaults to `128`. */
  readonly hidden?: number;
  /** Most passes over the clicks, 1 to 1000. Defaults to `20`. */
  readonly epochs?: number;
  /** Clicks a step, each the others' sampled negatives, 2 to 4096. Defaults to `256`. */
  readonly batchSize?: number;
  /** Of the dense parameters (Adam, Kingma and Ba 2015). Defaults to `0.001`. */
  readonly learningRate?: number;
  /** Of the hashed embeddings (Adagrad, Duchi et al. 2011). Defaults to `0.05`. */
  readonly embeddingLearningRate?: number;
  /** Rows of the hashed embedding of ids, 2 to 2²⁴. Defaults to `32768`. */
  readonly idBuckets?: number;
  /** Rows of the hashed embedding of authors, labels and topics, 2 to 2²⁴. Defaults to `4096`. */
  readonly categoryBuckets?: number;
  /** Of an item's topics, the first ones that are read, 0 to 64. Defaults to `8`. */
  readonly topics?: number;
  /**
   * Share of a step's items that are seen without their id, 0 to 1, so that a new item's attributes
   * suffice. Defaults to `0.3`.
   */
  readonly idDropout?: number;
  /** Whether vectors have length 1. Defaults to `true`. */
  readonly unitVectors?: boolean;
  /** What dots of unit vectors are divided by, above 0. Defaults to `0.1`. */
  readonly temperature?: number;
  /**
   * τ of exp(−age/τ) by which a dot is multiplied in training as it will be in retrieval, in
   * milliseconds; `Infinity` for none. Defaults to `Infinity`.
   */
  readonly tauMs?: number;
  /** Share of the clicks, the latest, that validate, 0 to 0.9. Defaults to `0.15`. */
  readonly validationShare?: number;
  /** Epochs without a better validation loss after which training ends. Defaults to `3`. */
  readonly patience?: number;
  /**
   * Whether, once the best number of epochs is known, the towers are trained anew for as many on all
   * clicks, the latest too. Doubles the time. Defaults to `true`.
   */
  readonly refit?: boolean;
  /** A whole number from 0 to 2⁵³ − 1; one seed gives the same bytes. Defaults to `1`. */
  readonly seed?: number;
  readonly onProgress?: (progress: TwoTowerProgress) => void;
}

/** The options of one fit, checked and complete. @internal */
export type TwoTowerSettings = Required<
  Omit<
    TwoTowerTrainingOptions,
    'dataset' | 'split' | 'to' | 'lagMs' | 'poolMs' | 'signal' | 'onProgress'
  >
>;

/** @throws {FeedrankError} `INVALID_ARGUMENT` @internal */
export function checkTwoTowerOptions(options: TwoTowerTrainingOptions): TwoTowerSettings {
  checkObject(options, 'options');
  checkObject(options.dataset, 'dataset');
  const whole = (
    name: keyof TwoTowerTrainingOptions,
    lowest: number,
    highest: number,
    usual: number,
  ) => checkInteger(options[name] ?? usual, name, lowest, highest);
  const share = (name: keyof TwoTowerTrainingOptions, highest: number, usual: number) =>
    checkNumber(options[name] ?? usual, name, 0, highest);
  const space = checkName(options.space ?? 'tower', 'space');
  if (Object.hasOwn(options.dataset.spaces, space)) {
    throw invalidArgument('space', "a name that none of the dataset's own spaces has", space);
  }
  const context: unknown = options.context ?? [];
  if (!Array.isArray(context)) throw invalidArgument('context', 'an array of keys', context);
  return {
    space,
    version: checkName(options.version ?? '1', 'version'),
    context: context.map((key, i) => checkName(key, `context[${i}]`)),
    dimensions: whole('dimensions', 1, 4096, 64),
    hidden: whole('hidden', 1, 4096, 128),
    maxReads: whole('maxReads', 1, 1024, 20),
    epochs: whole('epochs', 1, 1000, 20),
    batchSize: whole('batchSize', 2, 4096, 256),
    learningRate: checkPositive(options.learningRate ?? 0.001, 'learningRate'),
    embeddingLearningRate: checkPositive(
      options.embeddingLearningRate ?? 0.05,
      'embeddingLearningRate',
    ),
    idBuckets: whole('idBuckets', 2, 2 ** 24, 32_768),
    categoryBuckets: whole('categoryBuckets', 2, 2 ** 24, 4096),
    topics: whole('topics', 0, 64, 8),
    idDropout: share('idDropout', 1, 0.3),
    unitVectors: checkFlag(options.unitVectors ?? true, 'unitVectors'),
    temperature: checkPositive(options.temperature ?? 0.1, 'temperature'),
    tauMs: checkPositive(options.tauMs ?? Infinity, 'tauMs', true),
    validationShare: share('validationShare', 0.9, 0.15),
    patience: whole('patience', 1, 1000, 3),
    refit: checkFlag(options.refit ?? true, 'refit'),
    seed: whole('seed', 0, Number.MAX_SAFE_INTEGER, 1),
  };
}
