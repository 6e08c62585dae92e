'use strict';

// Does memory stay where it is when readers keep coming? Ten million distinct readers, two events
// each, against the default bound of 100,000 remembered ones.

const feedrank = require('..');
const { now } = require('./feed-under-test');

const readers = 10_000_000;
const perBatch = 1_000;
const items = 1_000;

async function main() {
  const catalog = await feedrank.Catalog.create({ ids: 'integer' });
  await catalog.upsert(Array.from({ length: items }, (_, id) => ({ id, publishTime: now })));
  const feed = await feedrank.Feed.create({
    catalog,
    ranker: feedrank.weightedSum({ clicks_3h: 1 }),
  });
  const samples = [];
  const start = performance.now();
  for (let reader = 0; reader < readers; reader += perBatch) {
    const events = [];
    for (let i = 0; i < perBatch; i++) {
      const userId = `reader ${reader + i}`;
      const at = now + Math.floor(reader / 100);
      events.push({ type: 'impression', userId, itemId: (reader + i) % items, at });
      events.push({ type: 'click', userId, itemId: (7 * (reader + i)) % items, at });
    }
    await feed.record(events, { now: events[0].at });
    if ((reader + perBatch) % 1_000_000 === 0) {
      global.gc();
      samples.push(process.memoryUsage.rss() / 2 ** 20);
    }
  }
  const { users, userBytes } = feed.stats;
  process.stdout.write(
    JSON.stringify({
      id: 'distinct-users',
      work: `resident memory while ${readers} distinct readers are recorded, after each million (MB)`,
      ours: { low: Math.min(...samples), high: Math.max(...samples) },
      peers: [],
      growthAfterFirstMillion: samples.at(-1) - samples[0],
      samples,
      users,
      userMegabytes: userBytes / 2 ** 20,
      seconds: (performance.now() - start) / 1000,
    }),
  );
}

main();
