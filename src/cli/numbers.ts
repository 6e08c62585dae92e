import { InvalidArgumentError } from 'commander';

/** A number of the command line. */
export function toNumber(value: string): number {
  const number = value.trim() === '' ? NaN : Number(value);
  if (Number.isNaN(number)) throw new InvalidArgumentError('expected a number.');
  return number;
}

/** Numbers of the command line, between commas. */
export function toNumbers(text: string): number[] {
  return text.split(',').map((part) => toNumber(part.trim()));
}
