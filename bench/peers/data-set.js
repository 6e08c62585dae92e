'use strict';

const { openSync, readSync, closeSync, readFileSync, statSync } = require('node:fs');
const path = require('node:path');

/** Reads what feedrank_bench --write-data has written into a typed array of a buffer of its own. */
function readValues(file, Type, shared = false) {
  const { size } = statSync(file);
  const buffer = shared ? new SharedArrayBuffer(size) : new ArrayBuffer(size);
  const bytes = new Uint8Array(buffer);
  const descriptor = openSync(file, 'r');
  for (let at = 0; at < size;) {
    at += readSync(descriptor, bytes, at, Math.min(size - at, 2 ** 28), at);
  }
  closeSync(descriptor);
  return new Type(buffer);
}

function readDataSet(folder, name) {
  const settings = JSON.parse(readFileSync(path.join(folder, 'settings.json'), 'utf8'));
  const read = (part, Type) => readValues(path.join(folder, `${name}.${part}`), Type);
  const vectors = read('vectors', Float32Array);
  const ages = read('ages', BigInt64Array);
  const { dimensions, tauMs } = settings;
  return {
    ...settings,
    items: ages.length,
    vectors,
    ages: Float64Array.from(ages, Number),
    weights: Float32Array.from(ages, (age) => Math.exp(-Number(age) / tauMs)),
    /** Copies, because usearch ignores a view's offset. */
    query: (
      (all) => (i) =>
        all.slice(i * dimensions, (i + 1) * dimensions)
    )(read('queries', Float32Array)),
    queries: statSync(path.join(folder, `${name}.queries`)).size / 4 / dimensions,
  };
}

/** The vectors with decay folded in, which fixes now and τ until they are made anew. */
function decayedVectors({ vectors, weights, dimensions }) {
  return vectors.map((value, i) => value * weights[Math.floor(i / dimensions)]);
}

/** With one more dimension that brings all vectors to the length of the longest. */
function augmentedVectors(vectors, dimensions) {
  const items = vectors.length / dimensions;
  const squares = new Float64Array(items);
  for (let i = 0; i < vectors.length; i++) {
    squares[Math.floor(i / dimensions)] += vectors[i] * vectors[i];
  }
  const most = squares.reduce((a, b) => Math.max(a, b), 0);
  const augmented = new Float32Array(items * (dimensions + 1));
  for (let i = 0; i < items; i++) {
    augmented.set(vectors.subarray(i * dimensions, (i + 1) * dimensions), i * (dimensions + 1));
    augmented[i * (dimensions + 1) + dimensions] = Math.sqrt(most - squares[i]);
  }
  return augmented;
}

module.exports = { augmentedVectors, decayedVectors, readDataSet, readValues };
