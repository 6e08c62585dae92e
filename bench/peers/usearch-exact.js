'use strict';

// usearch's exactSearch over vectors with decay folded in.

const { parseArgs } = require('node:util');
const { exactSearch } = require('usearch');
const { decayedVectors, readDataSet } = require('./data-set');
const { serveRounds } = require('./rounds');
const { versionOf } = require('./version-of');

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    set: { type: 'string' },
    together: { type: 'string', default: '1' },
    threads: { type: 'string', default: '1' },
    k: { type: 'string', default: '500' },
  },
});
const data = readDataSet(values.data, values.set);
const { dimensions } = data;
const together = Number(values.together);
const vectors = decayedVectors(data);
const batches = Array.from({ length: data.queries / together }, (_, b) => {
  const batch = new Float32Array(together * dimensions);
  for (let q = 0; q < together; q++) batch.set(data.query(b * together + q), q * dimensions);
  return batch;
});
const search = (batch) =>
  exactSearch(vectors, batch, dimensions, Number(values.k), 'ip', Number(values.threads));

serveRounds(
  (number) => search(batches[number % batches.length]),
  { versions: { usearch: versionOf('usearch') } },
  () => ({
    answers: Array.from({ length: 8 }, (_, q) => {
      const found = search(data.query(q));
      return Array.from((found.keys ?? found.get(0).keys).subarray(0, Number(values.k)), Number);
    }),
  }),
);
