'use strict';

const path = require('node:path');
const { parentPort, workerData } = require('node:worker_threads');
const { InferenceSession, Tensor } = require('onnxruntime-node');
const { Index } = require('usearch');
const { readDataSet } = require('./data-set');
const { hour, task } = require('../end-to-end/task');

const { folder, kind, index: given, stored } = workerData;
/** How many are found where decay comes afterwards. */
const beforeDecay = 4_000;

/** Positions of the `count` highest scores, in no order. */
function highest(scores, count) {
  if (scores.length <= count) return Array.from(scores, (_, i) => i);
  const sorted = Float32Array.from(scores).sort();
  const least = sorted[sorted.length - count];
  const found = [];
  for (let i = 0; i < scores.length; i++) if (scores[i] >= least) found.push(i);
  return found.slice(0, count);
}

async function main() {
  const data = readDataSet(folder, task.set);
  const { dimensions, tauMs } = data;
  const index = new Index(given.settings);
  index.load(given.file);
  const session = await InferenceSession.create(path.join(folder, 'ranker.onnx'), {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
  });

  /** Ids, and dot products where the graph gives them. */
  function retrieve(query) {
    if (kind === 'baked') {
      const augmented = new Float32Array(dimensions + 1);
      augmented.set(query);
      return { ids: Array.from(index.search(augmented, task.candidates, 1).keys, Number) };
    }
    const { keys, distances } = index.search(query, beforeDecay, 1);
    const found = Array.from(keys, Number);
    const scores = new Float32Array(found.length);
    for (let i = 0; i < found.length; i++) {
      scores[i] = (1 - distances[i]) * Math.exp(-data.ages[found[i]] / tauMs);
    }
    const best = highest(scores, task.candidates);
    return { ids: best.map((i) => found[i]), dots: best.map((i) => 1 - distances[i]) };
  }

  function dot(query, id) {
    let sum = 0;
    const begin = id * dimensions;
    for (let d = 0; d < dimensions; d++) sum += query[d] * data.vectors[begin + d];
    return sum;
  }

  const matrix = new Float32Array(task.candidates * task.features);

  function fillFeatures(query, { ids, dots }) {
    for (let i = 0; i < ids.length; i++) {
      const from = ids[i] * task.stored;
      const to = i * task.features;
      for (let c = 0; c < task.stored; c++) matrix[to + c] = stored[from + c];
      matrix[to + task.stored] = dots === undefined ? dot(query, ids[i]) : dots[i];
      matrix[to + task.stored + 1] = Math.log1p(data.ages[ids[i]] / hour);
    }
    return matrix.subarray(0, ids.length * task.features);
  }

  async function rank(query) {
    const found = retrieve(query);
    const features = fillFeatures(query, found);
    const input = new Tensor('float32', features, [found.ids.length, task.features]);
    const scores = (await session.run({ features: input })).scores.data;
    return highest(scores, task.limit)
      .sort((a, b) => scores[b] - scores[a])
      .map((i) => found.ids[i]);
  }

  await rank(data.query(0));
  parentPort.on('message', async ({ number, query, candidates }) => {
    const vector = data.query(query);
    const ids = candidates ? retrieve(vector).ids : await rank(vector);
    parentPort.postMessage({ number, ids });
  });
  parentPort.postMessage({ ready: true });
}

main();
