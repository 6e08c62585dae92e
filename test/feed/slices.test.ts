import fc from 'fast-check';
import {
  Catalog,
  Feed,
  fresh,
  nativeFeatures,
  weightedSum,
  type Item,
  type Slate,
  type SliceFigures,
  type Slices,
} from '../../src';
import { childPrelude, runChild } from '../support/child';
import { expectRefusal, untyped } from '../support/errors';
import { eventWeight } from '../support/oracle';
import { Lcg } from '../support/random';
import { hour, now, unhurried } from '../support/world';

const segments = { device: ['desktop', 'mobile'], surface: ['front', 'article'] } as const;
const halfLifeMs = 12 * hour;
const stages = {
  generators: [fresh()],
  enrichers: [nativeFeatures([{ name: 'quality', source: 'column', column: 'quality' }])],
  ranker: weightedSum({ quality: 1 }),
  profile: unhurried,
};

async function labelledCatalog(items: readonly Item[]): Promise<Catalog> {
  const catalog = await Catalog.create({
    ids: 'string',
    columns: ['quality'],
    labels: ['creator', 'language'],
  });
  await catalog.upsert(items);
  return catalog;
}

function labelledItems(random: Lcg, count: number) {
  return Array.from({ length: count }, (_, i) => ({
    id: `item-${i}`,
    publishTime: now - random.below(24) * hour,
    columns: { quality: random.signed() * 5 },
    labels: {
      ...(random.below(5) > 0 && { creator: random.pick(['publisher', 'independent']) }),
      language: random.pick(['da', 'sv', '__proto__']),
    },
  }));
}

/** What one slice was given, kept whole. */
class Tally {
  readonly #impressions: number[] = [];
  readonly #clicks: number[] = [];
  readonly #shown: { at: number; exposure: number; score: number }[] = [];

  event(type: string, at: number) {
    if (type === 'impression') this.#impressions.push(at);
    if (type === 'click') this.#clicks.push(at);
  }

  show(at: number, position: number, score: number) {
    this.#shown.push({ at, exposure: 1 / Math.log2(position + 2), score });
  }

