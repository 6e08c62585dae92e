'use strict';

// How many events a second does Feed.record take, from objects to counters, in batches of 1,000 on
// one JavaScript thread? Laying a batch out and counting it overlap: the next batch is laid out while
// the one before it is counted.

const feedrank = require('..');
const { hour, now, randomNumbers } = require('./feed-under-test');

const items = 50_000;
const readers = 100_000;
const batchSize = 1_000;
const batches = 400;
const rounds = 5;

async function main() {
  const random = randomNumbers(1);
  const catalog = await feedrank.Catalog.create({ ids: 'integer' });
  await catalog.upsert(Array.from({ length: items }, (_, id) => ({ id, publishTime: now - hour })));
  const feed = await feedrank.Feed.create({
    catalog,
    ranker: feedrank.weightedSum({ clicks_3h: 1 }),
    segments: { device: ['desktop', 'mobile', 'tablet'] },
  });
  let number = 0;
  const makeBatch = () =>
    Array.from({ length: batchSize }, () => ({
      type: random() < 0.1 ? 'click' : 'impression',
      userId: Math.floor(random() * readers),
      itemId: Math.floor(random() ** 3 * items),
      at: now + Math.floor(number / 100),
      segments: { device: random() < 0.6 ? 'mobile' : 'desktop' },
      eventId: `event ${number++}`,
    }));
  const rates = [];
  for (let round = 0; round <= rounds; round++) {
    const made = Array.from({ length: batches }, makeBatch);
    const start = performance.now();
    const cpu = process.cpuUsage();
    let before = Promise.resolve();
    for (const batch of made) {
      const recorded = feed.record(batch, { now: batch.at(-1).at });
      await before;
      before = recorded;
    }
    await before;
    const { user, system } = process.cpuUsage(cpu);
    const events = batches * batchSize;
    // The first round warms up.
    if (round > 0) {
      rates.push({
        perSecond: (events / (performance.now() - start)) * 1000,
        perCpuSecond: (events / (user + system)) * 1e6,
      });
    }
  }
  const sorted = (key) => rates.map((rate) => rate[key]).sort((a, b) => a - b);
  const perThousand = sorted('perSecond').map((rate) => 1e6 / rate);
  process.stdout.write(
    JSON.stringify({
      id: 'record-typescript',
      work: `${batchSize} events through Feed.record, from objects to counters (ms)`,
      ours: {
        median: perThousand[Math.floor(rounds / 2)],
        low: perThousand.at(-1),
        high: perThousand[0],
      },
      peers: [],
      eventsPerSecond: sorted('perSecond')[Math.floor(rounds / 2)],
      eventsPerCpuSecond: sorted('perCpuSecond')[Math.floor(rounds / 2)],
    }),
  );
}

main();
