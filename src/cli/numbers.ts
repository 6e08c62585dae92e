import { InvalidArgumentError } from 'commander';

/** A number of the command line. */
export function toNumber(value: string): number {
  const number = value.trim() === '' ? NaN : Number(value);
  if (Number.isNaN(number)) throw new InvalidArgumentError('expected a number.');
  return number;
}