  exposure(asOf: number): number {
    return sum(this.#shown, ({ at, exposure }) => exposure * eventWeight(at, asOf, halfLifeMs));
  }

  figures(asOf: number, all: Tally): SliceFigures {
    const weight = (at: number) => eventWeight(at, asOf, halfLifeMs);
    const impressions = sum(this.#impressions, weight);
    const clicks = sum(this.#clicks, weight);
    const scored = sum(this.#shown, ({ at }) => weight(at));
    const mean = sum(this.#shown, ({ at, score }) => score * weight(at)) / scored;
    const variance = sum(this.#shown, ({ at, score }) => (score - mean) ** 2 * weight(at)) / scored;
    return {
      impressions,
      clicks,
      clickThroughRate: impressions > 0 ? clicks / impressions : null,
      exposure: this.exposure(asOf),
      exposureShare: all.exposure(asOf) > 0 ? this.exposure(asOf) / all.exposure(asOf) : null,
      meanScore: scored > 0 ? mean : null,
      scoreDeviation: scored > 0 ? Math.sqrt(variance) : null,
    };
  }
}

function sum<T>(values: readonly T[], valueOf: (value: T) => number): number {
  return values.reduce((total, value) => total + valueOf(value), 0);
}

function expectFigures(found: SliceFigures, expected: SliceFigures) {
  expect(found).toEqual(
    Object.fromEntries(
      Object.entries(expected).map(([name, value]: [string, number | null]) => [
        name,
        value === null ? null : (expect.closeTo(value, 7) as number),
      ]),
    ),
  );
}

test('slices equal sums over every event and every slate', async () => {
  let compared = 0;
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 2 ** 31 }), async (seed) => {
      const random = new Lcg(seed);
      const items = labelledItems(random, 5 + random.below(30));
      const byId = new Map(items.map((item) => [item.id, item]));
      const catalog = await labelledCatalog(items);
      const feed = await Feed.create({ catalog, ...stages, segments, latenessMs: 100 * hour });
      const all = new Tally();
      const tallies = new Map<string, Tally>();
      const talliesOf = (segmentsOf: Record<string, string>, labels: Record<string, string>) => [
        all,
        ...Object.entries({ ...segmentsOf, ...labels }).map(([name, value]) => {
          const key = `${name}=${value}`;
          if (!tallies.has(key)) tallies.set(key, new Tally());
          return tallies.get(key)!;
        }),
      ];
      const segmentsOf = (): Record<string, string> => ({
        ...(random.below(4) > 0 && { device: random.pick(segments.device) }),
        ...(random.below(2) > 0 && { surface: random.pick(segments.surface) }),
      });
      let at = now;
      let latest = -Infinity;
      for (let step = 0; step < 12; step++) {
        at = Math.max(now - 20 * hour, at + (random.below(12) - 4) * hour);
        const reader = segmentsOf();
        if (random.below(2) === 0) {
          const events = Array.from({ length: random.below(20) }, () => ({
            type: random.pick(['impression', 'click', 'hide']),
            userId: 'ann',
            itemId: random.pick(items).id,
            at,
            segments: reader,
          }));
          await feed.record(events, { now: at });
          for (const { type, itemId } of events) {
            for (const tally of talliesOf(reader, byId.get(itemId)!.labels)) tally.event(type, at);
            if (type !== 'hide') latest = Math.max(latest, at);
          }
        } else {
          const given = random.shuffled(items).slice(0, random.below(9) + 1);
          const query = { now: at, segments: reader };
          const slate = await (random.below(2) === 0
            ? feed.rank({ ...query, limit: 1 + random.below(10) })
            : feed.rerank(
                query,
                given.map(({ id }) => id),
              ));
          latest = Math.max(latest, at);
          slate.items.forEach(({ id, position, score }) => {
            for (const tally of talliesOf({}, byId.get(id as string)!.labels)) {
              tally.show(at, position, score);
            }
            for (const tally of talliesOf(reader, {}).slice(1)) tally.show(at, position, score);
          });
        }
      }
      const later = latest + random.below(30) * hour;
      const slices = feed.slices({ now: later });
      expect(slices.now).toBe(later);
      expectFigures(slices.all, all.figures(later, all));
      for (const [name, values] of Object.entries(segments)) {
        expect(Object.keys(slices.segments[name]!.values)).toEqual([...values].sort());
        for (const value of values) {
          const tally = tallies.get(`${name}=${value}`) ?? new Tally();
          expectFigures(slices.segments[name]!.values[value]!, tally.figures(later, all));
          compared += 1;
        }
      }
      for (const name of ['creator', 'language']) {
        for (const [value, figures] of Object.entries(slices.groups[name]!.values)) {
          expectFigures(figures, tallies.get(`${name}=${value}`)!.figures(later, all));
          compared += 1;
        }
        expectFigures(slices.groups[name]!.other, new Tally().figures(later, all));
      }
      // What is asked as of an instant that has passed is answered as of the latest.
      expect(feed.slices({ now: now - 100 * hour }).now).toBe(latest);
      catalog.dispose();
    }),
    { numRuns: 30 },
  );
  expect(compared).toBeGreaterThan(150);
});

/** Half of the items by independents, who score `lower` and are clicked less often. */
async function unequalFeed(lower: number, clicksOfTen: number) {
  const items = Array.from({ length: 40 }, (_, i) => ({
    id: `item-${i}`,
    publishTime: now - i,
    columns: { quality: (i % 7) + (i % 2 === 0 ? 0 : -lower) },
    labels: { creator: i % 2 === 0 ? 'publisher' : 'independent' },
  }));
  const feed = await Feed.create({ catalog: await labelledCatalog(items), ...stages, segments });
  for (const device of segments.device) {
    await feed.rank({ now, limit: 20, segments: { device } });
    await feed.record(
      items.flatMap(({ id: itemId, labels }) =>
        Array.from({ length: 10 }, (_, i) => ({
          type: 'impression',
          userId: `u${i}`,
          itemId,
          at: now,
          segments: { device },
        })).concat(
          Array.from(
            { length: labels.creator === 'publisher' || device === 'mobile' ? 5 : clicksOfTen },
            (_, i) => ({ type: 'click', userId: `u${i}`, itemId, at: now, segments: { device } }),
          ),
        ),
      ),
      { now },
    );
  }
  return feed;
}

test('a disparity that was planted shows in the gaps', async () => {
  const fair = (await unequalFeed(0, 5)).slices({ now });
  const unfair = (await unequalFeed(3, 1)).slices({ now });
  const gaps = (slices: Slices) => slices.groups['creator']!.gaps;
  expect(gaps(fair).clickThroughRate).toBeCloseTo(0, 12);
  expect(gaps(unfair).clickThroughRate).toBeCloseTo(0.5 - 0.3, 12);
  expect(unfair.segments['device']!.gaps.clickThroughRate).toBeCloseTo(0.5 - 0.3, 12);
  expect(unfair.segments['surface']!.gaps).toEqual({
    clickThroughRate: null,
    exposureShare: 0,
    meanScore: null,
    scoreDisparity: null,
  });
  expect(gaps(unfair).exposureShare!).toBeGreaterThan(gaps(fair).exposureShare! + 0.3);
  expect(gaps(unfair).scoreDisparity!).toBeGreaterThan(gaps(fair).scoreDisparity! + 0.5);
  const { publisher, independent } = unfair.groups['creator']!.values;
  const pooled = (a: SliceFigures, b: SliceFigures, sizes: [number, number]) =>
    Math.sqrt(
      (sizes[0] * a.scoreDeviation! ** 2 + sizes[1] * b.scoreDeviation! ** 2) /
        (sizes[0] + sizes[1]),
    );
  const feed = await unequalFeed(3, 1);
  const slate: Slate = await feed.rank({ now, limit: 20 });
  const shown = slate.items.map(({ id }) => Number(String(id).slice(5)) % 2);
  const sizes: [number, number] = [
    shown.filter((odd) => odd === 0).length,
    shown.filter((odd) => odd === 1).length,
  ];
  expect(sizes[1]).toBeGreaterThan(0);
  expect(gaps(unfair).scoreDisparity).toBeCloseTo(
    (publisher!.meanScore! - independent!.meanScore!) / pooled(publisher!, independent!, sizes),
    9,
  );
});

test('values beyond 64 are counted together', async () => {
  const items = Array.from({ length: 80 }, (_, i) => ({
    id: `item-${i}`,
    publishTime: now,
    labels: { creator: `creator-${i}` },
  }));
  const feed = await Feed.create({ catalog: await labelledCatalog(items), ...stages });
  await feed.record(
    items.map(({ id: itemId }) => ({ type: 'click', userId: 'u', itemId, at: now })),
    { now },
  );
  const { values, other } = feed.slices({ now }).groups['creator']!;
  expect(Object.keys(values)).toHaveLength(64);
  expect(other.clicks).toBeCloseTo(16, 9);
});

test('scores of a ranker that was skipped do not count, and the exposure does', async () => {
  const items = labelledItems(new Lcg(2), 10);
  const failing = {
    name: 'failing',
    rank: () => {
      throw new Error('out of order');
    },
  };
  const catalog = await labelledCatalog(items);
  const feed = await Feed.create({ catalog, ...stages, ranker: failing });
  const { degraded } = await feed.rank({ now });
  expect(degraded.map(({ stage }) => stage)).toEqual(['failing']);
  const { all } = feed.slices({ now });
  expect(all.exposure).toBeGreaterThan(1);
  expect(all.meanScore).toBeNull();
  expect(all.scoreDeviation).toBeNull();
});

test('one query from far ahead does not make the rest fade away', async () => {
  const feed = await Feed.create({
    catalog: await labelledCatalog(labelledItems(new Lcg(2), 10)),
    ...stages,
  });
  await feed.rank({ now });
  const before = feed.slices({ now });
  await feed.rank({ now: Date.UTC(2300, 0, 1) });
  expect(feed.slices({ now })).toEqual({ ...before, slatesAhead: 1 });
});

test('a worker thread’s feed shares the slices', async () => {
  const worker = `
    const { parentPort, workerData } = require('node:worker_threads');
    ${childPrelude}
    (async () => {
      const catalog = Catalog.attach(workerData.catalog);
      const feed = await Feed.attach(workerData.feed, { catalog, ...stages(), profile });
      await feed.rank({ ...query(), limit: 1, segments: { device: 'mobile' } });
      await feed.record([{ type: 'click', userId: 'u', itemId: 1, at: now, segments: { device: 'mobile' } }], { now });
      parentPort.postMessage(feed.slices({ now }));
    })();
  `;
  const { code, out, err } = await runChild(`(async () => {
    const { Worker } = require('node:worker_threads');
    const catalog = await makeCatalog(20);
    const feed = await Feed.create({ catalog, ...stages(), profile, segments: { device: ['desktop', 'mobile'] } });
    await feed.rank({ ...query(), limit: 1, segments: { device: 'desktop' } });
    const workerData = { catalog: catalog.handle(), feed: feed.handle() };
    const worker = new Worker(${JSON.stringify(worker)}, { eval: true, workerData });
    const there = await new Promise((resolve, reject) => worker.on('message', resolve).on('error', reject));
    const here = feed.slices({ now });
    const { desktop, mobile } = here.segments.device.values;
    console.log(JSON.stringify(here) === JSON.stringify(there), desktop.exposure, mobile.exposure, mobile.clicks, desktop.clicks);
  })();`);
  expect({ code, out, err }).toEqual({ code: 0, out: 'true 1 1 1 0', err: '' });
});

describe('bad input', () => {
  let feed: Feed;

  beforeAll(async () => {
    feed = await Feed.create({ catalog: await labelledCatalog([]), ...stages });
  });

  test.each([
    [{ now: NaN }, 'now'],
    [{ now: '2026' }, 'now'],
    [{ device: 'mobile' }, 'options.device'],
    [{ now, segment: 'device' }, 'options.segment'],
    [null, 'options'],
    [5, 'options'],
  ])('slices(%j) is refused', async (options, argument) => {
    await expectRefusal(() => untyped(feed, 'slices', options), {
      code: 'INVALID_ARGUMENT',
      argument,
    });
  });

  test.each([[0], [999], [1000.5], [Infinity], ['12h']])(
    'a half-life of %p is refused',
    async (slicesHalfLifeMs) => {
      const options = { catalog: feed.catalog, ...stages, slicesHalfLifeMs };
      await expectRefusal(() => untyped(Feed, 'create', options), {
        code: 'INVALID_ARGUMENT',
        argument: 'slicesHalfLifeMs',
      });
    },
  );

  test('a feed that has been disposed of has no slices', async () => {
    const other = await Feed.create({ catalog: feed.catalog, ...stages });
    other.dispose();
    await expectRefusal(() => other.slices(), { code: 'DISPOSED' });
  });

  test('a feed on which nothing happened says nothing that it cannot know', () => {
    const nothing = {
      impressions: 0,
      clicks: 0,
      clickThroughRate: null,
      exposure: 0,
      exposureShare: null,
      meanScore: null,
      scoreDeviation: null,
    };
    const gaps = {
      clickThroughRate: null,
      exposureShare: null,
      meanScore: null,
      scoreDisparity: null,
    };
    const group = { values: {}, gaps, other: nothing };
    expect(feed.slices({ now })).toEqual({
      now,
      all: nothing,
      segments: {},
      groups: { creator: group, language: group },
      slatesAhead: 0,
    });
  });
});
