'use strict';

// node bench/recall.js --data DIR [--json FILE]: recall@200 of clicked items on EB-NeRD, each
// generator alone and merged. The merge is chosen on the last two days of the train week alone, and
// then measured on the validation part.

const { writeFileSync } = require('node:fs');
const { parseArgs } = require('node:util');
const Table = require('cli-table3');

const feedrank = require('..');

const hour = 3_600_000;
const halfLives = [0.5, 1, 3, 12, 48];
const engagement = { halfLivesMs: halfLives.map((halfLife) => halfLife * hour) };
const trendingName = (halfLife) => `trending ${halfLife} h`;

/** What is measured alone: add a generator here, and its turns to the merges below. */
function makeGenerators() {
  return [
    ...halfLives.map((halfLife) =>
      feedrank.trending({ halfLifeMs: halfLife * hour, name: trendingName(halfLife) }),
    ),
    feedrank.fresh(),
  ];
}

/** The merges to choose from: a generator without turns has none. */
function makeMerges() {
  const merges = {};
  for (const halfLife of [0.5, 1, 3]) {
    for (const turns of [20, 60, 100, 200]) {
      merges[`${trendingName(halfLife)}: 200, fresh: ${turns}`] = {
        [trendingName(halfLife)]: 200,
        fresh: turns,
      };
    }
  }
  for (const turns of [40, 100]) {
    merges[`trending 0.5 h: 200, 12 h: ${turns}, fresh: 100`] = {
      [trendingName(0.5)]: 200,
      [trendingName(12)]: turns,
      fresh: 100,
    };
  }
  return merges;
}

function toProfile(quotas) {
  const none = Object.fromEntries(makeGenerators().map(({ name }) => [name, 0]));
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

function show({ impressions, poolItems, reachable, generators, merges, gains, bestSingle }) {
  const shown = ({ mean, low, high }) =>
    `${mean.toFixed(4)} (${low.toFixed(4)} … ${high.toFixed(4)})`;
  const table = new Table({
    head: ['list of 200', 'recall', `minus ${bestSingle}`],
    style: { head: [], border: [], compact: true },
  });
  for (const [name, recall] of Object.entries(generators)) table.push([name, shown(recall), '']);
  for (const [name, recall] of Object.entries(merges)) {
    table.push([name, shown(recall), shown(gains[name])]);
  }
  table.push([`all ${poolItems.toFixed(0)} live items`, shown(reachable), '']);
  process.stdout.write(`${impressions} impressions\n${table.toString()}\n`);
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
