'use strict';

// node bench/hot-swap.js [--swaps 1000] [--rate 200] [--hidden 256] [--items 20000] [--budget 10000]
//                        [--json FILE]
//
// Swaps bundle and profile of a feed, one after the other, under open-loop load in the same process;
// each swap loads a model anew. Counts requests that failed and slates that disagree with the bundle
// they name, and watches the process's memory, without V8's own heap, which grows with the traffic.
// Exits with 1 where a request failed, a slate mixed versions, or memory grew by more than one model
// and 16 MB, which the allocator is allowed. The budget is long, so that a machine that is busy with
// something else delays requests and refuses none.

const { mkdtempSync, readFileSync, rmSync } = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { parseArgs } = require('node:util');
const { monitorEventLoopDelay } = require('node:perf_hooks');
const feedrank = require('..');
const { writeBundle } = require('../dist/bundles/write-bundle');
const { now, randomNumbers } = require('./feed-under-test');
const { quantile } = require('./quantile');
const { sayMachine, writeRows } = require('./measured-rows');

const { values } = parseArgs({
  options: {
    swaps: { type: 'string', default: '1000' },
    rate: { type: 'string', default: '200' },
    hidden: { type: 'string', default: '256' },
    budget: { type: 'string', default: '10000' },
    items: { type: 'string', default: '20000' },
    json: { type: 'string' },
  },
});
const [swaps, rate, hidden, items, budgetMs] = [
  values.swaps,
  values.rate,
  values.hidden,
  values.items,
  values.budget,
].map(Number);
/** Every so many bundles the weights of the first come again. */
const bundles = 8;
const megabyte = 2 ** 20;
/** Swaps before memory is first measured: pools of the allocator and of LibTorch fill. */
const warmUp = Math.min(100, Math.floor(swaps / 4));

/** A bundle that scores by `weight` · quality, through hidden layers that change nothing. */
async function makeBundle(folder, weight) {
  const layer = (inputs, outputs, pass) => {
    const weights = new Array(inputs * outputs).fill(0);
    pass(weights, outputs);
    return { inputs, outputs, weights, bias: new Array(outputs).fill(0) };
  };
  // relu(x) − relu(−x) = x
  const through = (weights, outputs) => (weights[0] = weights[outputs + 1] = 1);
  const layers = [
    layer(1, hidden, (weights) => ([weights[0], weights[1]] = [weight, -weight])),
    layer(hidden, hidden, through),
    layer(hidden, 1, (weights) => ([weights[0], weights[1]] = [1, -1])),
  ];
  const file = path.join(folder, `${weight}.pt`);
  await feedrank.saveScriptedNetwork({ mean: [0], scale: [1], layers }, file);
  const bundle = path.join(folder, String(weight));
  await writeBundle(bundle, {
    ranker: {
      bytes: readFileSync(file),
      features: [{ name: 'quality', source: 'column', column: 'quality' }],
      heads: [{ name: 'score', weight: 1 }],
      golden: { inputs: [[0], [1]], outputs: [[0], [weight]] },
    },
    training: {},
    data: {},
    metrics: {},
  });
  return { bundle, weight, bytes: readFileSync(file).length };
}

function nativeMegabytes() {
  const { rss, heapTotal, external } = process.memoryUsage();
  return (rss - heapTotal - external) / megabyte;
}

async function makeCatalog() {
  const random = randomNumbers(1);
  const catalog = await feedrank.Catalog.create({ ids: 'integer', columns: ['quality'] });
  const qualities = Array.from({ length: items }, () => Math.floor(random() * 64) / 64);
  await catalog.upsert(
    qualities.map((quality, id) => ({ id, publishTime: now - id * 1000, columns: { quality } })),
  );
  return { catalog, qualities };
}

