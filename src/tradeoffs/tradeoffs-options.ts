import type { Dataset } from '../data/dataset';
import type { DatasetSource } from '../data/open-dataset';
import { invalidArgument } from '../errors';
import {
  checkFlag,
  checkInteger,
  checkName,
  checkNumber,
  checkObject,
  checkPath,
} from '../validation';

/** Options of {@link measureTradeoffs}. */
export interface TradeoffsOptions extends Omit<DatasetSource, 'dataset' | 'seed'> {
  /** The name of a dataset, or one that has been opened. */
  readonly dataset: string | Dataset;
  /**
   * Folder of the report: `report.html`, `report.json`, and the rankers under `bundles`. One that a
   * run with the same options has begun is gone on with.
   */
  readonly out: string;
  /** Whether what is in `out` is thrown away first, if it is a report or a begun one. Defaults to `false`. */
  readonly force?: boolean;
  /** The part of the log that is measured; what is before it is learnt from. Defaults to `validation`. */
  readonly split?: string;
  /** How old an event is when it becomes known, in milliseconds. Defaults to `600000`. */
  readonly lagMs?: number;
  /** Of all that is random, and of a simulated world; 0 to 2³² − 1. Defaults to `1`. */
  readonly seed?: number;
  /**
   * The item label or user slice whose fairness is traded against quality. All of them are compared
   * in every row. Defaults to the dataset's first label, or else its first slice.
   */
  readonly group?: string;
  /** Ends the run with `ABORTED`; what is done is kept for the next one. */
  readonly signal?: AbortSignal;
  /** Told how far it is, 0 to 1, and what is being done. */
  readonly onProgress?: (done: number, what: string) => void;
}

/** How much is measured; less says less, and sooner. @internal */
export interface TradeoffsEffort {
  /** Requests of each number of candidates that each ranker answers. */
  readonly rounds: number;
  /** Readers are drawn so that about as many lists are given to each setting of the pipeline. */
  readonly pipelineLists: number;
  /** Of each load. */
  readonly loadSeconds: number;
  /** Passes over the data at most, where a member says nothing else. */
  readonly epochs: number;
}

/** What a report is made with. @internal */
export const wholeEffort: TradeoffsEffort = {
  rounds: 60,
  pipelineLists: 500,
  loadSeconds: 1.5,
  epochs: 20,
};

/** Names of the options that a wrong use of {@link TradeoffsOptions} is told by. @internal */
export const tradeoffsArguments: readonly string[] = [
  'dataset',
  'data',
  'scenario',
  'malformed',
  'out',
  'split',
  'lagMs',
  'seed',
  'group',
];

/** With every default that needs no dataset filled in. @internal */
export interface ResolvedTradeoffsOptions {
  readonly out: string;
  readonly force: boolean;
  readonly split: string;
  readonly lagMs: number;
  readonly seed: number;
  readonly group: string | undefined;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: (done: number, what: string) => void;
}

/** @throws {FeedrankError} `INVALID_ARGUMENT` @internal */
export function resolveTradeoffsOptions(options: TradeoffsOptions): ResolvedTradeoffsOptions {
  checkObject(options, 'options');
  const { signal, onProgress = () => undefined } = options;
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw invalidArgument('signal', 'an AbortSignal', signal);
  }
  return {
    out: checkPath(options.out, 'out'),
    force: checkFlag(options.force ?? false, 'force'),
    split: checkName(options.split ?? 'validation', 'split'),
    lagMs: checkNumber(options.lagMs ?? 600_000, 'lagMs', 0, Number.MAX_SAFE_INTEGER),
    seed: checkInteger(options.seed ?? 1, 'seed', 0, 2 ** 32 - 1),
    group: options.group === undefined ? undefined : checkName(options.group, 'group'),
    signal,
    onProgress,
  };
}
