'use strict';

// node bench/recall.js --data DIR [--json FILE] [--quick]: recall@200 of clicked items on EB-NeRD,
// each generator alone and merged, two towers among them. The merge, and the decay of the towers' space,
// are chosen on the last two days of the train week alone, with towers that were trained on the days
// before; then measured on the validation part, with towers that were trained on the whole week.
// --quick measures only what the towers are compared with.

const { parseArgs } = require('node:util');
const Table = require('cli-table3');

const feedrank = require('..');
const { sayMachine, writeRows } = require('./measured-rows');

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
  towers: (name) => feedrank.decayedDot({ space: 'towers', name }),
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

function nameOf(quotas) {
  return Object.entries(quotas)
    .map(([name, quota]) => `${name}: ${quota}`)
    .join(', ');
}

function makeMerges(quick) {
  const merges = [withoutTowers, ...withTowers, withoutFresh, ...(quick ? [] : candidates)];
  return Object.fromEntries(merges.map((quotas) => [nameOf(quotas), quotas]));
}

function toProfile(quotas) {
  const none = Object.fromEntries(Object.keys(generators).map((name) => [name, 0]));
  return { quotas: { ...none, ...quotas } };
}

/** What the towers are compared with, and what it is with them. */
const withoutTowers = { 'clicks 1 h': 100, fresh: 100, 'impressions 1 h': 200 };
const withTowers = [20, 50, 100].map((quota) => ({ ...withoutTowers, towers: quota }));
const withoutFresh = { 'clicks 1 h': 100, towers: 100, 'impressions 1 h': 200 };

/** Decays to choose from for the towers' space. */
const towerTauHours = [4, 8, 12, 24];

/** Trains on the clicks before an instant; the options were chosen on the train week's tail. */
async function trainTowers(dataset, to) {
  const trained = await feedrank.trainTwoTowers({
    ...{ dataset, ...(to && { to }), context: ['device', 'subscriber', 'front_page', 'hour'] },
    ...{ space: 'towers', tauMs: 12 * hour, temperature: 0.05 },
  });
  const { examples, validationExamples, epochs } = trained.metrics;
  process.stdout.write(
    `towers: ${examples + validationExamples} clicks, ${trained.items.ids.length} items, ${epochs} epochs\n`,
  );
  return feedrank.Towers.load(trained, { allowUnverified: true });
}

async function chooseTau(dataset, towers, range) {
  const { merges } = await feedrank.measureRecall({
    ...{ dataset, towers, ...range },
    generators: [generators.towers('towers')],
    merges: Object.fromEntries(
      towerTauHours.map((hours) => [hours, { tauMs: hours * hour, quotas: { towers: 200 } }]),
    ),
  });
  for (const [hours, { mean }] of Object.entries(merges)) {
    process.stdout.write(`towers alone, decay of ${hours} h: ${mean.toFixed(4)}\n`);
  }
  return Number(best(merges)) * hour;
}

function best(merges) {
  return Object.entries(merges).sort(([, a], [, b]) => b.mean - a.mean)[0][0];
}

async function measure(dataset, merges, range, towers, options) {
  const profiles = Object.entries(merges).map(([name, quotas]) => [name, toProfile(quotas)]);
  return feedrank.measureRecall({
    ...{ dataset, engagement, towers, ...range, ...options },
    generators: makeGenerators(),
    merges: Object.fromEntries(profiles),
  });
}

function show({ impressions, reachable, generators: alone, merges, ...rest }, against) {
  const { gains, degraded, poolItems } = rest;
  const shown = ({ mean, low, high }) =>
    `${mean.toFixed(4)} (${low.toFixed(4)} … ${high.toFixed(4)})`;
  const table = new Table({
    head: ['list of 200', 'recall', `minus ${against}`],
    style: { head: [], border: [], compact: true },
  });
  for (const [name, recall] of Object.entries(alone)) table.push([name, shown(recall), '']);
  for (const [name, recall] of Object.entries(merges)) {
    table.push([name, shown(recall), shown(gains[name])]);
  }
  const all = poolItems === undefined ? 'all live items' : `all ${poolItems.toFixed(0)} live items`;
  table.push([all, shown(reachable), '']);
  process.stdout.write(`${impressions} impressions\n${table.toString()}\n`);
  for (const [stage, requests] of Object.entries(degraded)) {
    process.stdout.write(`${stage} took no part in ${requests} requests\n`);
  }
}

async function main() {
  const { values } = parseArgs({
    options: {
      data: { type: 'string' },
      json: { type: 'string' },
      quick: { type: 'boolean', default: false },
    },
  });
  const data = values.data ?? process.env['FEEDRANK_DATA'];
  if (data === undefined) {
    process.stderr.write('feedrank: INVALID_ARGUMENT: --data: name the folder of EB-NeRD\n');
    process.exitCode = 2;
    return;
  }
  const dataset = await feedrank.openDataset({ dataset: 'ebnerd', data });
  const merges = makeMerges(values.quick);
  const chosenOn = { split: 'train', from: Date.UTC(2023, 4, 23, 7) };
  const early = await trainTowers(dataset, chosenOn.from);
  const tauMs = await chooseTau(dataset, early, chosenOn);
  const train = await measure(dataset, merges, chosenOn, early, { settings: { tauMs } });
  process.stdout.write('The last two days of the train week, to choose a merge on: ');
  show(train, train.bestSingle);

  const chosen = {
    'with towers': best(pick(train.merges, (quotas) => 'towers' in merges[quotas])),
    'without towers': best(pick(train.merges, (quotas) => !('towers' in merges[quotas]))),
  };
  const against = chosen['without towers'];
  const towers = await trainTowers(dataset);
  const trainEnd = await firstOf(dataset, 'validation');
  const published = new Map(dataset.items.map(({ id, publishTime }) => [id, publishTime]));
  const validation = await measure(
    dataset,
    pick(merges, (name) => Object.values(chosen).includes(name)),
    { split: 'validation' },
    towers,
    // An item that is not listed is new where the towers do not know it.
    {
      ...{ settings: { tauMs }, against },
      inSubset: (id) => (published.get(id) ?? (towers.has(id) ? 0 : trainEnd)) >= trainEnd,
    },
  );
  process.stdout.write('\nThe chosen merges on the validation part: ');
  show(validation, against);
  process.stdout.write('\nOf these, clicks on items published after the train part: ');
  show({ ...validation.subset, degraded: {} }, against);
  sayMachine();
  writeRows(values.json, [
    { part: 'train', ...train },
    { part: 'validation', chosen, tauMs, ...validation },
  ]);
}

function pick(record, keep) {
  return Object.fromEntries(Object.entries(record).filter(([name]) => keep(name)));
}

async function firstOf(dataset, split) {
  for await (const { at } of dataset.impressions(split)) return at;
  return Infinity;
}

main();
