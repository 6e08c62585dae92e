import type { FeatureDefinition, FeedEvent, ItemId } from '../../src';
import { Index, ReaderOracle, type Counted } from './reader-oracle';

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

interface World {
  /** How many events had counted by then. */
  readonly until: number;
  readonly items: ReadonlyMap<string, OracleItem>;
  /** The latest `now` of a batch. */
  readonly clock: number;
  /** Values at one instant, for one query, that were worked out before. */
  readonly known: Map<string, number>;
  /** The items of the pool, once somebody has asked. */
  members?: readonly string[];
}

/**
 * The definitions of the features as sums over the raw list of events, in double precision: slow,
 * and written without a look at how the core keeps its counters.
 */
export class FeatureOracle {
  #recorded = 0;
  readonly #ofLife = new Index<Counted>();
  readonly #dwells: Counted[] = [];
  readonly #lives = new Map<ItemId, string>();
  readonly #items = new Map<string, OracleItem>();
  readonly #pools = new Map<number, World>();
  readonly #readers = new ReaderOracle((life) => this.#items.has(life));
  readonly #standardisers = new Map<string, (value: number) => number>();
  #generation = 0;
  #newest = -Infinity;
  #clock = -Infinity;
  #latestPool = -Infinity;

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
    const passed = this.#instant(this.#clock);
    const ahead = this.#latestPool > passed ? [...this.#pools.keys()] : [];
    this.#latestPool = Math.min(this.#latestPool, passed);
    for (const instant of ahead.filter((held) => held > passed)) {
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
      if (event.type === 'dwell') this.#dwells.push(counted);
      this.#readers.record(counted);
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
    const live = {
      until: this.#recorded,
      items: this.#items,
      clock: this.#clock,
      known: new Map<string, number>(),
    };
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
    this.#latestPool = Math.max(this.#latestPool, instant);
    this.#pools.set(instant, {
      until: this.#recorded,
      items: new Map(this.#items),
      clock: this.#clock,
      known: new Map(),
    });
  }

  #poolStandardiser(definition: FeatureDefinition, { now }: OracleQuery): (x: number) => number {
    const instant = this.#instant(now);
    const key = `${instant} ${definition.name}`;
    let found = this.#standardisers.get(key);
    if (found === undefined) {
      const world = this.#pools.get(instant)!;
      world.members ??= this.#shownLately(world, instant);
      found = standardiser(
        world.members.map((life) => this.#transformed(definition, world, life, instant)),
      );
      this.#standardisers.set(key, found);
    }
    return found;
  }

  #shownLately(world: World, instant: number): string[] {
    return [...world.items.keys()].filter((life) =>
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
  }

  #transformed(
    definition: FeatureDefinition,
    world: World,
    life: string,
    now: number,
    query?: OracleQuery,
  ): number {
    // The same value is asked for again for each reference set.
    const key = JSON.stringify([{ ...definition, name: '', reference: '' }, life]);
    return remembered(world.known, key, () => this.#computed(definition, world, life, now, query));
  }

  #computed(
    definition: FeatureDefinition,
    world: World,
    life: string,
    now: number,
    query?: OracleQuery,
  ): number {
    let value = this.#value(definition, world, life, now, query);
    if (value === undefined || !Number.isFinite(value)) value = definition.missing ?? 0;
    return definition.transformation === 'log1p'
      ? Math.sign(value) * Math.log1p(Math.abs(value))
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
        const added = event.order < world.until ? amount(event) : 0;
        if (added !== 0) total += added * weightOf(event.at, now, halfLifeMs);
      }
      return total;
    };
    const isOf = (type: string) => (event: Counted) => Number(event.type === type);
    const seconds = (event: Counted) => (event.type === 'dwell' ? event.dwellMs / 1000 : 0);
    const scrolled = (event: Counted) => event.type === 'dwell' && event.scroll !== undefined;
    const segment = definition.segment ?? '';
    const isKnown = query?.segments?.[segment] !== undefined;
    const inSegment = (type: string) => (event: Counted) =>
      Number(event.type === type && event.segments[segment] === query!.segments![segment]);
    // eslint-disable-next-line @typescript-eslint/switch-exhaustiveness-check -- The rest comes below.
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
        const ofFeed = () =>
          (sum(seconds, h, this.#dwells) + 30) / (sum(isOf('dwell'), h, this.#dwells) + 1);
        const expected =
          definition.column === undefined
            ? remembered(world.known, `expected dwell at ${h}`, ofFeed)
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
        return isKnown ? sum(inSegment('impression')) : undefined;
      case 'segment-clicks':
        return isKnown ? sum(inSegment('click')) : undefined;
      case 'segment-click-through-rate':
        return isKnown
          ? (sum(inSegment('click')) + 1) / (sum(inSegment('impression')) + 10)
          : undefined;
      case 'context':
        return query!.context?.[definition.key!];
      case 'dot':
        throw new Error('the streams have no embeddings');
      default:
        return this.#readers.value(source, life, {
          now: query!.now,
          userId: query!.userId,
          page: this.#lives.get(query!.currentItemId ?? ''),
        });
    }
  }
}

function remembered(known: Map<string, number>, key: string, compute: () => number): number {
  let found = known.get(key);
  if (found === undefined) {
    found = compute();
    known.set(key, found);
  }
  return found;
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
