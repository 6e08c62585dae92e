'use strict';

// How many items a second does Catalog.upsert take, from objects to visible rows, in batches of 1,000
// with vectors of 64 and string ids of 16 characters, how long is one batch on its way, and what does
// it do to queries beside it? Two writes are in flight, so that a batch is laid out while the one
// before it is written. Items are made before the clock starts.

const { setTimeout } = require('node:timers/promises');
const feedrank = require('..');
const { hour, now, randomNumbers } = require('./feed-under-test');
const { quantile } = require('./quantile');

const dimensions = 64;
const batchSize = 1_000;
const batchesAtOnce = 200;
const rounds = 3;
const startingItems = 100_000;

const random = randomNumbers(1);
const vector = () => Float32Array.from({ length: dimensions }, () => random() - 0.5);
const idOf = (number) => `item-${String(number).padStart(11, '0')}`;

function makeItem(number) {
  return {
    id: idOf(number),
    publishTime: now - Math.floor(random() * 240 * hour),
    author: `author ${number % 997}`,
    topics: [`topic ${number % 40}`],
    embeddings: { content: vector() },
  };
}

const makeBatch = (first) => Array.from({ length: batchSize }, (_, i) => makeItem(first + i));

const ascending = (values) => [...values].sort((a, b) => a - b);

/**
 * Writes batches, two of them in flight; each must be visible when its promise resolves. Items a
 * second, and milliseconds of each batch from the call to the promise.
 */
async function write(catalog, made) {
  const times = [];
  const visible = async (batch) => {
    const begin = performance.now();
    await catalog.upsert(batch);
    times.push(performance.now() - begin);
    if (!batch.every((item) => catalog.has(item.id))) throw new Error('an item was not visible');
  };
  const start = performance.now();
  let before = Promise.resolve();
  for (const batch of made) {
    const written = visible(batch);
    await before;
    before = written;
  }
  await before;
  return { rate: ((made.length * batchSize) / (performance.now() - start)) * 1000, times };
}

/** Keeps so many queries in flight until told to stop; milliseconds of each. */
function startQueries(feed, together) {
  const times = [];
  let running = true;
  const oneAfterTheOther = async () => {
    while (running) {
      const query = { userVector: { space: 'content', values: vector() }, now, limit: 50 };
      const start = performance.now();
      await feed.rank(query);
      times.push(performance.now() - start);
    }
  };
  const ended = Promise.all(Array.from({ length: together }, oneAfterTheOther));
  return async () => {
    running = false;
    await ended;
    return times;
  };
}

/** What was just written must be found by its own vector, in the very next query. */
async function checkFound(catalog, batch) {
  for (const item of batch.slice(0, 20)) {
    const vectors = item.embeddings.content;
    const [found] = await catalog.retrieve({
      space: 'content',
      vectors,
      k: 5,
      tauMs: Infinity,
      now,
    });
    if (!found.ids.includes(item.id)) throw new Error(`${item.id} was not found by its vector`);
  }
}

const spreads = (lists) =>
  Object.fromEntries(
    Object.entries(lists).map(([name, list]) => [
      name,
      {
        count: list.length,
        median: quantile(ascending(list), 0.5),
        p99: quantile(ascending(list), 0.99),
        slowest: Math.max(...list),
      },
    ]),
  );

async function main() {
  const catalog = await feedrank.Catalog.create({
    ids: 'string',
    spaces: { content: { dimensions } },
  });
  let next = 0;
  const makeRound = (count) =>
    Array.from({ length: count }, () => {
      next += batchSize;
      return makeBatch(next - batchSize);
    });
  const feed = await feedrank.Feed.create({
    catalog,
    generators: [feedrank.decayedDot({ space: 'content' }), feedrank.fresh()],
    ranker: feedrank.weightedSum({ age: -1 }),
    // A budget would hide cost: what does not fit is skipped.
    profile: { budgetMs: 10_000 },
  });
  await write(catalog, makeRound(startingItems / batchSize));
  const rates = {};
  const queryMs = {};
  const batchMs = {};
  const keep = (lists, name, values) => (lists[name] ??= []).push(...values);
  // The first round warms up.
  for (let round = 0; round <= rounds; round++) {
    const kept = round > 0;
    for (const queries of [0, 1, 8]) {
      const beside = `beside ${queries} queries`;
      const batches = makeRound(batchesAtOnce);
      const stop = startQueries(feed, queries);
      const inserting = await write(catalog, batches);
      const replacing = await write(catalog, batches);
      const times = await stop();
      await checkFound(catalog, batches.at(-1));
      if (kept) {
        keep(rates, `inserting ${beside}`, [inserting.rate]);
        keep(rates, `replacing ${beside}`, [replacing.rate]);
        keep(batchMs, beside, [...inserting.times, ...replacing.times]);
        if (queries > 0) keep(queryMs, `${queries} beside writes`, times);
      }
      if (queries === 0) continue;
      const alone = startQueries(feed, queries);
      await setTimeout(1_000);
      const timesAlone = await alone();
      if (kept) keep(queryMs, `${queries} alone`, timesAlone);
    }
  }
  const perThousand = rates['inserting beside 1 queries'].map((rate) => 1e6 / rate);
  return {
    id: 'upsert-typescript',
    work: `${batchSize} items × ${dimensions} through Catalog.upsert beside queries, from objects to visible (ms)`,
    ours: {
      median: quantile(ascending(perThousand), 0.5),
      low: Math.min(...perThousand),
      high: Math.max(...perThousand),
    },
    peers: [],
    itemsPerSecond: Object.fromEntries(
      Object.entries(rates).map(([name, list]) => [
        name,
        { low: Math.min(...list), median: quantile(ascending(list), 0.5), high: Math.max(...list) },
      ]),
    ),
    batchMs: spreads(batchMs),
    queryMs: spreads(queryMs),
    items: catalog.size,
    bytesPerItem: catalog.bytes / catalog.size,
  };
}

main().then((row) => process.stdout.write(JSON.stringify(row)));
