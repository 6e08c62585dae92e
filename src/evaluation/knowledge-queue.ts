import type { FeedEvent } from '../feed/event';

interface Entry {
  readonly at: number;
  /** Breaks ties, so that events of one time keep the order in which they were added. */
  readonly sequence: number;
  readonly events: readonly FeedEvent[];
}

/**
 * Events that have happened but are not known yet, in the order in which they become known: a
 * binary heap by the time of the event, because the end of a long read is added long before it
 * comes.
 */
export class KnowledgeQueue {
  readonly #heap: Entry[] = [];
  #sequence = 0;

  /** Adds events of one time, in epoch milliseconds. */
  add(at: number, events: readonly FeedEvent[]): void {
    const heap = this.#heap;
    const entry = { at, sequence: this.#sequence, events };
    this.#sequence += 1;
    let hole = heap.length;
    heap.push(entry);
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      if (!isBefore(entry, heap[parent] as Entry)) break;
      heap[hole] = heap[parent] as Entry;
      hole = parent;
    }
    heap[hole] = entry;
  }

  /** Takes out what happened at or before `at`, oldest first. */
  takeUpTo(at: number): FeedEvent[] {
    const taken: FeedEvent[] = [];
    let next = this.#heap[0];
    while (next !== undefined && next.at <= at) {
      taken.push(...next.events);
      this.#removeFirst();
      next = this.#heap[0];
    }
    return taken;
  }

  #removeFirst(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let hole = 0;
    for (;;) {
      let child = 2 * hole + 1;
      if (child >= heap.length) break;
      const right = heap[child + 1];
      if (right !== undefined && isBefore(right, heap[child] as Entry)) child += 1;
      if (!isBefore(heap[child] as Entry, last)) break;
      heap[hole] = heap[child] as Entry;
      hole = child;
    }
    heap[hole] = last;
  }
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.at === b.at ? a.sequence < b.sequence : a.at < b.at;
}
