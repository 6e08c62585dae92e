'use strict';

const { execFile } = require('node:child_process');
const path = require('node:path');
const { promisify } = require('node:util');

const run = promisify(execFile);
const root = path.join(__dirname, '..');
const executable = path.join(root, 'build', 'feedrank_bench');

/** Builds the native benchmarks, which nothing else needs, in the folder that the addon is built in. */
async function buildNative() {
  await run('cmake', ['--build', path.join(root, 'build'), '--target', 'feedrank_bench'], {
    maxBuffer: 2 ** 26,
  });
}

/** @returns {Promise<string[]>} the ids of the native benchmarks */
async function listNative() {
  const { stdout } = await run(executable, ['--list']);
  return stdout.trim().split('\n');
}

/** @param {string} id */
async function runNative(id) {
  const { stdout } = await run(executable, ['--only', id]);
  return JSON.parse(stdout);
}

/** Writes a data set, or the ranker, for the native benchmarks and their peers. */
async function writeData(name, folder) {
  await run(executable, ['--write-data', name, '--data', folder]);
}

module.exports = { buildNative, executable, listNative, runNative, writeData };
