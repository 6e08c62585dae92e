import type { Dataset, DatasetImpression, HistoryRead } from '../data/dataset';
import type { FeedEvent } from '../feed/event';
import type { ItemId, UserId } from '../identity';
import type { Stock } from './stock';

/** A read that began this soon after a click on the same item is the read that the click began. */
const sameReadMs = 3_600_000;

/** A read, and when it began; `undefined` where the history has no times. */
interface Read {
  readonly began: number | undefined;
  readonly event: Omit<FeedEvent, 'at'>;
  /** When it ended: the time of the event. */
  readonly at: number;
}

/**
 * What readers read beside the log, given out as it becomes known. A read is known when it has
 * ended and is as old as the lag; one without a time is known from the start of the split whose
 * history it is of. A read of an item that the catalog does not hold waits until it does.
 */
export class ReadHistory {
  readonly #lagMs: number;
  /** With times: by the end of the read, the next one to give out at `#next`. */
  readonly #timed: readonly Read[];
  #next = 0;
  /** Without times, by split; taken out when the split begins. */
  readonly #untimed: Map<string, readonly Omit<Read, 'at'>[]>;
  readonly #waiting = new Map<ItemId, Read[]>();
  readonly #clicks = new Map<UserId, Map<ItemId, number>>();

  private constructor(
    lagMs: number,
    timed: readonly Read[],
    untimed: Map<string, readonly Omit<Read, 'at'>[]>,
  ) {
    this.#lagMs = lagMs;
    this.#timed = timed;
    this.#untimed = untimed;
  }

  /** Reads the histories of these splits; a later one may repeat what an earlier one holds. */
  static async load(
    dataset: Dataset,
    splits: Dataset['splits'],
    lagMs: number,
  ): Promise<ReadHistory> {
    const timed = new Map<UserId, HistoryRead[]>();
    const untimed = new Map<string, Omit<Read, 'at'>[]>();
    const known = new Map<UserId, Set<ItemId>>();
    for (const { name } of splits) {
      const ofSplit: Omit<Read, 'at'>[] = [];
      for await (const { userId, reads } of dataset.history?.(name) ?? []) {
        const own = ofUser(timed, userId, () => []);
        const items = ofUser(known, userId, () => new Set<ItemId>());
        for (const read of reads) {
          if (read.at !== undefined) own.push(read);
          else if (!items.has(read.itemId)) ofSplit.push(toEvent(userId, read));
          items.add(read.itemId);
        }
      }
      untimed.set(name, ofSplit);
    }
    const reads = [...timed].flatMap(([userId, own]) =>
      distinct(own).map((read) => toRead(userId, read)),
    );
    return new ReadHistory(
      lagMs,
      reads.sort((a, b) => a.at - b.at),
      untimed,
    );
  }

  /** Keeps what an impression's clicks begin, so that the same reads are not given out again. */
  addClicks({ userId, clickedIds, at }: DatasetImpression): void {
    if (this.#timed.length === 0 && this.#untimed.size === 0) return;
    const own = ofUser(this.#clicks, userId, () => new Map<ItemId, number>());
    for (const id of clickedIds) own.set(id, at);
  }

  /**
   * Takes out what is known at `now` and has not been given out, oldest first.
   * @param stock what the catalog holds at `now`
   * @param entered what has entered it since the call before
   * @param split that of the impression which is about to be answered
   */
  takeUpTo(
    now: number,
    stock: Stock,
    entered: readonly { readonly id: ItemId }[],
    split: string,
  ): FeedEvent[] {
    const known = now - this.#lagMs;
    const taken = entered.flatMap(({ id }) => this.#waiting.get(id) ?? []);
    for (const { id } of entered) this.#waiting.delete(id);
    taken.sort((a, b) => a.at - b.at);

    const untimed = this.#untimed.get(split) ?? [];
    this.#untimed.delete(split);
    const due: Read[] = untimed.map((read) => ({ ...read, at: Math.max(0, known) }));
    for (let read = this.#timed[this.#next]; read && read.at <= known;) {
      due.push(read);
      this.#next += 1;
      read = this.#timed[this.#next];
    }
    for (const read of due) {
      if (this.#isClick(read)) continue;
      if (stock.has(read.event.itemId)) taken.push(read);
      else ofUser(this.#waiting, read.event.itemId, () => []).push(read);
    }
    return taken.map(({ event, at }) => ({ ...event, at }));
  }

  #isClick({ event, began }: Read): boolean {
    const clicked = this.#clicks.get(event.userId)?.get(event.itemId);
    if (clicked === undefined) return false;
    return began === undefined || (began >= clicked && began - clicked <= sameReadMs);
  }
}

function ofUser<K, V>(map: Map<K, V>, key: K, create: () => V): V {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = create()));
  return value;
}

/** By time, and the same read of two histories once. */
function distinct(reads: readonly HistoryRead[]): HistoryRead[] {
  const sorted = [...reads].sort((a, b) => timeOf(a) - timeOf(b) || (a.itemId < b.itemId ? -1 : 1));
  return sorted.filter((read, index) => {
    const before = sorted[index - 1];
    return !before || before.itemId !== read.itemId || timeOf(before) !== timeOf(read);
  });
}

function timeOf({ at }: HistoryRead): number {
  return at ?? 0;
}

function toRead(userId: UserId, read: HistoryRead): Read {
  return { ...toEvent(userId, read), at: timeOf(read) + (read.dwellMs ?? 0) };
}

function toEvent(
  userId: UserId,
  { itemId, at, dwellMs, scrollPercentage }: HistoryRead,
): Omit<Read, 'at'> {
  const event = {
    type: 'read',
    userId,
    itemId,
    ...(dwellMs === undefined ? {} : { dwellMs }),
    ...(scrollPercentage === undefined ? {} : { scrollPercentage }),
  };
  return { began: at, event };
}
