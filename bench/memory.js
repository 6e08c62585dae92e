'use strict';

// Does serving leak? Resident memory over 10,000 ranks, each with a record, after the first 1,000.
// Run with --expose-gc, so that garbage that waits for collection is not taken for growth.

const { setImmediate } = require('node:timers');
const { makeFeed } = require('./feed-under-test');

const calls = 10_000;
const warmUp = 1_000;

async function residentMegabytes() {
  for (let i = 0; i < 3; i++) {
    global.gc();
    await new Promise((resolve) => setImmediate(resolve));
  }
  return process.memoryUsage.rss() / 2 ** 20;
}

async function main() {
  const { feed, query, event, now } = await makeFeed();
  const samples = [];
  const times = [];
  for (let i = 0; i <= calls; i++) {
    if (i >= warmUp && i % 1_000 === 0) samples.push(await residentMegabytes());
    const asked = query();
    const start = performance.now();
    const slate = await feed.rank(asked);
    times.push(performance.now() - start);
    await feed.record(
      slate.items.slice(0, 10).map((item, position) => ({
        ...event(1_000_000 + i * 10 + position),
        userId: asked.userId,
        itemId: item.id,
      })),
      { now },
    );
  }
  times.sort((a, b) => a - b);
  const at = (share) => times[Math.floor(share * (times.length - 1))];
  return {
    id: 'memory-growth',
    work: `resident memory over ${calls} ranks with record after the first ${warmUp}, 100,000 items × 64 (MB)`,
    ours: { low: Math.min(...samples), high: Math.max(...samples) },
    peers: [],
    growth: samples.at(-1) - samples[0],
    samples,
    rankMs: { median: at(0.5), p99: at(0.99) },
  };
}

main().then((row) => process.stdout.write(JSON.stringify(row)));
