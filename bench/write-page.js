'use strict';

// Writes docs/benchmarks.md from what `npm run bench -- --json FILE` measured:
//
//     node bench/write-page.js FILE...
//
// Of several files, rows of later ones replace those of earlier ones. Every ratio is of one run.

const { execFileSync } = require('node:child_process');
const { readFileSync, writeFileSync } = require('node:fs');
const path = require('node:path');

const root = path.join(__dirname, '..');
const page = path.join(root, 'docs', 'benchmarks.md');

function number(value) {
  if (typeof value !== 'number') return '';
  if (Math.abs(value) >= 100) return value.toFixed(0);
  return value.toFixed(Math.abs(value) >= 10 ? 1 : 2);
}

/** Median, with the middle of the spread and the tail. */
function times({ median, low, p99 }) {
  return `${number(median)} (${number(low)}–${number(p99)})`;
}

function table(head, rows) {
  const line = (cells) => `| ${cells.map((cell) => String(cell ?? '')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function ratioText({ ratio, ratioLow, ratioHigh }) {
  if (typeof ratio !== 'number') return 'no peer';
  if (ratioLow === undefined) return number(ratio);
  return `${number(ratio)} (${number(ratioLow)}–${number(ratioHigh)})`;
}

function comparison(row) {
  const recall = (peer) => (peer.recall === undefined ? '' : number(peer.recall));
  const contenders = [
    ['feedrank', times(row.ours), '1', ''],
    ...row.peers.map((peer) => [
      peer.name,
      times(peer),
      number(row.ours.median / peer.median),
      recall(peer),
    ]),
  ];
  return [
    `### ${row.id}`,
    `${row.work}.`,
    table(['', 'ms', 'feedrank takes', 'recall'], contenders),
    `Ratio to the best peer of the goal: ${ratioText(row)}. Floor: ${number(row.floor)} ms.`,
    ...(row.skipped ?? []).map(({ name, reason }) => `Skipped: ${name} (${reason}).`),
  ].join('\n\n');
}

function stackOf(row, stack) {
  const { halfLoad = {} } = stack;
  return [
    stack.name,
    number(stack.throughput),
    stack.name === row.ours.name ? '1' : number(row.ours.throughput / stack.throughput),
    times(stack),
    number(halfLoad.p99),
    typeof halfLoad.eventLoopP99 === 'number'
      ? `${number(halfLoad.eventLoopP99)} (${number(halfLoad.eventLoopP99Idle)})`
      : '',
    number(stack.recall2000),
    number(halfLoad.residentMB),
  ];
}

function endToEnd(row) {
  const stacks = [row.ours, ...(row.otherPrecisions ?? []), ...row.peers];
  return [
    `### ${row.id}`,
    `${row.work}.`,
    table(
      [
        '',
        'requests/s',
        'times ours',
        'ms at that rate',
        'p99 at half of it',
        'event-loop delay p99 then (idle)',
        'recall@2000',
        'MB',
      ],
      stacks.map((stack) => stackOf(row, stack)),
    ),
    ...(row.skipped ?? []).map(({ name, reason }) => `Skipped: ${name} (${reason}).`),
  ].join('\n\n');
}

/** What a row tells besides its times. */
function extras(row) {
  return Object.entries(row)
    .filter(([name, value]) => typeof value === 'number' && name !== 'rounds' && name !== 'floor')
    .map(([name, value]) => `${name} ${number(value)}`)
    .join(', ');
}

function growth(rows, prefix) {
  return table(
    ['', 'ms', 'of which'],
    rows
      .filter(({ id }) => id.startsWith(prefix))
      .map((row) => [row.work.replace(/^.*float32, /, ''), times(row.ours), extras(row)]),
  );
}

function pageOf({ machine, versions, rows }) {
  const isStack = ({ id }) => id.startsWith('end-to-end');
  const measured = rows.filter(({ ours }) => ours !== undefined);
  const missing = rows.filter(({ ours }) => ours === undefined);
  const compared = measured.filter((row) => row.floor !== undefined && !isStack(row));
  const paths = measured.filter(({ id }) => id.startsWith('path-'));
  const rest = measured.filter(
    (row) => !isStack(row) && !compared.includes(row) && !paths.includes(row),
  );
  const named = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const parts = [
    '# Benchmarks',
    'Written by `node bench/write-page.js` from what `npm run bench -- --json FILE` measured; not edited by hand.',
    `${machine.cpu}, ${machine.cores} cores, ${number(machine.memoryGiB)} GiB; ${named.join(', ')}.`,
    'Times are medians in milliseconds, with the least and the 99th percentile. Absolute times do not carry to another machine, and this one may be shared: read the ratios. Each peer runs in a process of its own and takes turns with feedrank, on the same bytes; a ratio has the least and the greatest of any turn behind it. The floor is the least time in which this machine, as the row `machine` measures it, can read every vector once as float32 and do every multiplication; codes of fewer bytes, bounds that stop a scan, and matrix units go below it.',
    ...(compared.length > 0 ? ['## Retrieval and ranker', ...compared.map(comparison)] : []),
    ...(measured.some(isStack)
      ? [
          '## End to end',
          'Each stack is a process of its own behind the same socket, with two workers; a process of its own sends requests evenly spaced, whether or not answers come, and takes the time from the moment at which each was due. The throughput is the highest rate whose 99th percentile stays below 30 ms, the better of two bisections that take turns. Stacks with τ baked in answer for one τ and one now until their index is built anew.',
          ...measured.filter(isStack).map(endToEnd),
        ]
      : []),
    ...(paths.length > 0
      ? [
          '## How cost grows',
          'From query to slate in the core, two threads, without Node.',
          ...[
            ['With the catalog', 'path-items'],
            ['With candidates', 'path-candidates'],
            ['With dimensions', 'path-dimensions'],
            ['With requests at once (ms for all of them)', 'path-together'],
          ].flatMap(([title, prefix]) => [`### ${title}`, growth(paths, prefix)]),
        ]
      : []),
    ...missing.map(
      ({ id, failed, skipped }) => `Not measured: ${id} (${failed ?? skipped?.[0].reason}).`,
    ),
    '## Other rows',
    table(
      ['id', 'work', 'ms', 'besides'],
      rest.map((row) => [row.id, row.work, times(row.ours), extras(row)]),
    ),
  ];
  return `${parts.join('\n\n')}\n`;
}

const reports = process.argv.slice(2).map((file) => JSON.parse(readFileSync(file, 'utf8')));
if (reports.length === 0) {
  process.stderr.write('feedrank: INVALID_ARGUMENT: expected the JSON of a benchmark run\n');
  process.exit(2);
}
const rows = new Map(reports.flatMap((report) => report.rows.map((row) => [row.id, row])));
const versions = Object.assign({}, ...reports.map((report) => report.versions));
writeFileSync(page, pageOf({ ...reports.at(-1), versions, rows: [...rows.values()] }));
execFileSync(process.execPath, [
  ...[path.join(root, 'node_modules/prettier/bin/prettier.cjs'), '--write', '--log-level', 'warn'],
  page,
]);
