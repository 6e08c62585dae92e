'use strict';

// node bench/ablation.js --data DIR [--seeds 3] [--only PATTERN] [--json FILE]: what each family of
// features, each loss and each choice of the network is worth to a ranker on EB-NeRD. Everything is
// trained on the train week as `feedrank train` does it, and measured on the validation part with
// features replayed causally by the code that serves. Differences are of the same impressions, with
// bootstrap intervals, averaged over seeds.

const { parseArgs } = require('node:util');
const Table = require('cli-table3');

const feedrank = require('..');
const { Bootstrap } = require('../dist/evaluation/bootstrap');
const { impressionMetrics } = require('../dist/evaluation/metrics');
const { datasetFeatures, signalsOf } = require('../dist/features/dataset-features');
const { Model } = require('../dist/models/model');
const { trainRanker } = require('../dist/training/ranker-training');
const { featureFamilies } = require('../dist/tradeoffs/feature-families');
const { resolveRankerOptions } = require('../dist/training/train-options');
const { gatherTrainingData } = require('../dist/training/training-data');
const { sayMachine, writeRows } = require('./measured-rows');

const lagMs = 600_000;
const pageOutcomes = ['page_dwell', 'page_scroll'];
const relativeTo = (reference) => (feature) => feature.reference === reference;
const without = (family) => (feature) => !family(feature);

/** Which features stay, and what differs from the defaults of `train`. */
const variants = {
  'as trained by default': {},
  'features: without those relative to the list': { keep: without(relativeTo('list')) },
  'features: without those relative to the pool': { keep: without(relativeTo('pool')) },
  'features: absolute ones alone': { keep: relativeTo('none') },
  'features: without segments (device, surface)': { keep: without(featureFamilies.segments) },
  "features: without the reader's": { keep: without(featureFamilies['the reader']) },
  "features: without the current article's": {
    keep: without(featureFamilies['the current article']),
  },
  'features: without reading time and completion': {
    keep: without(featureFamilies['reading time']),
  },
  'features: without age': { keep: without(featureFamilies.age) },
  'features: without context': { keep: without(featureFamilies.context) },
  'features: without columns': { keep: without(featureFamilies.columns) },
  'features: with dwell and scroll on the page': { pageOutcomes: true },
  'loss: pairwise': { options: { loss: 'pairwise' } },
  'loss: LambdaRank': { options: { loss: 'lambdarank' } },
  'loss: softmax over 4 unclicked': { options: { negatives: 4 } },
  'loss: without the dwell head': { options: { dwellLossWeight: 0 } },
  'network: linear': { options: { network: { hidden: [] } } },
  'network: 32': { options: { network: { hidden: [32] } } },
  'network: 256, 64': { options: { network: { hidden: [256, 64] } } },
  'network: 2 cross layers': { options: { network: { crossLayers: 2 } } },
  'network: without dropout': { options: { network: { dropout: 0 } } },
  'network: mean of 4': { options: { network: { members: 4 } } },
  'training: without refit': { options: { refit: false } },
};

/** The columns of a variant, out of everything that was gathered. */
function restricted(data, keep) {
  const kept = [...data.features.keys()].filter((f) => keep(data.features[f]));
  const width = data.features.length;
  return {
    ...data,
    features: kept.map((f) => data.features[f]),
    rows: data.rows.map((values) => {
      const rows = values.length / width;
      return Float32Array.from(
        { length: rows * kept.length },
        (_, i) => values[Math.floor(i / kept.length) * width + kept[i % kept.length]],
      );
    }),
  };
}

/** AUC and nDCG@10 of every list of the validation part. */
async function measure(trained, validation) {
  const { bytes, features, heads } = trained;
  const model = await Model.fromBytes(bytes, 'ranker.pt', { features, heads });
  const places = new Map(validation.features.map(({ name }, f) => [name, f]));
  const columns = features.map(({ name }) => places.get(name));
  const width = validation.features.length;
  const auc = [];
  const ndcg10 = [];
  for (const [list, { clicked }] of validation.lists.entries()) {
    const values = validation.rows[list];
    const rows = clicked.flatMap((_, row) => columns.map((f) => values[row * width + f]));
    const outputs = await model.score(rows);
    const scores = clicked.map((_, row) =>
      heads.reduce((sum, { weight }, h) => sum + weight * outputs[row * heads.length + h], 0),
    );
    const order = [...scores.keys()].sort((a, b) => scores[b] - scores[a]);
    const metrics = impressionMetrics(
      order.map((i) => scores[i]),
      order.map((i) => clicked[i]),
    );
    auc.push(metrics.auc);
    ndcg10.push(metrics.ndcg10);
  }
  model.dispose();
  return { auc, ndcg10 };
}

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const meanOf = (columns) => Float64Array.from(columns[0], (_, i) => mean(columns.map((c) => c[i])));

