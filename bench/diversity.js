'use strict';

// node bench/diversity.js [--seed N] [--json FILE]: what the weight of diversity does to slates of 10
// in a simulated echo chamber: intra-list diversity and topic coverage against true utility.

const { parseArgs } = require('node:util');
const Table = require('cli-table3');

const feedrank = require('..');
const { sayMachine, writeRows } = require('./measured-rows');

const space = 'content';
const weights = [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];
const selectors = {
  'mmr over embeddings': () => feedrank.mmr({ space }),
  'mmr over topics': () => feedrank.mmr({ by: 'topics' }),
  'dpp over embeddings': () => feedrank.dpp({ space }),
  'dpp over topics': () => feedrank.dpp({ by: 'topics' }),
};

function show(name, rows) {
  const shown = ({ mean, low, high }) =>
    `${mean.toFixed(3)} (${low.toFixed(3)} … ${high.toFixed(3)})`;
  const table = new Table({
    head: [name, 'intra-list diversity', 'topics', 'nDCG@10 of true utility', 'change of nDCG@10'],
    style: { head: [], border: [], compact: true },
  });
  for (const { profile, intraList10, topicCoverage10, utilityNdcg10, change } of rows) {
    table.push([
      profile.diversity,
      ...[intraList10, topicCoverage10, utilityNdcg10, change.utilityNdcg10].map(shown),
    ]);
  }
  process.stdout.write(`${table.toString()}\n`);
}

async function main() {
  const { values } = parseArgs({ options: { seed: { type: 'string' }, json: { type: 'string' } } });
  const seed = Number(values.seed ?? 1);
  const dataset = await feedrank.openDataset({
    dataset: 'simulated',
    scenario: 'echo-chamber',
    seed,
  });
  const report = [];
  for (const [name, makeSelector] of Object.entries(selectors)) {
    const rows = await feedrank.measureDiversityTradeoff({
      dataset,
      generators: [feedrank.decayedDot({ space }), feedrank.trending(), feedrank.fresh()],
      ranker: feedrank.decayedDotRanker({ space, failClosed: true }),
      selector: makeSelector(),
      profiles: weights.map((diversity) => ({ diversity })),
      every: 3,
    });
    show(name, rows);
    report.push(...rows.map((row) => ({ seed, selector: name, ...row })));
  }
  sayMachine();
  writeRows(values.json, report);
}

main();
