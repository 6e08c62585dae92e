'use strict';

const Table = require('cli-table3');

function shownNumber(value) {
  return value.toFixed(Math.abs(value) < 10 ? 3 : 2);
}

/** Every number of an object by name. */
function shown(measured) {
  return Object.entries(measured)
    .filter(([, value]) => typeof value === 'number')
    .map(([name, value]) => `${name} ${shownNumber(value)}`)
    .join('  ');
}

/** What stands in another column than the rest. */
const ownColumn = new Set(['ratio', 'ratioLow', 'ratioHigh', 'floor', 'rounds']);

/** What a row says beside its own times. */
function besideIt(row) {
  const { peers, otherPrecisions, skipped, rankMs } = row;
  const extra = Object.entries(row).filter(([name]) => !ownColumn.has(name));
  return [
    ...[...(otherPrecisions ?? []), ...(peers ?? [])].flatMap((peer) => [
      `${peer.name}: ${shown(peer)}`,
      ...(peer.halfLoad ? [`  at half of that: ${shown(peer.halfLoad)}`] : []),
    ]),
    ...(skipped ?? []).map(({ name, reason }) => `${name}: skipped, ${reason}`),
    shown(Object.fromEntries(extra)),
    row.failed === undefined ? '' : `failed: ${row.failed}`,
    ...(rankMs === undefined ? [] : [`one rank (ms): ${shown(rankMs)}`]),
  ]
    .filter((line) => line !== '')
    .join('\n');
}

function ratioOf({ ratio, ratioLow, ratioHigh }) {
  if (typeof ratio !== 'number') return '';
  if (ratioLow === undefined) return shownNumber(ratio);
  return `${shownNumber(ratio)}\n(${shownNumber(ratioLow)}–${shownNumber(ratioHigh)})`;
}

/** The report as one table, and the machine below it. */
function tableOf({ machine, versions, rows }) {
  const table = new Table({ head: ['id', 'ours', 'beside it', 'ratio', 'floor'] });
  for (const row of rows) {
    const { id, work = '', ours = {}, floor } = row;
    const half = ours.halfLoad ? `\nat half of that: ${shown(ours.halfLoad)}` : '';
    table.push([
      `${id}\n${work}`,
      `${ours.name === undefined ? '' : `${ours.name}: `}${shown(ours)}${half}`,
      besideIt(row),
      ratioOf(row),
      typeof floor === 'number' ? shownNumber(floor) : '',
    ]);
  }
  const { node, libtorch } = versions;
  return `${table.toString()}\n${machine.cpu}, ${machine.cores} cores, Node ${node}, LibTorch ${libtorch}\n`;
}

module.exports = { tableOf };
