import type { FeatureDefinition, ItemId } from '../../src';

const hour = 3_600_000;
const day = 24 * hour;

/** Twenty earlier reads at most, and reads at most a day apart, as the feed's defaults have it. */
const pairedReads = 20;

/** An event that counted, on one life of an item: an id that was removed and came back has two. */
export interface Counted {
  /** Position among all that counted. */
  readonly order: number;
  readonly type: string;
  readonly userId: ItemId;
  readonly life: string;
  readonly from: string | undefined;
  readonly at: number;
  readonly dwellMs: number;
  readonly scroll: number | undefined;
  readonly segments: Readonly<Record<string, string>>;
}

interface ReaderQuery {
  readonly now: number;
  readonly userId: ItemId | undefined;
  /** The life of the item on whose page the slate stands. */
  readonly page: string | undefined;
}

/** What features say of a reader and a page, by looking through all that was recorded of them. */
export class ReaderOracle {
  readonly #ofUser = new Index<Counted>();
  readonly #ofPage = new Index<Counted>();
  readonly #reads = new Map<ItemId, { life: string; at: number }[]>();
  /** Times of the pairs of two items, and the latest time that anything happened to one's reads. */
  readonly #pairs = new Index<{ readonly at: number }>();
  readonly #latestRead = new Map<string, number>();
  readonly #firstReads = new Index<{ readonly at: number }>();

  constructor(readonly isLive: (life: string) => boolean) {}

  record(event: Counted): void {
    this.#ofUser.add(`${typeof event.userId} ${event.userId}`, event);
    if (event.type === 'click' && event.from !== undefined) this.#ofPage.add(event.from, event);
    if (['click', 'dwell', 'read'].includes(event.type)) {
      this.#read(event.userId, event.life, event.at);
    }
  }

  value(
    source: FeatureDefinition['source'],
    life: string,
    { now, userId, page }: ReaderQuery,
  ): number | undefined {
    const mine = this.#ofUser.get(`${typeof userId} ${userId}`).filter((e) => e.life === life);
    const shown = mine.filter(({ type }) => type === 'impression');
    const reads = this.#reads.get(userId ?? '') ?? [];
    // eslint-disable-next-line @typescript-eslint/switch-exhaustiveness-check -- Those of the reader.
    switch (source) {
      case 'already-read':
        return Number(reads.some((read) => read.life === life));
      case 'times-shown':
        return shown.length;
      case 'time-since-shown': {
        if (shown.length === 0) return undefined;
        const times = mine
          .filter(({ type }) => ['impression', 'hide', 'report'].includes(type))
          .map(({ at }) => at);
        return Math.max(0, now - Math.max(...times)) / hour;
      }
      case 'history-length':
        return reads.length;
      case 'co-read-sum':
      case 'co-read-max': {
        const last = reads
          .map((read, order) => ({ ...read, order }))
          .filter((read) => this.isLive(read.life))
          .sort((x, y) => y.at - x.at || y.order - x.order)
          .slice(0, 20)
          .map((read) => this.#similarity(read.life, life, now));
        if (source === 'co-read-max') return Math.max(0, ...last);
        return last.reduce((total, similarity) => total + similarity, 0);
      }
      case 'co-read-current':
        return page === undefined ? undefined : this.#similarity(page, life, now);
      case 'follow-ups':
        return page === undefined ? undefined : this.#followUps(page, now, life);
      case 'follow-up-share':
        return page === undefined
          ? undefined
          : this.#followUps(page, now, life) / (this.#followUps(page, now) + 10);
      default:
        throw new Error(`no definition of ${source}`);
    }
  }

  #similarity(from: string, to: string, now: number): number {
    const pairs = this.#pairs.get(pairOf(from, to));
    if (from === to || pairs.length === 0) return 0;
    const weight = (of: readonly { readonly at: number }[], life: string) => {
      // An item whose latest event is still to come is read as of that event.
      const asOf = Math.max(now, this.#latestRead.get(life)!);
      return of.reduce((total, { at }) => total + 2 ** (-(asOf - at) / day), 0);
    };
    return (
      weight(pairs, from) /
      Math.sqrt(
        (weight(this.#firstReads.get(from), from) + 10) *
          (weight(this.#firstReads.get(to), to) + 10),
      )
    );
  }

  #followUps(page: string, now: number, life?: string): number {
    const clicks = this.#ofPage.get(page);
    const asOf = clicks.reduce((latest, { at }) => Math.max(latest, at), now);
    return clicks
      .filter((click) => life === undefined || click.life === life)
      .reduce((total, { at }) => total + 2 ** (-(asOf - at) / day), 0);
  }

  #read(userId: ItemId, life: string, at: number): void {
    const reads = this.#reads.get(userId) ?? [];
    this.#reads.set(userId, reads);
    const known = reads.find((read) => read.life === life);
    if (known === undefined) {
      this.#firstReads.add(life, { at });
      const touch = (touched: string, when: number) =>
        this.#latestRead.set(touched, Math.max(when, this.#latestRead.get(touched) ?? when));
      touch(life, at);
      // Latest first; of one time, the one that became known last.
      const earlier = reads.map((read, order) => ({ ...read, order }));
      earlier.sort((x, y) => y.at - x.at || y.order - x.order);
      for (const other of earlier.filter((o) => Math.abs(o.at - at) <= day).slice(0, pairedReads)) {
        const pairedAt = Math.max(at, other.at);
        this.#pairs.add(pairOf(life, other.life), { at: pairedAt });
        touch(life, pairedAt);
        touch(other.life, pairedAt);
      }
      reads.push({ life, at });
    } else {
      reads.splice(reads.indexOf(known), 1);
      reads.push({ life, at: Math.max(known.at, at) });
    }
  }
}

export class Index<T> {
  readonly #entries = new Map<string, T[]>();

  add(key: string, entry: T): void {
    const entries = this.#entries.get(key);
    if (entries === undefined) this.#entries.set(key, [entry]);
    else entries.push(entry);
  }

  get(key: string): readonly T[] {
    return this.#entries.get(key) ?? [];
  }
}

function pairOf(a: string, b: string): string {
  return a < b ? `${a} ${b}` : `${b} ${a}`;
}
