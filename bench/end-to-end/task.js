'use strict';

// The work that every stack of the end-to-end comparison does: of 1,000,000 items × 64 the 2,000
// candidates with the highest dot(user, item) · exp(−age/τ), 128 features of each (126 that are
// stored with the item, the dot product and the age), the network 128–512–256–1, and the best 50.

const path = require('node:path');
const { readDataSet, readValues } = require('../peers/data-set');

const task = { set: 'clustered', candidates: 2_000, stored: 126, features: 128, limit: 50 };
const hour = 3_600_000;

/** Data set and stored features, the latter in memory that threads share. */
function readTask(folder) {
  const data = readDataSet(folder, task.set);
  return { ...data, ...task, stored: readStored(folder), width: task.stored };
}

function readStored(folder) {
  return readValues(path.join(folder, 'stored.features'), Float32Array, true);
}

module.exports = { hour, readStored, readTask, task };
