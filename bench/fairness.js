'use strict';

// node bench/fairness.js [--data DIR] [--weights 0,0.05,0.1,0.15,0.2] [--seeds 5] [--only WORLD]
// [--json FILE]: what a fairness regularizer gives and costs. On the simulator's planted disparity
// (independent creators are under-clicked in the train part's log alone; the truth is equal) nDCG@10
// is against the true utilities. On MovieLens the group is the reader's gender, on EB-NeRD device and
// subscription. DIR holds the folders of both; without it they are skipped.

const { existsSync, mkdtempSync, rmSync } = require('node:fs');
const { tmpdir } = require('node:os');
const path = require('node:path');
const { parseArgs } = require('node:util');
const Table = require('cli-table3');

const feedrank = require('..');
const { sayMachine, writeRows } = require('./measured-rows');

function worldsOf(data, seeds) {
  const folder = (name) => (data === undefined ? undefined : path.join(data, name));
  const real = [
    { name: 'movielens, gender', dataset: 'movielens', data: folder('ml-100k'), group: 'gender' },
    { name: 'ebnerd, device', dataset: 'ebnerd', data: folder('ebnerd'), group: 'device' },
    { name: 'ebnerd, subscriber', dataset: 'ebnerd', data: folder('ebnerd'), group: 'subscriber' },
  ];
  const simulated = Array.from({ length: seeds }, (_, i) => ({
    name: `simulated ${i + 1}, creator`,
    dataset: 'simulated',
    scenario: 'biased-exposure',
    seed: i + 1,
    group: 'creator',
  }));
  return [
    ...simulated,
    ...real.filter(({ name, data: at }) => {
      if (at !== undefined && existsSync(at)) return true;
      process.stderr.write(`${name}: skipped, --data names no folder that holds it\n`);
      return false;
    }),
  ];
}

async function measure({ name, group, ...source }, weight, folder) {
  const out = path.join(folder, `${name.replaceAll(/\W+/g, '-')}-${weight}`);
  await feedrank.train({ ...source, out, fairness: { group, weight } }).result;
  const evaluation = await feedrank.evaluate({ ...source, ranker: out, groups: [group] });
  const { pairwiseGap, scoreDisparity, ndcgGap } = evaluation.groups[group];
  const ndcg10 = evaluation.utilityNdcg10 ?? evaluation.metrics.ndcg10;
  return {
    ...{ world: name, weight, pairwiseGap, scoreDisparity, ndcgGap, ndcg10 },
    auc: evaluation.metrics.auc,
  };
}

const relative = (value, base) => `${(100 * (value / base - 1)).toFixed(1)}%`;

async function main() {
  const { values } = parseArgs({
    options: {
      data: { type: 'string' },
      weights: { type: 'string', default: '0,0.05,0.1,0.15,0.2' },
      seeds: { type: 'string', default: '5' },
      only: { type: 'string' },
      json: { type: 'string' },
    },
  });
  const weights = values.weights.split(',').map(Number);
  if (weights[0] !== 0)
    throw new Error('--weights begins with 0, which the others are held against');
  const worlds = worldsOf(values.data, Number(values.seeds)).filter(
    ({ name }) => values.only === undefined || name.includes(values.only),
  );
  const folder = mkdtempSync(path.join(tmpdir(), 'feedrank-fairness-'));
  const rows = [];
  try {
    for (const world of worlds) {
      for (const weight of weights) {
        rows.push(await measure(world, weight, folder));
        process.stderr.write(`${world.name}, weight ${weight}\n`);
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  sayMachine();
  const head = ['world', 'weight', 'pairwise gap', '', 'score disparity', '', 'nDCG@10', ''];
  const table = new Table({
    head: [...head, 'nDCG@10 gap between groups'],
    style: { head: [], border: [] },
  });
  for (const row of rows) {
    const base = rows.find(({ world, weight }) => world === row.world && weight === 0);
    const gap = row.ndcgGap;
    table.push([
      row.world,
      row.weight,
      ...[row.pairwiseGap.toFixed(4), relative(row.pairwiseGap, base.pairwiseGap)],
      ...[row.scoreDisparity.toFixed(4), relative(row.scoreDisparity, base.scoreDisparity)],
      ...[row.ndcg10.mean.toFixed(4), relative(row.ndcg10.mean, base.ndcg10.mean)],
      `${gap.mean.toFixed(4)} (${gap.low.toFixed(4)} … ${gap.high.toFixed(4)})`,
    ]);
  }
  console.log(table.toString());
  writeRows(values.json, rows);
}

main().catch((error) => {
  console.error(`fairness: ${error.message}`);
  process.exitCode = 1;
});
