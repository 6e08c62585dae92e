import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import type * as Statistics from 'simple-statistics';

/** A mean and its bootstrap percentile interval. */
export interface MeanInterval {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

export interface BootstrapOptions {
  /** How many times the rows are drawn anew. Defaults to `1000`. */
  readonly resamples?: number;
  /** Seed of the draws. Defaults to `1`. */
  readonly seed?: number;
  /** Share of the resampled means that the interval holds. Defaults to `0.95`. */
  readonly confidence?: number;
}

/**
 * Means of several columns over the same rows, and the same means over rows drawn with
 * replacement (Efron 1979). All columns share the draws, so that differences between columns are
 * resampled as pairs.
 */
export class Bootstrap {
  /** One a column; NaN where no row takes part. */
  readonly means: readonly number[];
  readonly #resampled: readonly Float64Array[];
  readonly #confidence: number;

  /** @param columns of equal length; a row that takes no part in a column holds NaN there */
  constructor(columns: readonly Float64Array[], options: BootstrapOptions = {}) {
    const resamples = options.resamples ?? 1000;
    this.#confidence = options.confidence ?? 0.95;
    const rows = columns[0]?.length ?? 0;
    const table = interleave(columns, rows);
    const everyRow = Uint32Array.from({ length: rows }, (_, row) => row);
    this.means = meansOf(table, columns.length, everyRow);

    const random = xoroshiro128plus(options.seed ?? 1);
    const drawn = new Uint32Array(rows);
    const resampled = columns.map(() => new Float64Array(resamples));
    for (let resample = 0; resample < resamples; resample += 1) {
      for (let i = 0; i < rows; i += 1) drawn[i] = uniformInt(random, 0, rows - 1);
      const means = meansOf(table, columns.length, drawn);
      resampled.forEach((column, index) => (column[resample] = means[index] as number));
    }
    this.#resampled = resampled;
  }

  /** The mean of a column with its percentile interval. */
  interval(column: number): MeanInterval {
    return this.#interval(this.means[column] as number, this.#column(column));
  }

  /** The mean of one column minus that of another, with its percentile interval. */
  difference(column: number, minus: number): MeanInterval {
    const other = this.#column(minus);
    return this.#interval(
      (this.means[column] as number) - (this.means[minus] as number),
      this.#column(column).map((mean, index) => mean - (other[index] as number)),
    );
  }

  /**
   * The mean of one column divided by that of another over the same rows, with its percentile
   * interval: a weighted mean, where one column is the weights and the other weights × values.
   */
  ratio(column: number, by: number): MeanInterval {
    const other = this.#column(by);
    return this.#interval(
      (this.means[column] as number) / (this.means[by] as number),
      this.#column(column).map((mean, index) => mean / (other[index] as number)),
    );
  }

  /** What the columns' means make together, with its percentile interval. */
  statistic(of: (means: readonly number[]) => number): MeanInterval {
    const resampled = Float64Array.from(this.#column(0), (_, resample) =>
      of(this.#resampled.map((column) => column[resample] as number)),
    );
    return this.#interval(of(this.means), resampled);
  }

  #column(index: number): Float64Array {
    return this.#resampled[index] as Float64Array;
  }

  #interval(mean: number, resampled: Float64Array): MeanInterval {
    // A resample may miss every row of a rare group; it says nothing about that group then.
    const sorted = [...resampled.filter((value) => !Number.isNaN(value)).sort()];
    if (sorted.length === 0) return { mean, low: mean, high: mean };
    const tail = (1 - this.#confidence) / 2;
    const { quantileSorted } = statistics();
    return { mean, low: quantileSorted(sorted, tail), high: quantileSorted(sorted, 1 - tail) };
  }
}

/** Loaded when the first interval is asked for: every worker_thread pays for what it loads. */
function statistics(): typeof Statistics {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- An import could not wait.
  return require('simple-statistics') as typeof Statistics;
}

/** Row after row, because a draw reads all columns of one row. */
function interleave(columns: readonly Float64Array[], rows: number): Float64Array {
  const table = new Float64Array(rows * columns.length);
  columns.forEach((column, index) => {
    for (let row = 0; row < rows; row += 1) {
      table[row * columns.length + index] = column[row] as number;
    }
  });
  return table;
}

function meansOf(table: Float64Array, width: number, rows: Uint32Array): number[] {
  const sums = new Float64Array(width);
  const counts = new Uint32Array(width);
  for (let i = 0; i < rows.length; i += 1) {
    const start = (rows[i] as number) * width;
    for (let column = 0; column < width; column += 1) {
      const value = table[start + column] as number;
      if (value !== value) continue;
      sums[column] = (sums[column] as number) + value;
      counts[column] = (counts[column] as number) + 1;
    }
  }
  return Array.from(sums, (sum, column) => sum / (counts[column] as number));
}
