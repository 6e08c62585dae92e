import { invalidArgument } from '../errors';

/**
 * What the linear layers of a ranking model multiply in. Features, sums and scores are float32 in
 * both; `bfloat16` rounds what is multiplied to 8 significant bits, for speed.
 */
export type Precision = 'float32' | 'bfloat16';

/** @internal */
export function checkPrecision(value: unknown): void {
  if (value === 'float32' || value === 'bfloat16') return;
  throw invalidArgument('precision', "'float32' or 'bfloat16'", value);
}
