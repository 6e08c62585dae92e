import fc from 'fast-check';
import {
  Catalog,
  Feed,
  trending,
  weightedSum,
  type FeatureDefinition,
  type FeedEvent,
} from '../../src';
import { eventWeight } from '../support/oracle';
import { Lcg } from '../support/random';
import { hour, unhurried } from '../support/world';

const start = Date.UTC(2026, 0, 15, 12);
const minute = 60_000;
const lateness = 10 * minute;

type Sums = { impressions: number; clicks: number; 'dwell-seconds': number; dwells: number };
const counters = ['impressions', 'clicks', 'dwell-seconds', 'dwells'] as const;

/** Features that are the counters themselves, so that what is read can be compared as it is. */
function definitions(halfLivesMs: readonly number[]): FeatureDefinition[] {
  return halfLivesMs.flatMap((halfLifeMs) =>
    [...counters, 'click-through-rate' as const, 'mean-dwell' as const].map((source) => ({
      name: `${source}@${halfLifeMs}`,
      source,
      halfLifeMs,
    })),
  );
}

/** The contract, event by event: what counts, and what each item's decayed sums are at an instant. */
class Oracle {
  readonly accepted: FeedEvent[] = [];
  readonly #ids = new Set<string>();
  #newest = -Infinity;

  constructor(readonly items: ReadonlySet<string>) {}

  record(events: readonly FeedEvent[], now: number) {
    const result = { recorded: 0, duplicates: 0, late: 0, unknownItems: 0 };
    for (const event of events) {
      const at = Number(event.at);
      if (!this.items.has(event.itemId as string)) result.unknownItems++;
      else if (at < this.#newest - lateness) result.late++;
      else if (event.eventId !== undefined && this.#ids.has(event.eventId)) result.duplicates++;
      else {
        result.recorded++;
        // A fast clock of one client does not make everybody else late.
        this.#newest = Math.max(this.#newest, Math.min(at, now));
        if (event.eventId !== undefined) this.#ids.add(event.eventId);
        this.accepted.push(event);
      }
    }
    return result;
  }

  sums(itemId: string, now: number, halfLifeMs: number): Sums {
    const sums = { impressions: 0, clicks: 0, 'dwell-seconds': 0, dwells: 0 };
    for (const event of this.accepted) {
      if (event.itemId !== itemId) continue;
      const weight = eventWeight(Number(event.at), now, halfLifeMs);
      if (event.type === 'impression') sums.impressions += weight;
      if (event.type === 'click') sums.clicks += weight;
      if (event.type === 'dwell') {
        sums['dwell-seconds'] += (weight * event.dwellMs!) / 1000;
        sums.dwells += weight;
      }
    }
    return sums;
  }

  row(itemId: string, now: number, halfLivesMs: readonly number[]): number[] {
    return halfLivesMs.flatMap((halfLifeMs) => {
      const sums = this.sums(itemId, now, halfLifeMs);
      return [
        ...counters.map((counter) => sums[counter]),
        (sums.clicks + 1) / (sums.impressions + 10),
        (sums['dwell-seconds'] + 30) / (sums.dwells + 1),
      ];
    });
  }
}

async function makeFeed(items: readonly string[], halfLivesMs: readonly number[]) {
  const catalog = await Catalog.create({ ids: 'string' });
  await catalog.upsert(items.map((id) => ({ id, publishTime: start - hour })));
  const feed = await Feed.create({
    catalog,
    ranker: weightedSum({ age: 1 }),
    halfLivesMs,
    latenessMs: lateness,
    profile: unhurried,
  });
  return { catalog, feed };
}

/** New events, and some that were sent before. */
function randomEvents(
  random: Lcg,
  items: readonly string[],
  now: number,
  sent: FeedEvent[],
): FeedEvent[] {
  return Array.from({ length: random.below(25) }, () => {
    if (sent.length > 0 && random.below(4) === 0) return random.pick(sent);
    const event = {
      type: random.pick(['impression', 'impression', 'click', 'dwell', 'hide', 'share']),
      userId: random.pick(['ann', 'bob', 7]),
      itemId: random.below(15) === 0 ? 'gone' : random.pick(items),
      at: now + random.below(22 * minute) - 17 * minute,
      dwellMs: random.below(200_000),
      eventId: `event-${sent.length}`,
    };
    if (event.at > now + lateness) return { ...event, at: now };
    sent.push(event);
    return event;
  });
}

test('counters at every half-life equal an event-by-event count, whatever comes twice, late, early or for unknown items', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: 2 ** 31 }),
      fc.uniqueArray(fc.constantFrom(1000, 61_007, hour / 2, 3 * hour, 48 * hour), {
        minLength: 1,
        maxLength: 4,
      }),
      async (seed, halfLivesMs) => {
        const random = new Lcg(seed);
        const items = ['a', 'b', 'c'];
        const { feed } = await makeFeed(items, halfLivesMs);
        const oracle = new Oracle(new Set(items));
        const sent: FeedEvent[] = [];
        let now = start;
        for (let batch = random.below(8); batch >= 0; batch--) {
          now += random.below(3) === 0 ? random.below(30 * hour) : random.below(9 * minute);
          const events = randomEvents(random, items, now, sent);
          const result = await feed.record(events, { now });
          expect(result).toEqual(oracle.record(events, now));
          // What was recorded is visible as soon as record() has resolved.
          for (const at of [now, now + random.below(20 * minute), now + 5 * hour]) {
            const found = await feed.assemble({ now: at }, items, definitions(halfLivesMs));
            const expected = items.flatMap((id) => oracle.row(id, at, halfLivesMs));
            // The answer is float32; below 1e-30 it has fewer digits.
            const wrong = expected.filter(
              (value, i) => !(Math.abs(found.values[i]! - value) <= 1e-6 * Math.max(1e-30, value)),
            );
            expect([wrong, found.values.length]).toEqual([[], expected.length]);
          }
        }
      },
    ),
    { numRuns: 100 },
  );
});

