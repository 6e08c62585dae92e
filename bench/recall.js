'use strict';

// node bench/recall.js --data DIR [--json FILE]: recall@200 of clicked items on EB-NeRD, each
// generator alone and merged. The merge is chosen on the last two days of the train week alone, and
// then measured on the validation part.

const { writeFileSync } = require('node:fs');
const { parseArgs } = require('node:util');
const Table = require('cli-table3');

const feedrank = require('..');

const hour = 3_600_000;
const engagement = {
  halfLivesMs: [0.5, 1, 3, 12, 48].map((hours) => hours * hour),
  segmentHalfLivesMs: [2 * hour, 12 * hour],
};

/** What is measured alone, by a short name: a generator added here can have turns in the merges. */
const generators = {
  'clicks 0.5 h': (name) => feedrank.trending({ halfLifeMs: 0.5 * hour, name }),
  'clicks 1 h': (name) => feedrank.trending({ halfLifeMs: hour, name }),
  'clicks 3 h': (name) => feedrank.trending({ halfLifeMs: 3 * hour, name }),
  'clicks 12 h': (name) => feedrank.trending({ halfLifeMs: 12 * hour, name }),
  'clicks 48 h': (name) => feedrank.trending({ halfLifeMs: 48 * hour, name }),
  'impressions 1 h': (name) =>
    feedrank.trending({ halfLifeMs: hour, counter: 'impressions', name }),
  'impressions 12 h': (name) =>
    feedrank.trending({ halfLifeMs: 12 * hour, counter: 'impressions', name }),
  'clicks by device': (name) => feedrank.trending({ segment: 'device', name }),
  'clicks by surface': (name) => feedrank.trending({ segment: 'surface', name }),
  'co-read': (name) => feedrank.coRead({ name }),
  fresh: (name) => feedrank.fresh({ name }),
};

/** The merges to choose from: quotas by generator, whose ratio is that of the turns. */
const candidates = [
  { 'clicks 1 h': 200, fresh: 20 },
  { 'clicks 1 h': 200, fresh: 60 },
  { 'clicks 1 h': 200, fresh: 100 },
  { 'clicks 1 h': 200, fresh: 200 },
  { 'clicks 3 h': 200, fresh: 100 },
  { 'clicks 1 h': 200, fresh: 100, 'co-read': 20 },
  { 'clicks 1 h': 200, fresh: 100, 'co-read': 60 },
  { 'clicks 1 h': 200, fresh: 200, 'co-read': 60 },
  { 'clicks 1 h': 200, fresh: 100, 'clicks by surface': 100 },
  { 'clicks 1 h': 200, fresh: 100, 'clicks by device': 100 },
  { 'clicks 1 h': 200, fresh: 100, 'impressions 1 h': 100 },
  { 'clicks 1 h': 100, fresh: 100, 'impressions 1 h': 200 },
  { fresh: 100, 'impressions 1 h': 200 },
  { 'clicks 1 h': 100, fresh: 100, 'impressions 1 h': 200, 'co-read': 40 },
  { 'clicks by surface': 100, fresh: 100, 'impressions 1 h': 200, 'co-read': 40 },
];

function makeGenerators() {
  return Object.entries(generators).map(([name, make]) => make(name));
}

function makeMerges() {
  return Object.fromEntries(
    candidates.map((quotas) => [
      Object.entries(quotas)
        .map(([name, quota]) => `${name}: ${quota}`)
        .join(', '),
      quotas,
    ]),
  );
}

function toProfile(quotas) {
  const none = Object.fromEntries(Object.keys(generators).map((name) => [name, 0]));
  return { quotas: { ...none, ...quotas } };
}

async function measure(dataset, merges, range) {
  const profiles = Object.entries(merges).map(([name, quotas]) => [name, toProfile(quotas)]);
  return feedrank.measureRecall({
    ...{ dataset, engagement, ...range },
    generators: makeGenerators(),
    merges: Object.fromEntries(profiles),
  });
}

function show({ impressions, poolItems, reachable, generators: alone, merges, ...rest }) {
  const { gains, bestSingle, degraded } = rest;
  const shown = ({ mean, low, high }) =>
    `${mean.toFixed(4)} (${low.toFixed(4)} … ${high.toFixed(4)})`;
  const table = new Table({
    head: ['list of 200', 'recall', `minus ${bestSingle}`],
    style: { head: [], border: [], compact: true },
  });
  for (const [name, recall] of Object.entries(alone)) table.push([name, shown(recall), '']);
  for (const [name, recall] of Object.entries(merges)) {
    table.push([name, shown(recall), shown(gains[name])]);
  }
  table.push([`all ${poolItems.toFixed(0)} live items`, shown(reachable), '']);
  process.stdout.write(`${impressions} impressions\n${table.toString()}\n`);
  for (const [stage, requests] of Object.entries(degraded)) {
    process.stdout.write(`${stage} took no part in ${requests} requests\n`);
  }
}

async function main() {
  const { values } = parseArgs({ options: { data: { type: 'string' }, json: { type: 'string' } } });
  const data = values.data ?? process.env['FEEDRANK_DATA'];
  if (data === undefined) {
    process.stderr.write('feedrank: INVALID_ARGUMENT: --data: name the folder of EB-NeRD\n');
    process.exitCode = 2;
    return;
  }
  const dataset = await feedrank.openDataset({ dataset: 'ebnerd', data });
  const merges = makeMerges();
  const chosenOn = { split: 'train', from: Date.UTC(2023, 4, 23, 7) };
  const train = await measure(dataset, merges, chosenOn);
  process.stdout.write('The last two days of the train week, to choose a merge on: ');
  show(train);

  const [chosen] = Object.entries(train.merges).sort(([, a], [, b]) => b.mean - a.mean)[0];
  process.stdout.write(`\nThe chosen merge on the validation part: `);
  const validation = await measure(dataset, { [chosen]: merges[chosen] }, { split: 'validation' });
  show(validation);
  if (values.json !== undefined) {
    const report = JSON.stringify({ chosen, train, validation }, null, 2);
    writeFileSync(values.json, `${report}\n`);
  }
}

main();
