'use strict';

// node bench/service.js [--items 100000] [--budget 30] [--seconds 10] [--capacity N] [--soak-minutes 5]
//                       [--json FILE]
//
// How does `feedrank serve` answer `POST /rank` at fixed rates, with a bundle that `feedrank train` has
// just written on the simulated world, and a catalog of that world? By autocannon in a process of its
// own (service/load.js says how). All the while `POST /events` brings ten readers' pages a second, some
// 150 events, so that counters and readers' histories live.
//
// Capacity is the highest rate, within a tenth, at which every answer is 200 and their 99th percentile,
// as clients see it, is within the budget; `--capacity` spares looking for it. Then come fixed shares and
// multiples of it and, where asked for, minutes at half of it in which the server's resident memory is
// read every ten seconds. The event-loop delay is the server's own, from /metrics.

const { mkdtempSync, rmSync, writeFileSync } = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { setTimeout: sleep } = require('node:timers/promises');
const { parseArgs } = require('node:util');
const Table = require('cli-table3');
const { linearRegression } = require('simple-statistics');
const { runCommand } = require('../lib/run-command');
const { provideModules } = require('../scripts/provide-modules');
const { Contender } = require('./contender');
const { sayMachine, writeRows } = require('./measured-rows');
const { versionOf } = require('./peers/version-of');
const { bringEarlier, bringEvents } = require('./service/events');
const { Service } = require('./service/service');
const { makeWorld, queryOf, writeLines } = require('./service/world');

const factors = [0.25, 0.5, 0.75, 1, 1.5, 2];
/** Within which requests teach the budget what this load costs, before any is counted. */
const settleSeconds = 2;
const trialSeconds = 5;
const sampleMs = 10_000;
const { values: flags } = parseArgs({
  options: {
    items: { type: 'string', default: '100000' },
    budget: { type: 'string', default: '30' },
    seconds: { type: 'string', default: '10' },
    capacity: { type: 'string' },
    'soak-minutes': { type: 'string' },
    json: { type: 'string' },
  },
});
const budgetMs = Number(flags.budget);

async function train(bundle) {
  const main = path.join(__dirname, '../dist/cli/main.js');
  const args = ['train', '--dataset', 'simulated', '--mode', 'rank', '--out', bundle, '--json'];
  const { code, stdout, stderr } = await runCommand(process.execPath, [main, ...args]);
  if (code !== 0) throw new Error(stderr);
  const { seconds, validation } = JSON.parse(stdout);
  console.log(`trained a bundle in ${seconds.toFixed(0)} s, AUC ${validation.auc.mean.toFixed(3)}`);
}

/** One fixed rate, and what came of it. */
async function measure({ service, load }, rate, seconds) {
  await load.ask(JSON.stringify({ rate, seconds: settleSeconds }));
  await service.metrics();
  const found = await load.ask(JSON.stringify({ rate, seconds }));
  return { ...found, loopP99: (await service.metrics()).loopP99 };
}

const holds = ({ sent, answered, p99 }) => answered === sent && p99 <= budgetMs;

/** The highest rate that holds. A second try lets one hiccup of a shared machine pass. */
async function findCapacity(stack) {
  const tryRate = async (rate) => {
    const first = await measure(stack, rate, trialSeconds);
    const isHeld = holds(first) || holds(await measure(stack, rate, trialSeconds));
    console.log(`${rate} requests/s: ${isHeld ? 'held' : 'not held'}`);
    return isHeld;
  };
  let [low, high] = [0, 50];
  while (await tryRate(high)) [low, high] = [high, 2 * high];
  while (low > 0 && high > 1.1 * low) {
    const rate = Math.round(Math.sqrt(low * high));
    if (await tryRate(rate)) low = rate;
    else high = rate;
  }
  if (low === 0) throw new Error(`not even ${high} requests/s are answered within ${budgetMs} ms`);
  return low;
}

/** Half of the capacity for some minutes, after one that is not counted, and the memory meanwhile. */
async function soak({ service, load }, rate, minutes) {
  await load.ask(JSON.stringify({ rate, seconds: 60 }));
  const samples = [];
  const begin = performance.now();
  const end = begin + 60_000 * minutes;
  const answers = load.ask(JSON.stringify({ rate, seconds: Math.round(60 * minutes) }));
  for (let due = begin; due <= end; due += sampleMs) {
    await sleep(Math.max(0, due - performance.now()));
    samples.push({ minute: (due - begin) / 60_000, ...(await service.metrics()) });
  }
  const found = await answers;
  const resident = samples.map(({ residentMB }) => residentMB);
  const slopeOf = (name) =>
    linearRegression(samples.map((sample) => [sample.minute, sample[name]])).m;
  return {
    ...{ ...found, minutes, samples },
    memoryMB: {
      ...{ first: resident[0], last: resident.at(-1) },
      ...{ low: Math.min(...resident), high: Math.max(...resident) },
      ...{ slopePerMinute: slopeOf('residentMB'), nativeSlopePerMinute: slopeOf('nativeMB') },
    },
  };
}

