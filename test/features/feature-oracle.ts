import type { FeatureDefinition, FeedEvent, ItemId } from '../../src';

const hour = 3_600_000;
const day = 24 * hour;

interface OracleItem {
  readonly id: ItemId;
  readonly publishTime?: number | undefined;
  readonly columns?: Readonly<Record<string, number>> | undefined;
}

interface OracleQuery {
  readonly now: number;
  readonly userId?: ItemId | undefined;
  readonly segments?: Readonly<Record<string, string>> | undefined;
  readonly currentItemId?: ItemId | undefined;
  readonly context?: Readonly<Record<string, number>> | undefined;
}

/** An event that counted, on one life of an item: an id that was removed and came back has two. */
interface Counted {
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

interface World {
  /** How many events had counted by then. */
  readonly until: number;
  readonly items: ReadonlyMap<string, OracleItem>;
  /** The latest `now` of a batch. */
  readonly clock: number;
}

/** Twenty earlier reads at most, and reads at most a day apart, as the feed's defaults have it. */
const pairedReads = 20;

/**
 * The definitions of the features as sums over the raw list of events, in double precision: slow,
 * and written without a look at how the core keeps its counters.
 */
export class FeatureOracle {
  #recorded = 0;
  readonly #ofLife = new Index<Counted>();
  readonly #ofUser = new Index<Counted>();
  readonly #ofPage = new Index<Counted>();
  readonly #dwells: Counted[] = [];
  readonly #lives = new Map<ItemId, string>();
  readonly #items = new Map<string, OracleItem>();
  readonly #pools = new Map<number, World>();
  readonly #pairs = new Index<{ readonly a: string; readonly b: string; readonly at: number }>();
  readonly #firstReads = new Index<{ readonly at: number }>();
  readonly #reads = new Map<ItemId, { life: string; at: number }[]>();
  readonly #standardisers = new Map<string, (value: number) => number>();
  #generation = 0;
  #newest = -Infinity;
  #clock = -Infinity;

  constructor(
    readonly latenessMs: number,
    readonly gridMs = 5 * 60_000,
  ) {}

  upsert(items: readonly OracleItem[]): void {
    for (const item of items) {
      const life = this.#lives.get(item.id) ?? `${item.id}#${this.#generation++}`;
      this.#lives.set(item.id, life);
      this.#items.set(life, item);
    }
  }

  remove(id: ItemId): void {
    this.#items.delete(this.#lives.get(id)!);
    this.#lives.delete(id);
  }

