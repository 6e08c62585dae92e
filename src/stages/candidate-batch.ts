import type { ItemId } from '../identity';

/**
 * The candidates of one request as a stage written in TypeScript sees them: a struct of arrays,
 * copied out of the native core. Position i of each array is candidate i.
 */
export interface CandidateBatch {
  readonly size: number;
  readonly ids: readonly ItemId[];
  /** Epoch milliseconds. */
  readonly publishTimes: Float64Array;
  readonly authors: readonly (string | undefined)[];
  readonly topics: readonly (readonly string[])[];
  /** By name, the catalog's columns: one value a candidate, NaN where it has none. */
  readonly columns: Readonly<Record<string, Float64Array>>;
  /** By name, the catalog's labels: one value a candidate. */
  readonly labels: Readonly<Record<string, readonly (string | undefined)[]>>;
  readonly generators: readonly string[];
  /** [candidate × generator]; NaN where the generator did not find the candidate. */
  readonly sourceScores: Float64Array;
  /** Names of the feature columns; empty before the enrichers have run. */
  readonly featureNames: readonly string[];
  /** [candidate × feature], row-major. */
  readonly features: Float32Array;
  /** One a candidate; empty before the ranker has run. */
  readonly scores: Float64Array;
}
