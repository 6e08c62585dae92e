'use strict';

// node bench/budget.js [--budgets 30,10] [--items 1000000] [--seconds 5] [--threads 2] [--json FILE]
//
// What a latency budget holds under load, by open-loop load from a process of its own on a service in
// another: capacity, which is the highest rate at which 99% of all requests are answered within the
// budget; and what comes of rates up to twice that. Beside it, the capacity of full answers alone.

const { fork } = require('node:child_process');
const { mkdtempSync } = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { parseArgs } = require('node:util');
const Table = require('cli-table3');
const { sayMachine, writeRows } = require('./measured-rows');

const queryCount = 64;
const factors = [0.5, 0.75, 1, 1.5, 2];

/** A child process that answers one message at a time. */
async function start(file, ...args) {
  const child = fork(path.join(__dirname, 'budget', file), args.map(String));
  let settle = {};
  child.on('message', (message) => settle.resolve(message));
  child.on('exit', () => settle.reject?.(new Error(`${file} ended`)));
  const answer = () => new Promise((resolve, reject) => (settle = { resolve, reject }));
  await answer();
  const ask = (message) => {
    child.send(message);
    return answer();
  };
  const stop = () => {
    child.removeAllListeners();
    child.kill();
  };
  return { ask, stop };
}

const holds = ({ offered, inTime }) => inTime >= 0.99 * offered;

/**
 * The highest rate that holds, within a seventh; 0 where none does. Goes down from one that is too
 * high. Further tries let hiccups of a shared machine pass.
 */
async function findCapacity(measure, highest) {
  for (let rate = highest; rate > 0.1 * highest; rate *= 0.85) {
    for (let attempt = 0; attempt < 3; attempt++) {
      const found = await measure(rate);
      if (holds(found)) return found;
      // Not even nearly.
      if (found.inTime < 0.97 * found.offered) break;
    }
  }
  return { rate: 0, goodput: 0 };
}

async function measureBudget(budgetMs, { service, load, seconds }) {
  const at = async (rate, servedMs) => {
    await service.ask({ budgetMs: servedMs });
    const found = await load.ask({ rate, seconds, budgetMs });
    return { ...found, ...(await service.ask({})) };
  };
  await service.ask({ budgetMs: null });
  const { rate: throughput } = await load.ask({ inFlight: 4, seconds: 2 });
  const alone = await load.ask({ inFlight: 1, seconds: 1 });
  // Where one request alone takes longer, there is nothing to look for.
  const highest = alone.median > budgetMs ? 0 : throughput;
  const full = await findCapacity((rate) => at(rate, null), highest);
  // What is answered in time far beyond capacity is about what can be.
  const overload = await at(3 * throughput, budgetMs);
  const capacity = await findCapacity((rate) => at(rate, budgetMs), 1.1 * overload.goodput);
  const steps = [];
  for (const factor of capacity.rate > 0 ? factors : []) {
    steps.push({ factor, ...(await at(factor * capacity.rate, budgetMs)) });
  }
  return {
    budgetMs,
    fullCapacity: full.rate,
    capacity: capacity.rate,
    atCapacity: capacity,
    steps,
  };
}

function show({ budgetMs, capacity, fullCapacity, atCapacity, steps }) {
  const table = new Table({
    style: { head: [], border: [] },
    head: [
      ...['load', 'requests/s', 'in time', 'goodput', 'of capacity', 'refused', 'p50', 'p99'],
      ...['full', 'smaller', 'dot', 'ranked', 'q', 'overlap', 'loop p99'],
    ],
  });
  const percent = (share) => `${(100 * share).toFixed(1)}%`;
  for (const step of steps) {
    const { tiers } = step;
    table.push([
      `${step.factor}×`,
      step.rate.toFixed(0),
      percent(step.withinBudget),
      step.goodput.toFixed(0),
      (step.goodput / atCapacity.goodput).toFixed(2),
      percent(step.refused / step.offered),
      step.p50?.toFixed(1) ?? '',
      step.p99?.toFixed(1) ?? '',
      percent(tiers.full),
      percent(tiers.smaller),
      percent(tiers['decayed-dot']),
      step.ranked.toFixed(0),
      step.quality.toFixed(2),
      percent(step.overlap),
      step.eventLoopDelayP99Ms.toFixed(1),
    ]);
  }
  console.log(
    `budget ${budgetMs} ms: capacity ${capacity.toFixed(0)} requests/s ` +
      `(of full answers alone ${fullCapacity.toFixed(0)})`,
  );
  console.log(table.toString());
}

async function main() {
  const { values } = parseArgs({
    options: {
      budgets: { type: 'string', default: '30,10' },
      items: { type: 'string', default: '1000000' },
      seconds: { type: 'string', default: '4' },
      threads: { type: 'string', default: '2' },
      json: { type: 'string' },
    },
  });
  const socket = path.join(mkdtempSync(path.join(os.tmpdir(), 'feedrank-budget-')), 'socket');
  const service = await start('service.js', socket, values.items, queryCount, values.threads);
  const load = await start('load.js', socket, queryCount);
  try {
    await load.ask({ learn: true });
    const rows = [];
    for (const budget of values.budgets.split(',').map(Number)) {
      const row = await measureBudget(budget, { service, load, seconds: Number(values.seconds) });
      rows.push(row);
      show(row);
    }
    sayMachine();
    writeRows(values.json, rows);
  } finally {
    service.stop();
    load.stop();
  }
}

void main();