/** A variant's means, and how they differ from the first one's on the same impressions. */
function rowOf(name, results) {
  const [first] = Object.keys(results);
  const { auc, ndcg10, seeds } = results[name];
  const bootstrap = new Bootstrap([auc, ndcg10, results[first].auc, results[first].ndcg10]);
  return {
    ...{ name, seeds, auc: bootstrap.interval(0), ndcg10: bootstrap.interval(1) },
    ...(name === first
      ? {}
      : { aucChange: bootstrap.difference(0, 2), ndcg10Change: bootstrap.difference(1, 3) }),
  };
}

async function main() {
  const { values } = parseArgs({
    options: {
      data: { type: 'string' },
      seeds: { type: 'string', default: '3' },
      only: { type: 'string' },
      json: { type: 'string' },
    },
  });
  const dataset = await feedrank.openDataset({ dataset: 'ebnerd', data: values.data });
  const signals = await signalsOf(dataset);
  const contextKeys = [...new Set([...signals.contextKeys, ...pageOutcomes])];
  const features = datasetFeatures({ ...signals, contextKeys });
  const gather = (split) => gatherTrainingData({ dataset, features, split, lagMs });
  const train = await gather('train');
  const validation = await gather('validation');
  const seeds = Array.from({ length: Number(values.seeds) }, (_, i) => i + 1);

  const names = Object.keys(variants).filter(
    (name, i) => i === 0 || values.only === undefined || new RegExp(values.only).test(name),
  );
  const results = {};
  for (const name of names) {
    const variant = variants[name];
    const data = restricted(
      train,
      (feature) =>
        (variant.pageOutcomes === true || !pageOutcomes.includes(feature.name)) &&
        (variant.keep ?? (() => true))(feature),
    );
    const options = resolveRankerOptions(variant.options ?? {});
    const perSeed = await Promise.all(
      seeds.map(async (seed) => measure(await trainRanker(data, { options, seed }), validation)),
    );
    results[name] = {
      seeds: perSeed.map(({ auc, ndcg10 }) => ({ auc: mean(auc), ndcg10: mean(ndcg10) })),
      auc: meanOf(perSeed.map(({ auc }) => auc)),
      ndcg10: meanOf(perSeed.map(({ ndcg10 }) => ndcg10)),
    };
    process.stderr.write(`${JSON.stringify(rowOf(name, results))}\n`);
  }

  const rows = Object.keys(results).map((name) => rowOf(name, results));
  sayMachine();
  console.log(
    `EB-NeRD validation, ${validation.lists.length} impressions, mean of ${seeds.length} seeds`,
  );
  const table = new Table({
    head: ['ranker', 'AUC', 'seeds', 'change of AUC', 'nDCG@10', 'change of nDCG@10'],
    style: { head: [], border: [] },
  });
  const range = ({ low, high }) => `${low.toFixed(4)} … ${high.toFixed(4)}`;
  const change = (interval) => `${interval.mean.toFixed(4)} (${range(interval)})`;
  for (const row of rows) {
    const spread = row.seeds.map(({ auc }) => auc);
    table.push([
      row.name,
      row.auc.mean.toFixed(4),
      `${Math.min(...spread).toFixed(4)} … ${Math.max(...spread).toFixed(4)}`,
      row.aucChange ? change(row.aucChange) : `(${range(row.auc)})`,
      row.ndcg10.mean.toFixed(4),
      row.ndcg10Change ? change(row.ndcg10Change) : `(${range(row.ndcg10)})`,
    ]);
  }
  console.log(table.toString());
  writeRows(values.json, rows);
}

main().catch((error) => {
  console.error(`ablation: ${error.message}`);
  process.exitCode = 1;
});
