'use strict';

// The end-to-end rows: throughput at p99 < 30 ms of whole stacks on the same requests.

const fs = require('node:fs');
const path = require('node:path');
const { setTimeout: sleep } = require('node:timers/promises');
const { dataFolder, recall, writeOnnx } = require('../comparisons');
const { Contender } = require('../contender');
const { providePeers } = require('../peers/provide');
const { readDataSet } = require('../peers/data-set');
const { findCapacity, loadAt, targetMs } = require('./capacity');
const { task } = require('./task');

const passes = 2;
const here = (file) => path.join(__dirname, file);

const ours = ['exact', 'approximate'].flatMap((retrieval) =>
  ['float32', 'bfloat16'].map((precision) => ({
    name: `feedrank ${precision}, ${retrieval} retrieval`,
    kind: 'ours',
    file: 'feedrank-service.js',
    args: [precision, retrieval],
  })),
);
const rows = [
  {
    id: 'end-to-end-npm',
    peers: [
      {
        name: 'usearch HNSW, τ per request, JavaScript, onnxruntime-node',
        kind: 'node',
        file: '../peers/npm-service.js',
        args: ['request'],
        goal: 3,
      },
      {
        name: 'usearch HNSW, τ baked in, JavaScript, onnxruntime-node',
        kind: 'node',
        file: '../peers/npm-service.js',
        args: ['baked'],
        goal: 2,
      },
    ],
  },
  {
    id: 'end-to-end-python',
    peers: [
      {
        name: 'Python: faiss flat, τ baked in, numpy, ONNX Runtime',
        kind: 'python',
        file: '../peers/python_service.py',
        args: [],
        goal: 3,
      },
    ],
  },
];

/** A service and the load on it, each in a process of its own. */
class Stack {
  constructor(stack, service, load) {
    this.stack = stack;
    this.service = service;
    this.load = load;
    this.capacities = [];
  }

  static async start(stack, folder, { python, missing }) {
    if (missing[stack.kind] !== undefined) throw new Error(missing[stack.kind]);
    const socket = path.join(folder, `${path.basename(stack.file)}-${stack.args.join('-')}.socket`);
    fs.rmSync(socket, { force: true });
    const [first, ...more] = stack.args;
    const args = [
      here(stack.file),
      folder,
      socket,
      ...(first === undefined ? [] : [first, ...more]),
    ];
    const program = stack.kind === 'python' ? python : process.execPath;
    const service = await Contender.start(stack.name, program, args);
    const { queries } = readDataSet(folder, task.set);
    const load = await Contender.start('load', process.execPath, [
      here('load.js'),
      socket,
      queries,
    ]);
    return new Stack(stack, service, load);
  }

  kill() {
    this.service.kill();
    this.load.kill();
  }

  get best() {
    return this.capacities.reduce((a, b) => (a.rate > b.rate ? a : b));
  }

  async capacity() {
    const around = this.capacities[0]?.rate;
    const found = await findCapacity(this.load, around === undefined ? {} : { around, steps: 3 });
    if (found !== undefined) this.capacities.push(found);
  }

  /** At half of capacity: latency, and what the event loop's delay gains over idle. */
  async atHalf() {
    await this.service.ask('delay');
    await sleep(3_000);
    const idle = await this.service.ask('delay');
    const latency = await loadAt(this.load, this.best.rate / 2, 6);
    const loaded = await this.service.ask('delay');
    return {
      p99: latency.p99,
      median: latency.median,
      eventLoopP99: loaded.eventLoopP99,
      eventLoopP99Idle: idle.eventLoopP99,
      residentMB: loaded.residentMB,
    };
  }
}

/** The ids of the candidates that there should be, by brute force in double precision. */
function trueCandidates(data, queries) {
  return Array.from({ length: queries }, (_, q) => {
    const query = data.query(q);
    const scores = new Float64Array(data.items);
    for (let i = 0, at = 0; i < data.items; i++) {
      let sum = 0;
      for (let d = 0; d < data.dimensions; d++, at++) sum += query[d] * data.vectors[at];
      scores[i] = sum * Math.exp(-data.ages[i] / data.tauMs);
    }
    const least = Float64Array.from(scores).sort()[data.items - task.candidates];
    const ids = [];
    scores.forEach((score, i) => score >= least && ids.push(i));
    return ids;
  });
}

function reported(stack, half, found) {
  const { rate, median, low, high, p99 } = stack.best;
  return {
    name: stack.stack.name,
    median,
    low,
    high,
    p99,
    throughput: rate,
    throughputOfPasses: stack.capacities.map((capacity) => capacity.rate),
    halfLoad: half,
    recall2000: found,
    ...(stack.service.about.versions ?? {}),
  };
}

/** Whether this build of feedrank has the precision. */
async function startOurs(folder, provided) {
  const started = [];
  const skipped = [];
  for (const stack of ours) {
    try {
      started.push(await Stack.start(stack, folder, provided));
    } catch (error) {
      skipped.push({ name: stack.name, reason: error.message });
    }
  }
  return { started, skipped };
}

async function endToEnd({ id, peers }) {
  const folder = await dataFolder(task.set);
  await dataFolder('ranker');
  await dataFolder('stored');
  const provided = await providePeers();
  if (provided.missing.python === undefined) await writeOnnx(folder, provided);
  const { started, skipped } = await startOurs(folder, provided);
  try {
    for (const peer of peers) {
      try {
        started.push(await Stack.start(peer, folder, provided));
      } catch (error) {
        skipped.push({ name: peer.name, reason: error.message });
      }
    }
    for (let pass = 0; pass < passes; pass++) {
      for (const stack of started) await stack.capacity();
    }
    const queries = 4;
    const truth = trueCandidates(readDataSet(folder, task.set), queries);
    const results = [];
    for (const stack of started) {
      if (stack.capacities.length === 0) {
        skipped.push({ name: stack.stack.name, reason: `no rate has a p99 below ${targetMs} ms` });
        continue;
      }
      const half = await stack.atHalf();
      const found = recall(await stack.service.ask(`candidates ${queries}`), truth);
      results.push({ stack, row: reported(stack, half, found) });
    }
    return rowOf(id, peers, results, skipped);
  } finally {
    for (const stack of started) stack.kill();
  }
}

function rowOf(id, peers, results, skipped) {
  const own = results.filter(({ stack }) => stack.stack.kind === 'ours').map(({ row }) => row);
  const others = results.filter(({ stack }) => stack.stack.kind !== 'ours');
  if (own.length === 0) return { id, skipped };
  const best = own.reduce((a, b) => (a.throughput > b.throughput ? a : b));
  const withRatios = others.map(({ stack, row }) => ({
    ...row,
    ratio: row.throughput / best.throughput,
    timesThroughput: best.throughput / row.throughput,
    timesThroughputWanted: stack.stack.goal,
  }));
  return {
    id,
    work:
      `1,000,000 items × 64, ${task.candidates} candidates, ${task.features} features, ` +
      `128–512–256–1, top ${task.limit}: latency (ms) at the highest rate with p99 < ${targetMs} ms`,
    ours: best,
    otherPrecisions: own.filter((row) => row !== best),
    peers: withRatios,
    ratio: withRatios.length === 0 ? null : Math.max(...withRatios.map(({ ratio }) => ratio)),
    ...(skipped.length === 0 ? {} : { skipped }),
  };
}

module.exports = { Stack, endToEnd, rows };