test('the same events in the same order give the same bits, and shuffled the same to 1e-9', async () => {
  const halfLivesMs = [61_007, hour, 12 * hour];
  const items = ['a', 'b'];
  const random = new Lcg(3);
  const events: FeedEvent[] = Array.from({ length: 3000 }, (_, i) => ({
    type: random.pick(['impression', 'click', 'dwell']),
    userId: `user-${random.below(50)}`,
    itemId: random.pick(items),
    at: start - random.below(lateness),
    dwellMs: random.below(100_000),
    eventId: `event-${i}`,
  }));
  // A float32 hides differences below 6e-8; the difference of the counters of one item to a
  // multiple of the other's, which the ranker's double sums give, does not.
  const read = async (order: readonly FeedEvent[], batch: number) => {
    const { feed } = await makeFeed(items, halfLivesMs);
    for (let i = 0; i < order.length; i += batch) {
      await feed.record(order.slice(i, i + batch), { now: start });
    }
    // One at a time below the resolution of a float32: each is compared as trending sums, which are
    // doubles.
    const scores: number[] = [];
    for (const halfLifeMs of halfLivesMs) {
      const ranked = await Feed.attach(feed.handle(), {
        catalog: feed.catalog,
        generators: [trending({ halfLifeMs })],
        ranker: weightedSum({ age: 1 }),
        profile: unhurried,
      });
      const slate = await ranked.rank({ now: start + 5 * minute });
      const byId = new Map(slate.items.map((item) => [item.id, item.sources[0]!.score]));
      scores.push(...items.map((id) => byId.get(id)!));
    }
    return scores;
  };
  const once = await read(events, 3000);
  expect(await read(events, 7)).toEqual(once);
  for (let round = 0; round < 3; round++) {
    const again = await read(random.shuffled(events), 500);
    again.forEach((value, i) => {
      expect(Math.abs(value - once[i]!)).toBeLessThanOrEqual(1e-9 * once[i]!);
    });
  }
  const oracle = new Oracle(new Set(items));
  oracle.record(events, start);
  const expected = halfLivesMs.flatMap((halfLifeMs) =>
    items.map((id) => oracle.sums(id, start + 5 * minute, halfLifeMs).clicks),
  );
  once.forEach((value, i) => {
    expect(Math.abs(value - expected[i]!)).toBeLessThanOrEqual(1e-9 * expected[i]!);
  });
});

test('an eventId that comes again counts once: in one batch, in another, with other content', async () => {
  const { feed } = await makeFeed(['a', 'b'], [hour]);
  const click = { type: 'click', userId: 'u', itemId: 'a', at: start, eventId: 'e1' };
  expect(await feed.record([click, click], { now: start })).toMatchObject({
    recorded: 1,
    duplicates: 1,
  });
  expect(await feed.record([{ ...click, itemId: 'b' }], { now: start })).toMatchObject({
    recorded: 0,
    duplicates: 1,
  });
  // Far enough on, the same event is late, so it still does not count.
  await feed.record([{ ...click, itemId: 'b', at: start + hour, eventId: 'e2' }], {
    now: start + hour,
  });
  expect(await feed.record([click], { now: start + hour })).toEqual({
    recorded: 0,
    duplicates: 0,
    late: 1,
    unknownItems: 0,
  });
  const clicks: FeatureDefinition[] = [{ name: 'clicks', source: 'clicks', halfLifeMs: hour }];
  const found = await feed.assemble({ now: start + hour }, ['a', 'b'], clicks);
  expect([...found.values]).toEqual([0.5, 1]);
});

test('an event for an item that was removed is unknown, and the counters do not come back with the id', async () => {
  const { catalog, feed } = await makeFeed(['a'], [hour]);
  const clicks: FeatureDefinition[] = [{ name: 'clicks', source: 'clicks', halfLifeMs: hour }];
  const click = { type: 'click', userId: 'u', itemId: 'a', at: start };
  await feed.record([click, click], { now: start });
  await catalog.upsert([{ id: 'a', publishTime: start }]);
  // An update keeps what is known of the item.
  expect([...(await feed.assemble({ now: start }, ['a'], clicks)).values]).toEqual([2]);
  await catalog.remove(['a']);
  expect(await feed.record([click], { now: start })).toMatchObject({ unknownItems: 1 });
  const gone = await feed.assemble({ now: start }, ['a'], clicks);
  expect({ known: gone.known, values: [...gone.values] }).toEqual({ known: [false], values: [0] });
  await catalog.upsert([{ id: 'a', publishTime: start }]);
  expect([...(await feed.assemble({ now: start }, ['a'], clicks)).values]).toEqual([0]);
});

test('a click that is dated after now is found by trending once its time has come', async () => {
  const { catalog, feed: counting } = await makeFeed(['early', 'later'], [hour]);
  const feed = await Feed.attach(counting.handle(), {
    catalog,
    generators: [trending({ halfLifeMs: hour })],
    ranker: weightedSum({ age: 1 }),
    profile: unhurried,
  });
  const click = (itemId: string, at: number) => ({ type: 'click', userId: 'u', itemId, at });
  await counting.record(
    [click('early', start), click('later', start + minute), click('later', start + minute)],
    { now: start },
  );
  const slate = await feed.rank({ now: start + 2 * minute });
  expect(new Set(slate.items.map((item) => item.id))).toEqual(new Set(['early', 'later']));
});
