'use strict';

// What npm has: usearch's HNSW, features in JavaScript, onnxruntime-node, in two worker_threads,
// because each of these blocks the thread that calls it.
//
//     node npm-service.js DATA SOCKET request|baked
//
// `request`: the graph is over the items' own vectors, 4,000 are found, and decay is applied
// afterwards, so τ and now may differ from request to request. `baked`: the graph is over decayed
// vectors, and has to be built anew as time passes.

const fs = require('node:fs');
const path = require('node:path');
const { Worker } = require('node:worker_threads');
const { Index } = require('usearch');
const { augmentedVectors, decayedVectors } = require('./data-set');
const { cache } = require('./provide');
const { versionOf } = require('./version-of');
const { readTask } = require('../end-to-end/task');
const { serveSocket } = require('../end-to-end/serve-socket');

const [, , folder, socket, kind] = process.argv;
const workers = 2;

/** Builds the graph, which takes minutes, once. */
function provideIndex(data) {
  const version = versionOf('usearch');
  const name = `usearch-${version}-${data.set}-${kind}-${data.items}.bin`;
  const file = path.join(cache, 'bench-indexes', name);
  const width = data.dimensions + (kind === 'baked' ? 1 : 0);
  const settings = {
    dimensions: width,
    metric: kind === 'baked' ? 'l2sq' : 'ip',
    quantization: 'f32',
    connectivity: 16,
    expansion_add: 128,
    expansion_search: 64,
  };
  if (!fs.existsSync(file)) {
    const vectors =
      kind === 'baked' ? augmentedVectors(decayedVectors(data), data.dimensions) : data.vectors;
    const index = new Index(settings);
    const batch = 10_000;
    for (let begin = 0; begin < data.items; begin += batch) {
      const end = Math.min(data.items, begin + batch);
      const keys = BigUint64Array.from({ length: end - begin }, (_, i) => BigInt(begin + i));
      index.add(keys, vectors.slice(begin * width, end * width), workers);
    }
    fs.mkdirSync(path.dirname(file), { recursive: true });
    index.save(`${file}.tmp`);
    fs.renameSync(`${file}.tmp`, file);
  }
  return { file, settings };
}

async function main() {
  const data = readTask(folder);
  const index = provideIndex(data);
  const idle = [];
  const waiting = [];
  const pending = new Map();
  let next = 0;

  function dispatch() {
    while (idle.length > 0 && waiting.length > 0) {
      const { job, resolve } = waiting.shift();
      const worker = idle.pop();
      pending.set(next, { resolve, worker });
      worker.postMessage({ number: next++, ...job });
    }
  }
  const ask = (job) =>
    new Promise((resolve) => {
      waiting.push({ job, resolve });
      dispatch();
    });
  const start = () =>
    new Promise((resolve, reject) => {
      const worker = new Worker(path.join(__dirname, 'npm-worker.js'), {
        workerData: { folder, kind, index, stored: data.stored },
      });
      worker.on('error', reject);
      worker.on('message', (message) => {
        if (message.ready) {
          idle.push(worker);
          return resolve();
        }
        const { resolve: answer, worker: free } = pending.get(message.number);
        pending.delete(message.number);
        idle.push(free);
        dispatch();
        answer(message.ids);
      });
    });
  await Promise.all(Array.from({ length: workers }, start));
  serveSocket(socket, {
    rank: (query) => ask({ query }),
    candidates: (query) => ask({ query, candidates: true }),
    about: {
      versions: {
        usearch: versionOf('usearch'),
        onnxruntimeNode: versionOf('onnxruntime-node'),
      },
    },
  });
}

main();
