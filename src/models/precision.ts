import { invalidArgument } from '../errors';

/**
 * What the linear layers of a ranking model multiply in. Features, sums and scores are float32 in
 * each. `bfloat16` rounds what is multiplied to 8 significant bits, for speed. `int8` rounds weights
 * to 8 bits over as far as those of their output reach, and inputs to 8 bits over as far as those of
 * their row reach.
 */
export type Precision = 'float32' | 'bfloat16' | 'int8';

const precisions: readonly unknown[] = ['float32', 'bfloat16', 'int8'];

/** @internal */
export function checkPrecision(value: unknown): void {
  if (precisions.includes(value)) return;
  throw invalidArgument('precision', "'float32', 'bfloat16' or 'int8'", value);
}