/** Requests at fixed instants, however long answers take. */
function startLoad(feed, agrees) {
  const counts = { offered: 0, answered: 0, failed: 0, mixed: 0, degraded: 0 };
  const failures = new Map();
  const latencies = [];
  const pending = new Set();
  const start = performance.now();
  const send = async () => {
    counts.offered++;
    const sent = performance.now();
    try {
      const slate = await feed.rank({ now });
      latencies.push(performance.now() - sent);
      counts.answered++;
      if (slate.degraded.length > 0) counts.degraded++;
      if (!agrees(slate)) counts.mixed++;
    } catch (error) {
      counts.failed++;
      failures.set(error.code, (failures.get(error.code) ?? 0) + 1);
    }
  };
  const timer = setInterval(() => {
    while (counts.offered < ((performance.now() - start) * rate) / 1000) {
      const request = send();
      pending.add(request);
      void request.finally(() => pending.delete(request));
    }
  }, 1);
  return async () => {
    clearInterval(timer);
    const seconds = (performance.now() - start) / 1000;
    await Promise.all(pending);
    return {
      ...counts,
      failures: Object.fromEntries(failures),
      seconds,
      latencies: latencies.sort((a, b) => a - b),
    };
  };
}

async function main() {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'feedrank-hot-swap-'));
  const { catalog, qualities } = await makeCatalog();
  const made = [];
  for (let i = 0; i < bundles; i++) made.push(await makeBundle(folder, 2 ** i));
  const byChecksum = new Map();
  for (const one of made) {
    const opened = await feedrank.Bundle.open(one.bundle);
    byChecksum.set(opened.manifest.checksum, one.weight);
    opened.dispose();
  }
  // The profile that comes with a bundle of weight w weighs its head with w, too.
  const profile = (weight) => ({
    headWeights: { score: weight },
    maxCandidates: 500,
    budgetMs,
  });
  const feed = await feedrank.Feed.create({
    catalog,
    generators: [feedrank.fresh()],
    bundle: made[0].bundle,
    profile: profile(made[0].weight),
  });
  const agrees = (slate) => {
    // Where the budget left no time for a bundle's ranker, the slate says so.
    if (slate.bundle === undefined) return slate.degraded.length > 0;
    const weight = byChecksum.get(slate.bundle?.checksum);
    return (
      slate.items.length === 50 &&
      slate.items.every(
        ({ id, score, terms }) =>
          score === weight * weight * qualities[id] && terms.score === score,
      )
    );
  };
  const loop = monitorEventLoopDelay({ resolution: 1 });
  loop.enable();
  const stop = startLoad(feed, agrees);
  const memory = [];
  const swapMs = [];
  const begun = performance.now();
  for (let i = 1; i <= swaps; i++) {
    const { bundle, weight } = made[i % bundles];
    const start = performance.now();
    await feed.swapBundle(bundle, { profile: profile(weight) });
    swapMs.push(performance.now() - start);
    if (i >= warmUp) memory.push(nativeMegabytes());
  }
  const swapSeconds = (performance.now() - begun) / 1000;
  const load = await stop();
  loop.disable();
  swapMs.sort((a, b) => a - b);
  const tenth = Math.max(1, Math.floor(memory.length / 10));
  const mean = (list) => list.reduce((sum, value) => sum + value, 0) / list.length;
  const row = {
    swaps,
    swapsPerSecond: swaps / swapSeconds,
    swapMs: { p50: quantile(swapMs, 0.5), p99: quantile(swapMs, 0.99) },
    requests: load.offered,
    requestsPerSecond: load.offered / load.seconds,
    answered: load.answered,
    failed: load.failed,
    failures: load.failures,
    mixed: load.mixed,
    degraded: load.degraded,
    rankMs: { p50: quantile(load.latencies, 0.5), p99: quantile(load.latencies, 0.99) },
    eventLoopDelayP99Ms: loop.percentile(99) / 1e6,
    modelFileMb: made[0].bytes / megabyte,
    nativeMb: {
      first: mean(memory.slice(0, tenth)),
      last: mean(memory.slice(-tenth)),
      highest: Math.max(...memory),
    },
  };
  console.log(JSON.stringify(row, null, 2));
  sayMachine();
  writeRows(values.json, [row]);
  feed.dispose();
  rmSync(folder, { recursive: true, force: true });
  // The file, and as much again: a model's weights are laid out anew for the processor.
  const grown = row.nativeMb.last - row.nativeMb.first;
  if (row.failed > 0 || row.mixed > 0 || grown > 2 * row.modelFileMb + 16) process.exitCode = 1;
}

void main();
