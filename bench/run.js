'use strict';

// npm run bench -- [--json FILE] [--only ID]: each benchmark in a process of its own, one table.

const { execFile } = require('node:child_process');
const { writeFileSync } = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { parseArgs, promisify } = require('node:util');
const Table = require('cli-table3');
const { buildNative, listNative, runNative } = require('./native-benchmarks');

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

/** Each benchmark's id, and what runs it; the native ones are compiled only where one may be run. */
async function benchmarksFor(only) {
  const all = ofNode.map((benchmark) => ({ id: benchmark.id, run: () => runInNode(benchmark) }));
  if (all.some(({ id }) => id === only)) return all;
  await buildNative();
  const native = await listNative();
  return [...all, ...native.map((id) => ({ id, run: () => runNative(id) }))];
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
  for (const benchmark of chosen) rows.push(await benchmark.run());
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
    },
    rows,
  };
  if (values.json !== undefined) writeFileSync(values.json, JSON.stringify(report, null, 2));
  const table = new Table({ head: ['id', 'ours', 'beside it'] });
  const shown = (measured) =>
    Object.entries(measured)
      .filter(([, value]) => typeof value === 'number')
      .map(([name, value]) => `${name} ${value.toFixed(Math.abs(value) < 10 ? 3 : 2)}`)
      .join('  ');
  for (const { id, work, ours, peers, added, growth, rankMs, ranksPerSecond } of rows) {
    table.push([
      `${id}\n${work}`,
      shown(ours),
      [
        ...(peers ?? []).map((peer) => `${peer.name}: ${shown(peer)}`),
        shown({ added, growth, ranksPerSecond }),
        ...(rankMs === undefined ? [] : [`one rank (ms): ${shown(rankMs)}`]),
      ].join('\n'),
    ]);
  }
  process.stdout.write(`${table.toString()}\n`);
  process.stdout.write(
    `${report.machine.cpu}, ${report.machine.cores} cores, Node ${process.version}, LibTorch ${status.libtorchVersion}\n`,
  );
}

main();
