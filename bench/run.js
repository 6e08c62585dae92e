'use strict';

// npm run bench -- [--json FILE] [--only ID]: each benchmark in a process of its own, one table.

const { execFile } = require('node:child_process');
const { writeFileSync } = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { parseArgs, promisify } = require('node:util');
const { compare, comparisons } = require('./comparisons');
const endToEnd = require('./end-to-end/rows');
const { floorOf } = require('./floors');
const { buildNative, listNative, runNative } = require('./native-benchmarks');
const { tableOf } = require('./table');

const ofNode = [
  { id: 'event-loop-delay', file: 'event-loop.js', flags: [] },
  { id: 'memory-growth', file: 'memory.js', flags: ['--expose-gc'] },
  { id: 'record-typescript', file: 'record.js', flags: [] },
  { id: 'upsert-typescript', file: 'upsert.js', flags: [] },
  { id: 'distinct-users', file: 'distinct-users.js', flags: ['--expose-gc'] },
  { id: 'explanations', file: 'explanations.js', flags: [] },
];

/** @param {{ file: string, flags: string[] }} benchmark */
async function runInNode({ file, flags }) {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [...flags, path.join(__dirname, file)],
    { maxBuffer: 2 ** 26 },
  );
  return JSON.parse(stdout);
}

/** The least time that a row's work can take here; measured once, when the first row asks. */
let machine;
async function withFloor(row) {
  machine ??= await runNative('machine');
  return { ...row, floor: floorOf(row.id, machine) };
}

/** Each benchmark's id, and what runs it; the native ones are compiled only where one may be run. */
async function benchmarksFor(only) {
  const all = ofNode.map((benchmark) => ({ id: benchmark.id, run: () => runInNode(benchmark) }));
  if (all.some(({ id }) => id === only)) return all;
  await buildNative();
  const compared = [
    ...comparisons.map((row) => ({
      id: row.id,
      run: async () => withFloor(await compare(row)),
    })),
    ...endToEnd.rows.map((row) => ({
      id: row.id,
      run: async () => withFloor(await endToEnd.endToEnd(row)),
    })),
  ];
  const taken = new Set(compared.map(({ id }) => id));
  const peers = new Set(comparisons.flatMap((row) => row.peers.map(({ id }) => id)));
  const native = (await listNative()).filter((id) => !taken.has(id) && !peers.has(id));
  return [...compared, ...all, ...native.map((id) => ({ id, run: () => runNative(id) }))];
}

async function main() {
  const { values } = parseArgs({
    options: { json: { type: 'string' }, only: { type: 'string' } },
  });
  const benchmarks = await benchmarksFor(values.only);
  const chosen = benchmarks.filter(({ id }) => values.only === undefined || id === values.only);
  if (chosen.length === 0) {
    const known = benchmarks.map(({ id }) => id).join(', ');
    process.stderr.write(`feedrank: INVALID_ARGUMENT: --only: expected one of ${known}\n`);
    process.exitCode = 2;
    return;
  }
  const rows = [];
  for (const benchmark of chosen) {
    if (process.stderr.isTTY) process.stderr.write(`${benchmark.id}\n`);
    // One that fails is told as such, and the others are measured all the same.
    const failed = (error) => ({ id: benchmark.id, failed: error.message });
    rows.push(await benchmark.run().catch(failed));
    if (rows.at(-1).failed !== undefined) process.exitCode = 1;
  }
  const status = require('..').runtimeStatus();
  const report = {
    machine: {
      cpu: os.cpus()[0].model,
      cores: os.cpus().length,
      memoryGiB: os.totalmem() / 2 ** 30,
    },
    versions: {
      node: process.version,
      feedrank: status.version,
      libtorch: status.libtorchVersion,
      ...Object.assign({}, ...rows.map((row) => row.versions)),
    },
    rows,
  };
  if (values.json !== undefined) writeFileSync(values.json, JSON.stringify(report, null, 2));
  process.stdout.write(tableOf(report));
}

main().catch((error) => {
  process.stderr.write(`feedrank: BENCH_FAILED: ${error.message}\n`);
  process.exitCode = 1;
});