function show({ capacity, steps, soaked, events }) {
  const table = new Table({
    head: [
      'load',
      'asked/s',
      'sent/s',
      'p50 ms',
      'p99 ms',
      '200',
      '503',
      'other',
      'degraded',
    ].concat('loop p99 ms'),
    style: { head: [], border: [] },
  });
  const ms = (time) => time?.toFixed(1) ?? '';
  for (const { factor, ...step } of steps) {
    const { asked, sent, ratePerSecond, p50, p99, answered, refused, failed, degraded } = step;
    const share = (count) => `${((100 * count) / sent).toFixed(1)}%`;
    table.push([
      ...[`${factor}×`, asked, ratePerSecond.toFixed(1), ms(p50), ms(p99), share(answered)],
      ...[share(refused), failed, share(degraded), ms(step.loopP99)],
    ]);
  }
  console.log(`${flags.items} items, a budget of ${budgetMs} ms: capacity ${capacity} requests/s`);
  console.log(table.toString());
  const odd = [...steps, ...(soaked ? [soaked] : [])].reduce(
    (sum, { withoutRetryAfter, late }) => [sum[0] + withoutRetryAfter, sum[1] + late],
    [0, 0],
  );
  console.log(`503 without Retry-After: ${odd[0]}; answers after more than a second: ${odd[1]}`);
  console.log(`events: ${events.recorded} recorded, ${events.failed} of ${events.posted} refused`);
  if (soaked !== undefined) {
    const { minutes, asked, p50, p99, sent, answered, memoryMB } = soaked;
    const { first, last, low, high, slopePerMinute, nativeSlopePerMinute } = memoryMB;
    console.log(
      `${minutes} minutes at ${asked} requests/s: ${sent - answered} of ${sent} not answered by 200, ` +
        `p50 ${ms(p50)} ms, p99 ${ms(p99)} ms; resident ${first.toFixed(1)} MB at first, ` +
        `${last.toFixed(1)} at last, ${low.toFixed(1)} to ${high.toFixed(1)}, ` +
        `${slopePerMinute.toFixed(2)} MB a minute, of which ${nativeSlopePerMinute.toFixed(2)} ` +
        'are what the catalog, readers and counters say that they hold',
    );
  }
  const load = os.loadavg()[0].toFixed(1);
  console.log(`autocannon ${versionOf('autocannon')}; load average ${load}, this included`);
  sayMachine();
}

async function main() {
  const missing = await provideModules(path.join(__dirname, 'peers'));
  if (missing) throw new Error(`autocannon cannot be had: ${missing}`);
  const folder = mkdtempSync(path.join(os.tmpdir(), 'feedrank-bench-'));
  const file = (name) => path.join(folder, name);
  let load;
  let service;
  let stopEvents;
  try {
    await train(file('bundle'));
    const { items, impressions } = await makeWorld(Number(flags.items));
    await writeLines(file('items.jsonl'), items);
    await writeLines(file('queries.jsonl'), impressions.map(queryOf));
    writeFileSync(file('profile.json'), JSON.stringify({ budgetMs }));
    service = await Service.start([
      ...['--items', file('items.jsonl'), '--bundle', file('bundle')],
      ...['--profile', file('profile.json')],
    ]);
    load = await Contender.start('load', process.execPath, [
      ...[path.join(__dirname, 'service/load.js'), service.url, file('queries.jsonl')],
    ]);
    const later = await bringEarlier(service.url, impressions);
    stopEvents = bringEvents(service.url, later);
    const stack = { service, load };
    const capacity = flags.capacity ? Number(flags.capacity) : await findCapacity(stack);
    const steps = [];
    for (const factor of factors) {
      const rate = Math.round(factor * capacity);
      steps.push({ factor, ...(await measure(stack, rate, Number(flags.seconds))) });
    }
    const minutes = Number(flags['soak-minutes'] ?? 0);
    const soaked = minutes > 0 ? await soak(stack, Math.round(capacity / 2), minutes) : undefined;
    const row = { id: 'service', items: items.length, budgetMs, capacity, steps, soaked };
    row.events = await stopEvents();
    row.versions = { autocannon: versionOf('autocannon') };
    show(row);
    writeRows(flags.json, [row]);
    await service.stop();
  } finally {
    // A run that failed would otherwise go on bringing them.
    void stopEvents?.();
    load?.kill();
    service?.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
