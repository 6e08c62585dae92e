import { invalidArgument } from './errors';

/** An instant: epoch milliseconds, or a `Date`. */
export type Instant = number | Date;

const latestInstant = 253_402_300_799_999;

/** Whether a value is epoch milliseconds within the years that are taken. @internal */
export function isInstant(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= latestInstant;
}

/**
 * Epoch milliseconds of an instant between the years 1970 and 9999, cut to whole milliseconds.
 * @internal
 */
export function toMilliseconds(instant: unknown, argument: string): number {
  const value = instant instanceof Date ? instant.getTime() : instant;
  if (!isInstant(value)) {
    throw invalidArgument(
      argument,
      'epoch milliseconds or a Date between the years 1970 and 9999',
      instant,
    );
  }
  return Math.trunc(value);
}
