import type { ItemId, UserId } from '../identity';
import type { CandidateBatch } from '../stages/candidate-batch';
import type { RankedCandidates, Ranker, StageContext } from '../stages/stage';

/**
 * Scores drawn evenly from [0, 1), the floor that every other ranker is held against. A score is a
 * hash of the seed, the reader, the time and the item, so that a replay repeats itself and a
 * candidate's score depends on no other candidate. Moves no metric; costs a hop into JavaScript.
 */
export class RandomRanker implements Ranker {
  readonly name = 'random';
  readonly failClosed = true;
  readonly #seed: number;

  /** @param seed any safe integer */
  constructor(seed: number) {
    this.#seed = hashInteger(hashInteger(0, seed | 0), Math.floor(seed / 2 ** 32));
  }

  rank(batch: CandidateBatch, context: StageContext): RankedCandidates {
    let state = hashId(this.#seed, context.userId);
    state = hashInteger(state, context.now | 0);
    state = hashInteger(state, Math.floor(context.now / 2 ** 32));
    const scores = Float64Array.from(batch.ids, (id) => (hashId(state, id) >>> 0) / 2 ** 32);
    return { scores };
  }
}

function hashId(state: number, id: ItemId | UserId | undefined): number {
  if (id === undefined) return hashInteger(state, 0);
  if (typeof id === 'number') {
    return hashInteger(hashInteger(state, id | 0), Math.floor(id / 2 ** 32));
  }
  let hash = state;
  for (let i = 0; i < id.length; i += 1) hash = hashInteger(hash, id.charCodeAt(i));
  return hash;
}

/** Mixes 32 more bits into a state with the finaliser of MurmurHash3 (Appleby 2011). */
function hashInteger(state: number, value: number): number {
  let hash = (state ^ value) + 0x9e3779b9;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
