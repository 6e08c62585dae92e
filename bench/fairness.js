'use strict';

// node bench/fairness.js [--data DIR] [--weights 0,0.1,0.14] [--seeds 5] [--first 1] [--only WORLD]
// [--json FILE]: what a fairness regularizer gives and costs, seed by seed and in the mean. On the
// simulator's planted disparity (independent creators are under-clicked in the train part's log alone;
// the truth is equal) nDCG@10 is against the true utilities, each seed is a world of its own, and the
// row `truth` has the gap of a ranker that knows them. On MovieLens the group is the reader's gender,
// on EB-NeRD device and subscription; beside their score disparity stands what chance gives. DIR holds
// the folders of both; without it they are skipped.

const { existsSync, mkdtempSync, rmSync } = require('node:fs');
const { tmpdir } = require('node:os');
const path = require('node:path');
const { parseArgs } = require('node:util');
const Table = require('cli-table3');

const feedrank = require('..');
const { itemGroupMetrics } = require('../dist/evaluation/group-metrics');
const { sayMachine, writeRows } = require('./measured-rows');

function worldsOf(data, seeds) {
  const folder = (name) => (data === undefined ? undefined : path.join(data, name));
  const ofSlice = [0, 0.1, 0.2];
  const families = [
    {
      name: 'simulated, creator',
      group: 'creator',
      source: { dataset: 'simulated', scenario: 'biased-exposure' },
      weights: [0, 0.1, 0.14, 0.2],
    },
    ...['movielens, gender', 'ebnerd, device', 'ebnerd, subscriber'].map((name) => {
      const [dataset, group] = name.split(', ');
      const source = { dataset, data: folder(dataset === 'movielens' ? 'ml-100k' : dataset) };
      return { name, group, source, weights: ofSlice };
    }),
  ];
  return families
    .filter(({ name, source }) => {
      if (source.dataset === 'simulated') return true;
      if (source.data !== undefined && existsSync(source.data)) return true;
      process.stderr.write(`${name}: skipped, --data names no folder that holds it\n`);
      return false;
    })
    .flatMap((family) => seeds.map((seed) => ({ ...family, seed })));
}

async function measure({ name, group, seed, source }, weight, folder) {
  const out = path.join(folder, `${name.replaceAll(/\W+/g, '-')}-${seed}-${weight}`);
  await feedrank.train({ ...source, seed, out, fairness: { group, weight } }).result;
  const evaluation = await feedrank.evaluate({ ...source, seed, ranker: out, groups: [group] });
  const { pairwiseGap, scoreDisparity, scoreDisparityChance, ndcgGap } = evaluation.groups[group];
  return {
    ...{ world: name, seed, weight, pairwiseGap, scoreDisparity, scoreDisparityChance, ndcgGap },
    ndcg10: (evaluation.utilityNdcg10 ?? evaluation.metrics.ndcg10).mean,
    auc: evaluation.metrics.auc.mean,
  };
}

/** The gap that the truth itself has, because a world's clicks are a sample of it. */
async function truthOf({ name, group, seed, source }) {
  const { items, utility, impressions } = await feedrank.openDataset({ ...source, seed });
  const groups = new Map(items.map(({ id, labels }) => [id, labels?.[group]]));
  const ranked = [];
  for await (const { itemIds, clickedIds, userId, userSlices, at } of impressions('validation')) {
    if (clickedIds.length === 0 || clickedIds.length === itemIds.length) continue;
    const scored = itemIds
      .map((id) => ({ id, score: utility(userId, id, at), clicked: clickedIds.includes(id) }))
      .sort((a, b) => b.score - a.score);
    ranked.push({
      ...{ userId, userSlices, itemIds: scored.map(({ id }) => id) },
      scores: scored.map(({ score }) => score),
      clicked: scored.map(({ clicked }) => clicked),
    });
  }
  const { pairwiseGap } = itemGroupMetrics(ranked, (id) => groups.get(id));
  return { world: name, seed, weight: 'truth', pairwiseGap };
}

/** Means over the seeds of each world and weight; the truth has none to compare. */
function meansOf(rows) {
  const measured = rows.filter(({ weight }) => weight !== 'truth');
  const kinds = new Map(measured.map((row) => [`${row.world} ${row.weight}`, row]));
  return [...kinds.values()].map(({ world, weight }) => {
    const own = measured.filter((row) => row.world === world && row.weight === weight);
    const mean = (of) => own.reduce((sum, row) => sum + of(row), 0) / own.length;
    const figures = ['pairwiseGap', 'scoreDisparity', 'ndcg10', 'auc'];
    return {
      ...{ world, seed: 'mean', weight },
      ...Object.fromEntries(figures.map((name) => [name, mean((row) => row[name])])),
    };
  });
}

const relative = (value, base) => `${(100 * (value / base - 1)).toFixed(1)}%`;

function show(rows) {
  const table = new Table({
    head: [
      ...['world', 'seed', 'weight', 'pairwise gap', '', 'score disparity', '', 'by chance, 95%'],
      ...['nDCG@10', '', 'AUC', 'nDCG@10 gap between groups'],
    ],
    style: { head: [], border: [] },
  });
  for (const row of rows) {
    const { world, seed, weight, pairwiseGap, scoreDisparityChance: chance, ndcgGap: gap } = row;
    if (weight === 'truth') {
      table.push([world, seed, weight, pairwiseGap.toFixed(4)]);
      continue;
    }
    const base = rows.find((r) => r.world === world && r.seed === seed && r.weight === 0);
    const changed = (name) => [row[name].toFixed(4), relative(row[name], base[name])];
    table.push([
      ...[world, seed, weight, ...changed('pairwiseGap'), ...changed('scoreDisparity')],
      chance ? `${chance.mean.toFixed(4)}, ${chance.high.toFixed(4)}` : '',
      ...[...changed('ndcg10'), row.auc.toFixed(4)],
      gap ? `${gap.mean.toFixed(4)} (${gap.low.toFixed(4)} … ${gap.high.toFixed(4)})` : '',
    ]);
  }
  console.log(table.toString());
}

async function main() {
  const { values } = parseArgs({
    options: {
      data: { type: 'string' },
      weights: { type: 'string' },
      seeds: { type: 'string', default: '5' },
      first: { type: 'string', default: '1' },
      only: { type: 'string' },
      json: { type: 'string' },
    },
  });
  const wanted = values.weights?.split(',').map(Number);
  if (wanted !== undefined && wanted[0] !== 0)
    throw new Error('--weights begins with 0, which the others are held against');
  const seeds = Array.from({ length: Number(values.seeds) }, (_, i) => Number(values.first) + i);
  const worlds = worldsOf(values.data, seeds).filter(
    ({ name }) => values.only === undefined || name.includes(values.only),
  );
  const folder = mkdtempSync(path.join(tmpdir(), 'feedrank-fairness-'));
  const rows = [];
  try {
    for (const world of worlds) {
      if (world.source.dataset === 'simulated') rows.push(await truthOf(world));
      for (const weight of wanted ?? world.weights) {
        rows.push(await measure(world, weight, folder));
        process.stderr.write(`${world.name}, seed ${world.seed}, weight ${weight}\n`);
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  rows.push(...meansOf(rows));
  sayMachine();
  show(rows);
  writeRows(values.json, rows);
}

main().catch((error) => {
  console.error(`fairness: ${error.message}`);
  process.exitCode = 1;
});
