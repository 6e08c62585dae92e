import { splitsUpTo } from '../data/dataset';
import type { Dataset } from '../data/dataset';
import type { DatasetSource } from '../data/open-dataset';
import { FeedrankError, invalidArgument } from '../errors';
import { toMilliseconds } from '../instant';
import type { Instant } from '../instant';
import type { Ranker } from '../stages/stage';

/**
 * How a list is ordered: `rerank` orders exactly the items that were in view. `rank` runs the
 * pipeline on the catalog (trending, fresh and, where there are embeddings, decayed-dot generators,
 * 500 candidates, no filters) and compares the items in view as they stand in its slate; those that
 * it did not find come last, tied.
 */
export type EvaluationMode = 'rerank' | 'rank';

/** What to evaluate on what. */
export interface EvaluateOptions extends Omit<DatasetSource, 'dataset'> {
  /** The name of a dataset, or one that has been opened. */
  readonly dataset: string | Dataset;
  /** The part of the log that is measured. Defaults to `validation`. */
  readonly split?: string;
  /** First instant that is measured; ISO 8601, UTC where it has no zone. Defaults to the start. */
  readonly from?: string | Instant;
  /** First instant that is no longer measured. Defaults to the end. */
  readonly to?: string | Instant;
  /** How old an event is when it becomes known, in milliseconds. Defaults to `600000`. */
  readonly lagMs?: number;
  /** Defaults to `rerank`. */
  readonly mode?: EvaluationMode;
  /**
   * `random`, `fresh`, `popularity` (clicks decayed with a half-life of 12 h), `decayed-dot`, the
   * folder of a bundle, the path of a TorchScript file (`.pt`) that lies beside its `model.json`, or a
   * ranker of your own. A file is inspected, but nothing vouches for it as a bundle's manifest does.
   */
  readonly ranker: string | Ranker;
  /** Item labels and user slices to compare. Defaults to none. */
  readonly groups?: readonly string[];
  /** Seed of the random ranker and of a simulated world. Defaults to `1`. */
  readonly seed?: number;
  /** Called after each impression that was replayed. */
  readonly onProgress?: (impressions: number, total: number) => void;
}

/** Names of the options that a wrong use of {@link EvaluateOptions} is told by. */
export const evaluateArguments: readonly string[] = [
  'dataset',
  'data',
  'seed',
  'scenario',
  'malformed',
  'split',
  'from',
  'to',
  'lagMs',
  'mode',
  'ranker',
  'groups',
];

/** What does not depend on the dataset, checked and with every default filled in. */
export interface ResolvedOptions {
  readonly split: string;
  /** Epoch milliseconds; −∞ for the start. */
  readonly from: number;
  /** Epoch milliseconds; ∞ for the end. */
  readonly to: number;
  readonly lagMs: number;
  readonly mode: EvaluationMode;
  readonly groups: readonly string[];
  readonly seed: number;
}

/** @throws {FeedrankError} `INVALID_ARGUMENT` */
export function resolveOptions(options: EvaluateOptions): ResolvedOptions {
  const { split = 'validation', lagMs = 600_000, mode = 'rerank', groups = [], seed = 1 } = options;
  const from = options.from === undefined ? -Infinity : toInstant(options.from, 'from');
  const to = options.to === undefined ? Infinity : toInstant(options.to, 'to');
  if (from >= to) throw invalidArgument('to', 'an instant after from', options.to);
  if (typeof split !== 'string') throw invalidArgument('split', 'the name of a split', split);
  if (!Number.isFinite(lagMs) || lagMs < 0) {
    throw invalidArgument('lagMs', 'milliseconds, at least 0', lagMs);
  }
  if (mode !== 'rerank' && mode !== 'rank') throw invalidArgument('mode', 'rerank or rank', mode);
  if (!Number.isSafeInteger(seed)) throw invalidArgument('seed', 'a safe integer', seed);
  if (!Array.isArray(groups) || !groups.every((name) => typeof name === 'string')) {
    throw invalidArgument('groups', 'an array of names', groups);
  }
  return { split, from, to, lagMs, mode, groups: [...new Set<string>(groups)], seed };
}

/** @throws {FeedrankError} `INVALID_ARGUMENT` where the dataset lacks what the options name. */
export function checkAgainst(dataset: Dataset, { split, groups }: ResolvedOptions): void {
  splitsUpTo(dataset, split);
  const known = [...dataset.labels, ...dataset.userSlices];
  const unknown = groups.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new FeedrankError(
      'INVALID_ARGUMENT',
      `groups: dataset ${dataset.name} has no group ${JSON.stringify(unknown)}, ` +
        `only ${known.join(', ') || 'none'}`,
      'groups',
    );
  }
}

const isoDate = /^\d{4}-\d{2}-\d{2}$/;
const isoTime = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?$/;

function toInstant(value: string | Instant, argument: string): number {
  if (typeof value !== 'string') return toMilliseconds(value, argument);
  const match = isoTime.exec(value);
  const withZone = match && match[3] === undefined ? `${value}Z` : value;
  const at = match || isoDate.test(value) ? Date.parse(withZone) : NaN;
  if (Number.isNaN(at)) {
    throw invalidArgument(argument, 'an ISO 8601 date or time, such as 2023-05-25T07:00Z', value);
  }
  return at;
}