  record(events: readonly FeedEvent[], now: number): number {
    this.#reach(now);
    this.#clock = Math.max(this.#clock, now);
    // A request was ahead of this batch, which belongs to the pool that it asked for.
    for (const instant of this.#pools.keys()) {
      if (instant <= this.#instant(this.#clock)) continue;
      this.#pools.delete(instant);
      for (const key of this.#standardisers.keys()) {
        if (key.startsWith(`${instant} `)) this.#standardisers.delete(key);
      }
    }
    let recorded = 0;
    for (const event of events) {
      const at = Number(event.at);
      const life = this.#lives.get(event.itemId);
      if (life === undefined || at < this.#newest - this.latenessMs) continue;
      this.#newest = Math.max(this.#newest, Math.min(at, now));
      recorded++;
      const counted = {
        order: this.#recorded++,
        type: event.type,
        userId: event.userId,
        life,
        from: event.fromItemId === undefined ? undefined : this.#lives.get(event.fromItemId),
        at,
        dwellMs: event.dwellMs ?? 0,
        scroll: event.scrollPercentage,
        segments: event.segments ?? {},
      };
      this.#ofLife.add(life, counted);
      this.#ofUser.add(`${typeof event.userId} ${event.userId}`, counted);
      if (event.type === 'dwell') this.#dwells.push(counted);
      if (event.type === 'click' && counted.from !== undefined) {
        this.#ofPage.add(counted.from, counted);
      }
      if (['click', 'dwell', 'read'].includes(event.type)) this.#read(event.userId, life, at);
    }
    return recorded;
  }

  /** [item][feature], in the order given. */
  values(
    query: OracleQuery,
    ids: readonly ItemId[],
    definitions: readonly FeatureDefinition[],
  ): number[][] {
    this.#reach(query.now);
    const live = { until: this.#recorded, items: this.#items, clock: this.#clock };
    const lives = ids.map((id) => this.#lives.get(id)!);
    const columns = definitions.map((definition) => {
      const own = lives.map((life) => this.#transformed(definition, live, life, query.now, query));
      if (definition.reference === 'list') return own.map(standardiser(own));
      if (definition.reference === 'pool')
        return own.map(this.#poolStandardiser(definition, query));
      return own;
    });
    return lives.map((_, i) => columns.map((column) => column[i]!));
  }

  #instant(now: number): number {
    return Math.floor(now / this.gridMs) * this.gridMs;
  }

  /** The first batch or request at or after a grid instant closes the pool of that instant. */
  #reach(now: number): void {
    const instant = this.#instant(now);
    if (this.#pools.has(instant) || this.#instant(this.#clock) >= instant) return;
    this.#pools.set(instant, {
      until: this.#recorded,
      items: new Map(this.#items),
      clock: this.#clock,
    });
  }

  #poolStandardiser(definition: FeatureDefinition, { now }: OracleQuery): (x: number) => number {
    const instant = this.#instant(now);
    const key = `${instant} ${definition.name}`;
    let found = this.#standardisers.get(key);
    if (found === undefined) {
      const world = this.#pools.get(instant)!;
      const members = [...world.items.keys()].filter((life) =>
        this.#ofLife
          .get(life)
          .some(
            ({ type, at, order }) =>
              type === 'impression' &&
              order < world.until &&
              at >= instant - day &&
              at <= world.clock,
          ),
      );
      found = standardiser(
        members.map((life) => this.#transformed(definition, world, life, instant)),
      );
      this.#standardisers.set(key, found);
    }
    return found;
  }

  #read(userId: ItemId, life: string, at: number): void {
    const reads = this.#reads.get(userId) ?? [];
    this.#reads.set(userId, reads);
    const known = reads.find((read) => read.life === life);
    if (known === undefined) {
      this.#firstReads.add(life, { at });
      // Latest first; of one time, the one that became known last.
      const earlier = reads.map((read, order) => ({ ...read, order }));
      earlier.sort((x, y) => y.at - x.at || y.order - x.order);
      for (const other of earlier.filter((o) => Math.abs(o.at - at) <= day).slice(0, pairedReads)) {
        const pair = { a: life, b: other.life, at: Math.max(at, other.at) };
        this.#pairs.add(life, pair);
        this.#pairs.add(other.life, pair);
      }
      reads.push({ life, at });
    } else {
      reads.splice(reads.indexOf(known), 1);
      reads.push({ life, at: Math.max(known.at, at) });
    }
  }

  #transformed(
    definition: FeatureDefinition,
    world: World,
    life: string,
    now: number,
    query?: OracleQuery,
  ): number {
    let value = this.#value(definition, world, life, now, query);
    if (value === undefined || !Number.isFinite(value)) value = definition.missing ?? 0;
    return definition.transformation === 'log1p'
      ? Math.sign(value) * Math.log(1 + Math.abs(value))
      : value;
  }

  #value(
    { source, halfLifeMs: h = NaN, ...definition }: FeatureDefinition,
    world: World,
    life: string,
    now: number,
    query?: OracleQuery,
  ): number | undefined {
    const item = world.items.get(life)!;
    const events = this.#ofLife.get(life);
    const sum = (
      amount: (event: Counted) => number,
      halfLifeMs = h,
      of: readonly Counted[] = events,
    ) => {
      let total = 0;
      for (const event of of) {
        if (event.order >= world.until) continue;
        total += amount(event) * weightOf(event.at, now, halfLifeMs);
      }
      return total;
    };
    const isOf = (type: string) => (event: Counted) => Number(event.type === type);
    const seconds = (event: Counted) => (event.type === 'dwell' ? event.dwellMs / 1000 : 0);
    const scrolled = (event: Counted) => event.type === 'dwell' && event.scroll !== undefined;
    const segment = definition.segment ?? '';
    const inSegment = (type: string) => (event: Counted) =>
      Number(event.type === type && event.segments[segment] === query!.segments![segment]);
    // eslint-disable-next-line @typescript-eslint/switch-exhaustiveness-check -- The others are the reader's.
    switch (source) {
      case 'impressions':
        return sum(isOf('impression'));
      case 'clicks':
        return sum(isOf('click'));
      case 'dwell-seconds':
        return sum(seconds);
      case 'dwells':
        return sum(isOf('dwell'));
      case 'hides':
        return sum(isOf('hide'));
      case 'reports':
        return sum(isOf('report'));
      case 'click-through-rate':
        return (sum(isOf('click')) + 1) / (sum(isOf('impression')) + 10);
      case 'mean-dwell':
        return (sum(seconds) + 30) / (sum(isOf('dwell')) + 1);
      case 'completion-rate':
        return (
          (sum((event) => (scrolled(event) ? event.scroll! / 100 : 0)) + 1) /
          (sum((event) => Number(scrolled(event))) + 2)
        );
      case 'dwell-against-expected': {
        const expected =
          definition.column === undefined
            ? (sum(seconds, h, this.#dwells) + 30) / (sum(isOf('dwell'), h, this.#dwells) + 1)
            : item.columns?.[definition.column];
        if (expected === undefined || expected <= 0) return undefined;
        return Math.log((sum(seconds) / expected + 1) / (sum(isOf('dwell')) + 1));
      }
      case 'hide-rate':
        return (sum(isOf('hide')) + 0.1) / (sum(isOf('impression')) + 100);
      case 'report-rate':
        return (sum(isOf('report')) + 0.01) / (sum(isOf('impression')) + 100);
      case 'trend': {
        const perHour = (halfLifeMs: number) =>
          (sum(isOf('click'), halfLifeMs) * Math.LN2) / (halfLifeMs / hour);
        return Math.log((perHour(h) + 1) / (perHour(definition.longerHalfLifeMs!) + 1));
      }
      case 'age':
        return Math.max(0, now - item.publishTime!) / hour;
      case 'time-since-first-seen': {
        const seen = events.filter((e) => e.order < world.until && e.type === 'impression');
        if (seen.length === 0) return 0;
        return Math.max(0, now - Math.min(...seen.map((event) => event.at))) / hour;
      }
      case 'column':
        return item.columns?.[definition.column!];
      case 'segment-impressions':
        return query!.segments?.[segment] ? sum(inSegment('impression')) : undefined;
      case 'segment-clicks':
        return query!.segments?.[segment] ? sum(inSegment('click')) : undefined;
      case 'segment-click-through-rate':
        return query!.segments?.[segment]
          ? (sum(inSegment('click')) + 1) / (sum(inSegment('impression')) + 10)
          : undefined;
      case 'context':
        return query!.context?.[definition.key!];
      case 'dot':
        throw new Error('the streams have no embeddings');
      default:
        return this.#ofReader(source, life, query!);
    }
  }

  #ofReader(
    source: FeatureDefinition['source'],
    life: string,
    { now, userId, currentItemId }: OracleQuery,
  ): number | undefined {
    const mine = this.#ofUser.get(`${typeof userId} ${userId}`).filter((e) => e.life === life);
    const shown = mine.filter(({ type }) => type === 'impression');
    const reads = this.#reads.get(userId ?? '') ?? [];
    const page = currentItemId === undefined ? undefined : this.#lives.get(currentItemId);
    // eslint-disable-next-line @typescript-eslint/switch-exhaustiveness-check -- The others are the item's.
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
          .filter((read) => this.#items.has(read.life))
          .sort((x, y) => y.at - x.at || y.order - x.order)
          .slice(0, 20)
          .map((read) => this.#similarity(read.life, life, now));
        if (source === 'co-read-max') return Math.max(0, ...last);
        return last.reduce((total, similarity) => total + similarity, 0);
      }
      case 'co-read-current':
        return page ? this.#similarity(page, life, now) : undefined;
      case 'follow-ups':
        return page ? this.#followUps(page, now, life) : undefined;
      case 'follow-up-share':
        return page
          ? this.#followUps(page, now, life) / (this.#followUps(page, now) + 10)
          : undefined;
      default:
        throw new Error(`no definition of ${source}`);
    }
  }

  #similarity(from: string, to: string, now: number): number {
    const pairs = this.#pairs.get(from);
    const together = pairs.filter(({ a, b }) => a === to || b === to);
    const weight = (
      of: readonly { readonly at: number }[],
      all: readonly { readonly at: number }[],
    ) => {
      // An item whose latest event is still to come is read as of that event.
      const asOf = all.reduce((latest, { at }) => Math.max(latest, at), now);
      return of.reduce((total, { at }) => total + 2 ** (-(asOf - at) / day), 0);
    };
    if (from === to || together.length === 0) return 0;
    const reads = (life: string) => this.#firstReads.get(life);
    const ofFrom = [...pairs, ...reads(from)];
    const ofTo = [...this.#pairs.get(to), ...reads(to)];
    return (
      weight(together, ofFrom) /
      Math.sqrt((weight(reads(from), ofFrom) + 10) * (weight(reads(to), ofTo) + 10))
    );
  }

  #followUps(page: string, now: number, life?: string): number {
    const clicks = this.#ofPage.get(page);
    const asOf = clicks.reduce((latest, { at }) => Math.max(latest, at), now);
    return clicks
      .filter((click) => life === undefined || click.life === life)
      .reduce((total, { at }) => total + 2 ** (-(asOf - at) / day), 0);
  }
}

class Index<T> {
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

function weightOf(at: number, now: number, halfLifeMs: number): number {
  return 2 ** (-Math.max(0, now - at) / halfLifeMs);
}

/** Population standard deviation; equal up to the rounding of counters is equal. */
function standardiser(values: readonly number[]): (value: number) => number {
  const mean = values.reduce((total, value) => total + value, 0) / values.length;
  const variance = values.reduce((total, value) => total + (value - mean) ** 2, 0) / values.length;
  const largest = Math.max(...values.map(Math.abs));
  const isFlat = values.length === 0 || Math.max(...values) - Math.min(...values) <= 1e-9 * largest;
  return (value) => (isFlat ? 0 : (value - mean) / Math.sqrt(variance));
}
