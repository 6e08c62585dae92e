/** Numerical Recipes' generator: the same stream here and in `make_torchscript_fixture.py`. */
export class Lcg {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A whole number below 2³². */
  next(): number {
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) >>> 0;
    return this.#state;
  }

  /** In [−1, 1), a multiple of 2⁻²³, so exact as a float32. */
  signed(): number {
    return (this.next() >>> 8) / 2 ** 23 - 1;
  }

  below(bound: number): number {
    return Math.floor((this.next() / 2 ** 32) * bound);
  }

  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)]!;
  }

  floats(count: number): Float32Array {
    return Float32Array.from({ length: count }, () => this.signed());
  }

  /** A shuffled copy (Fisher–Yates). */
  shuffled<T>(values: readonly T[]): T[] {
    const copy = [...values];
    for (let i = copy.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      [copy[i], copy[j]] = [copy[j]!, copy[i]!];
    }
    return copy;
  }
}
