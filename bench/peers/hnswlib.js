'use strict';

// hnswlib-node: a graph over vectors with decay folded in. Unequal lengths make a poor graph for
// inner products, so one more dimension brings all to one length, and distances order as inner
// products do. It is built once and kept.

const fs = require('node:fs');
const path = require('node:path');
const { parseArgs } = require('node:util');
const { HierarchicalNSW } = require('hnswlib-node');
const { augmentedVectors, decayedVectors, readDataSet } = require('./data-set');
const { cache } = require('./provide');
const { serveRounds } = require('./rounds');
const { versionOf } = require('./version-of');

const { values } = parseArgs({ options: { data: { type: 'string' }, set: { type: 'string' } } });
const k = 500;
const data = readDataSet(values.data, values.set);
const width = data.dimensions + 1;
const index = new HierarchicalNSW('l2', width);
const version = versionOf('hnswlib-node');
const file = path.join(
  cache,
  'bench-indexes',
  `hnswlib-${version}-${values.set}-${data.items}.bin`,
);

if (fs.existsSync(file)) {
  index.readIndexSync(file);
} else {
  const vectors = augmentedVectors(decayedVectors(data), data.dimensions);
  index.initIndex(data.items, 16, 100, 1);
  for (let i = 0; i < data.items; i++) {
    index.addPoint(Array.from(vectors.subarray(i * width, (i + 1) * width)), i);
  }
  fs.mkdirSync(path.dirname(file), { recursive: true });
  index.writeIndexSync(`${file}.tmp`);
  fs.renameSync(`${file}.tmp`, file);
}
index.setEf(1_000);
const queries = Array.from({ length: data.queries }, (_, q) => [...data.query(q), 0]);
const search = (number) => index.searchKnn(queries[number % queries.length], k);

serveRounds(search, { versions: { hnswlibNode: version } }, () => ({
  answers: Array.from({ length: 8 }, (_, q) => search(q).neighbors),
}));
