'use strict';

const feedrank = require('..');

const hour = 3_600_000;
/** One instant for every benchmark: a run can be repeated to the bit. */
const now = Date.UTC(2026, 0, 15, 12);

/** A small linear congruential generator: enough for filler data, the same on every machine. */
function randomNumbers(seed) {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/**
 * A catalog of `items` items with `dimensions`-wide vectors, published over the last ten days, a
 * feed over it with every native stage, and counters warmed with 50,000 events.
 */
async function makeFeed({ items = 100_000, dimensions = 64, seed = 1 } = {}) {
  const random = randomNumbers(seed);
  const vector = () => Float32Array.from({ length: dimensions }, () => random() - 0.5);
  const catalog = await feedrank.Catalog.create({
    ids: 'integer',
    spaces: { content: { dimensions } },
    columns: ['quality'],
  });
  for (let begin = 0; begin < items; begin += 5_000) {
    const batch = Array.from({ length: Math.min(5_000, items - begin) }, (_, i) => ({
      id: begin + i,
      publishTime: now - Math.floor(random() * 240 * hour),
      author: `author ${(begin + i) % 997}`,
      topics: [`topic ${(begin + i) % 40}`],
      columns: { quality: random() },
      embeddings: { content: vector() },
    }));
    await catalog.upsert(batch);
  }
  const feed = await feedrank.Feed.create({
    catalog,
    generators: [feedrank.decayedDot({ space: 'content' }), feedrank.trending(), feedrank.fresh()],
    filters: [feedrank.seen(), feedrank.maximumAge()],
    ranker: feedrank.weightedSum({ clicks_3h: 1, ctr_12h: 5, age: -0.2, mean_dwell_48h: 0.1 }),
    // A budget would hide cost: what does not fit is skipped.
    profile: { budgetMs: 10_000, perAuthor: 2 },
  });
  const event = (i) => ({
    type: i % 10 === 0 ? 'click' : 'impression',
    userId: Math.floor(random() * 10_000),
    itemId: Math.floor(random() ** 3 * items),
    at: now - Math.floor(random() * 0.15 * hour),
    eventId: `event ${i}`,
  });
  for (let i = 0; i < 50; i++) {
    await feed.record(
      Array.from({ length: 1_000 }, (_, j) => event(i * 1_000 + j)),
      { now },
    );
  }
  const query = () => ({
    userId: Math.floor(random() * 10_000),
    userVector: { space: 'content', values: vector() },
    now,
    limit: 50,
  });
  return { catalog, feed, query, event, now };
}

module.exports = { hour, makeFeed, now, randomNumbers };
