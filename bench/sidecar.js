'use strict';

// What does a service save that ranks in process instead of asking a FastAPI and PyTorch sidecar?
// The same work in both: of 100,000 items × 64 the 2,000 with the highest decayed dot product, 128
// features of each, the network 128–512–256–1, the best 50. A Node.js service stands in front of either,
// asked over a Unix socket by a process of its own; the stacks take turns.
//
//     node bench/sidecar.js [--items 100000] [--rate 20] [--seconds 3] [--rounds 3] [--json FILE]

const { mkdtempSync, rmSync, writeFileSync } = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { parseArgs } = require('node:util');
const Table = require('cli-table3');
const feedrank = require('..');
const { describeMachine } = require('../dist/evaluation/machine');
const { loadAt } = require('./end-to-end/capacity');
const { Stack } = require('./end-to-end/rows');
const { hour, task } = require('./end-to-end/task');
const { randomNumbers } = require('./feed-under-test');
const { provideSidecar } = require('./peers/provide');

const dimensions = 64;
const queries = 64;
const compared = 16;
const { values: flags } = parseArgs({
  options: {
    items: { type: 'string', default: '100000' },
    rate: { type: 'string', default: '20' },
    seconds: { type: 'string', default: '3' },
    rounds: { type: 'string', default: '3' },
    json: { type: 'string' },
  },
});

/** What the stacks read, in the files that feedrank_bench writes for a larger catalog. */
async function writeTask(folder, items) {
  const random = randomNumbers(1);
  const write = (name, values) => writeFileSync(path.join(folder, name), values);
  const even = (count, bound) =>
    Float32Array.from({ length: count }, () => bound * (2 * random() - 1));
  const tauMs = 24 * hour;
  write('settings.json', JSON.stringify({ dimensions, now: 1_768_471_200_000, tauMs }));
  write(`${task.set}.vectors`, even(items * dimensions, 0.2));
  write(`${task.set}.queries`, even(queries * dimensions, 0.2));
  write(
    `${task.set}.ages`,
    BigInt64Array.from({ length: items }, () =>
      BigInt(Math.floor(-Math.log(1 - random()) * tauMs)),
    ),
  );
  write('stored.features', even(items * task.stored, 2));
  const widths = [task.features, 512, 256, 1];
  await feedrank.saveScriptedNetwork(
    {
      mean: new Float32Array(task.features),
      scale: new Float32Array(task.features).fill(1),
      layers: widths.slice(1).map((outputs, l) => ({
        inputs: widths[l],
        outputs,
        weights: even(widths[l] * outputs, Math.sqrt(6 / widths[l])),
        bias: even(outputs, 0.1),
      })),
    },
    path.join(folder, 'ranker.pt'),
  );
}

/** The share of the places of `slates` that hold the item which `others` have there. */
function agreement(slates, others) {
  const places = slates.flatMap((slate, q) => slate.map((id, place) => id === others[q][place]));
  return places.filter(Boolean).length / places.length;
}

/** Four requests always in flight: how many a second, and what processors spend on each. */
async function closedLoop({ load, service }, seconds) {
  const before = await service.ask('delay');
  const { ms, elapsedMs } = await load.ask(JSON.stringify({ closed: 4, seconds }));
  const after = await service.ask('delay');
  return {
    rate: (1000 * ms.length) / elapsedMs,
    cpuMs: (after.cpuMs - before.cpuMs) / ms.length,
    residentMB: after.residentMB,
  };
}

const spread = (values, digits) => {
  const sorted = [...values].sort((a, b) => a - b);
  const [median, low, high] = [sorted[sorted.length >> 1], sorted[0], sorted.at(-1)];
  return `${median.toFixed(digits)} (${low.toFixed(digits)}–${high.toFixed(digits)})`;
};

async function main() {
  const provided = await provideSidecar();
  const folder = mkdtempSync(path.join(os.tmpdir(), 'feedrank-bench-'));
  const stacks = [
    { name: 'feedrank in process', kind: 'ours', file: 'feedrank-service.js', args: ['float32'] },
    ...['1', '2'].map((threads) => ({
      name: `sidecar, ${threads} PyTorch thread${threads === '1' ? '' : 's'} a request`,
      kind: 'sidecar',
      file: 'sidecar-caller.js',
      args: [threads],
    })),
  ];
  const running = [];
  try {
    await writeTask(folder, Number(flags.items));
    for (const stack of stacks) running.push(await Stack.start(stack, folder, provided));
    const slates = [];
    for (const { service } of running) slates.push(await service.ask(`slates ${compared}`));
    const rows = running.map(({ stack, service }, i) => ({
      name: stack.name,
      versions: service.about.versions,
      samePlaces: agreement(slates[i], slates[0]),
      p50: [],
      p99: [],
      rate: [],
      cpuMs: [],
    }));
    const seconds = Number(flags.seconds);
    for (const stack of running) await closedLoop(stack, 1);
    for (let round = 0; round < Number(flags.rounds); round++) {
      for (const [i, stack] of running.entries()) {
        const { load } = stack;
        const { median, p99, unanswered } = await loadAt(load, Number(flags.rate), seconds);
        if (unanswered > 0) throw new Error(`${rows[i].name}: ${unanswered} without an answer`);
        rows[i].p50.push(median);
        rows[i].p99.push(p99);
        const { rate, cpuMs, residentMB } = await closedLoop(stack, seconds);
        rows[i].rate.push(rate);
        rows[i].cpuMs.push(cpuMs);
        rows[i].residentMB = residentMB;
      }
    }
    report(rows);
  } finally {
    for (const stack of running) stack.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

function report(rows) {
  const table = new Table({
    head: [
      ...['', `p50 ms at ${flags.rate}/s`, 'p99 ms', 'requests/s, 4 at once'],
      ...['processor ms a request', 'MB', 'same places'],
    ],
    style: { head: [], border: [] },
  });
  for (const row of rows) {
    const { name, p50, p99, rate, cpuMs, residentMB, samePlaces } = row;
    const times = [spread(p50, 1), spread(p99, 1), spread(rate, 0), spread(cpuMs, 1)];
    table.push([name, ...times, residentMB.toFixed(0), samePlaces.toFixed(3)]);
  }
  console.log(table.toString());
  // How busy the machine was, the benchmark included.
  const machine = { ...describeMachine(), load: os.loadavg()[0] };
  console.log(JSON.stringify({ machine, versions: rows.map((row) => row.versions) }));
  if (flags.json !== undefined) writeFileSync(flags.json, JSON.stringify({ machine, rows }));
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
