import type { TwoTowerProgress } from './two-tower-options';

/** How a network is doing; told at the end of each pass over the data. */
export interface EpochProgress {
  readonly phase: 'train';
  /** `held-out`: without the tail, to see how many passes are best. `refit`: on everything. */
  readonly stage: 'held-out' | 'refit';
  /** Which of the networks, 1 for the first. */
  readonly member: number;
  readonly members: number;
  /** Passes done. */
  readonly epoch: number;
  readonly epochs: number;
  /** Mean ranking loss of the pass, with dropout. */
  readonly loss: number;
  /** Mean penalty of the fairness regularizer, before its weight; there only with one. */
  readonly penalty?: number;
  /** Of the tail; there only while it is held out. */
  readonly metrics?: { readonly auc: number; readonly ndcg10: number };
  /** Rows that were learnt from a second. */
  readonly examplesPerSecond: number;
}

/** What a training is doing. */
export type TrainingProgress =
  | {
      /** The log is replayed to gather what a ranker would have seen. */
      readonly phase: 'replay';
      /** Impressions, out of `total`. */
      readonly done: number;
      readonly total: number;
    }
  | EpochProgress
  | ({
      /** The two towers learn, once the ranker has. */
      readonly phase: 'towers';
    } & TwoTowerProgress);

/**
 * A training that runs. Iterate over it to watch, and await `result`; it goes on whether anybody
 * watches or not. Everyone who iterates sees everything from the beginning.
 */
export class Training<Result> implements AsyncIterable<TrainingProgress> {
  /** Rejects as the function that started the training says. */
  readonly result: Promise<Result>;
  readonly #told: TrainingProgress[] = [];
  #ended = false;
  #wake: () => void = () => undefined;
  #changed: Promise<void> = Promise.resolve();

  private constructor(run: (tell: (progress: TrainingProgress) => void) => Promise<Result>) {
    this.#renew();
    this.result = run((progress) => this.#tell(progress)).finally(() => {
      this.#ended = true;
      this.#renew();
    });
    // Whoever iterates learns of a failure there; it must not end the process as well.
    this.result.catch(() => undefined);
  }

  /** @internal */
  static start<Result>(
    run: (tell: (progress: TrainingProgress) => void) => Promise<Result>,
  ): Training<Result> {
    return new Training(run);
  }

  /** Ends when the training does. @throws {FeedrankError} what `result` rejects with */
  async *[Symbol.asyncIterator](): AsyncGenerator<TrainingProgress, void, undefined> {
    for (let next = 0; ;) {
      const changed = this.#changed;
      while (next < this.#told.length) yield this.#told[next++]!;
      if (next < this.#told.length) continue;
      if (this.#ended) break;
      await changed;
    }
    await this.result;
  }

  #tell(progress: TrainingProgress): void {
    this.#told.push(progress);
    this.#renew();
  }

  /** Wakes who waits, and lets them wait anew. */
  #renew(): void {
    this.#wake();
    this.#changed = new Promise((resolve) => (this.#wake = resolve));
  }
}
