import { createHash } from 'node:crypto';

import type { DatasetImpression } from '../data/dataset';

/** Tells whether two rankers learnt from the same thing. */
export interface Fingerprint {
  readonly dataset: string;
  readonly split: string;
  /** Lists that were learnt from. */
  readonly lists: number;
  readonly rows: number;
  /** Time of the first and the last list, in epoch milliseconds. */
  readonly from: number;
  readonly to: number;
  /**
   * SHA-256, in hexadecimal, of the lists in order: times, readers, items, clicks, reading times, groups
   * and feature values.
   */
  readonly sha256: string;
}

/** Gathers a {@link Fingerprint}, list by list. */
export class DataFingerprint {
  readonly #hash = createHash('sha256');
  #rows = 0;
  #from = 0;
  #to = 0;

  constructor(
    private readonly dataset: string,
    private readonly split: string,
  ) {}

  add(impression: DatasetImpression, values: Float32Array, groups: Uint8Array): void {
    const { at, userId, itemIds, clickedIds, outcome } = impression;
    if (this.#rows === 0) this.#from = at;
    this.#to = at;
    this.#rows += itemIds.length;
    this.#hash.update(JSON.stringify([at, userId, itemIds, clickedIds, outcome?.dwellMs]));
    this.#hash.update(groups);
    this.#hash.update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }

  digest(lists: number): Fingerprint {
    return {
      dataset: this.dataset,
      split: this.split,
      lists,
      rows: this.#rows,
      from: this.#from,
      to: this.#to,
      sha256: this.#hash.digest('hex'),
    };
  }
}
