import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';

/**
 * Draws that one seed and one name determine. Parts of a world that draw from streams of their own
 * do not disturb each other when one of them changes.
 */
export class RandomStream {
  readonly #generator: RandomGenerator;

  /** @param seed any safe integer */
  constructor(seed: number, name: string) {
    let hash = Math.imul(seed | 0, 0x9e3779b1) ^ Math.floor(seed / 2 ** 32);
    for (const character of name) {
      hash = Math.imul(hash ^ (character.codePointAt(0) as number), 0x01000193);
    }
    this.#generator = xoroshiro128plus(hash);
    // Seeds that lie close together give alike first draws.
    for (let i = 0; i < 32; i += 1) this.#generator.next();
  }

  /** Evenly from [0, 1). */
  uniform(): number {
    return uniformFloat64(this.#generator);
  }

  /** Evenly from the whole numbers below `end`. */
  integer(end: number): number {
    return uniformInt(this.#generator, 0, end - 1);
  }

  /** From the standard normal distribution (Box and Muller 1958). */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }

  /** From the exponential distribution with this mean. */
  exponential(mean: number): number {
    return -mean * Math.log(1 - this.uniform());
  }

  pick<T>(values: readonly T[]): T {
    return values[this.integer(values.length)] as T;
  }

  /** A vector in an even direction, of expected length 1. */
  direction(dimensions: number): number[] {
    return Array.from({ length: dimensions }, () => this.normal() / Math.sqrt(dimensions));
  }
}
