'use strict';

// A service that answers feed requests over a socket: what bench/budget.js puts load on. Its parent
// says by message which budget holds; it answers with the delay of its event loop.

const { mkdtempSync } = require('node:fs');
const { createServer } = require('node:net');
const os = require('node:os');
const path = require('node:path');
const { monitorEventLoopDelay } = require('node:perf_hooks');
const feedrank = require('../..');
const { writeBundle } = require('../../dist/bundles/write-bundle');
const { readFileSync } = require('node:fs');
const { hour, now, randomNumbers } = require('../feed-under-test');
const { answerBytes, epochMs, requestBytes, tiers } = require('./wire');

const dimensions = 64;
const stored = 8;
const candidates = 2_000;
const clusters = 1_000;
const hidden = [512, 256];
/** What decoding the slate, the socket and the reader's own event loop are given of a budget. */
const wayBackMs = 1;

const random = randomNumbers(1);
/** Roughly normal. */
const noise = () => random() + random() + random() + random() - 2;

function unit(values) {
  const length = Math.hypot(...values);
  return Float32Array.from(values, (value) => value / length);
}

const centres = Array.from({ length: clusters }, () =>
  unit(Array.from({ length: dimensions }, noise)),
);
const vector = () => {
  const centre = centres[Math.floor(random() * clusters)];
  const off = unit(Array.from({ length: dimensions }, noise));
  return unit(centre.map((value, d) => value + 0.5 * off[d]));
};

async function makeCatalog(items) {
  const columns = Array.from({ length: stored }, (_, c) => `stored${c}`);
  const spaces = { content: { dimensions } };
  const catalog = await feedrank.Catalog.create({ ids: 'integer', spaces, columns });
  for (let begin = 0; begin < items; begin += 5_000) {
    const count = Math.min(5_000, items - begin);
    await catalog.upsert(
      Array.from({ length: count }, (_, i) => ({
        id: begin + i,
        publishTime: now + Math.floor(24 * hour * Math.log(1 - random())),
        columns: Object.fromEntries(columns.map((column) => [column, noise()])),
        embeddings: { content: vector() },
      })),
    );
  }
  return catalog;
}

/**
 * A bundle that scores by `linear` weights of the features, carried through `widths` hidden units of
 * which the others add a little that a smaller bundle cannot know.
 */
async function makeBundle(folder, name, features, linear, widths) {
  const inputs = linear.length;
  const layer = (from, to, scale, pass) => {
    const weights = Float32Array.from({ length: from * to }, () => (scale * noise()) / from);
    pass(weights, to);
    return { inputs: from, outputs: to, weights: [...weights], bias: new Array(to).fill(0) };
  };
  // relu(x) − relu(−x) = x: the first two units carry the sum through.
  const through = (weights, to) => {
    for (let unit = 0; unit < 2; unit++) {
      for (let i = 0; i * to < weights.length; i++) weights[i * to + unit] = i === unit ? 1 : 0;
    }
  };
  const sums = (weights, to) => {
    linear.forEach((weight, i) => {
      weights[i * to] = weight;
      weights[i * to + 1] = -weight;
    });
  };
  const layers = [layer(inputs, widths[0], 2, sums)];
  widths.slice(1).forEach((to, i) => layers.push(layer(widths[i], to, 2, through)));
  layers.push(
    layer(widths.at(-1), 1, 3, (weights) => {
      weights[0] = 1;
      weights[1] = -1;
    }),
  );
  const zeros = linear.map(() => 0);
  const file = path.join(folder, `${name}.pt`);
  await feedrank.saveScriptedNetwork({ mean: zeros, scale: linear.map(() => 1), layers }, file);
  await writeBundle(path.join(folder, name), {
    ranker: {
      bytes: readFileSync(file),
      features,
      heads: [{ name: 'score', weight: 1 }],
      golden: { inputs: [zeros], outputs: [[0]] },
    },
    training: {},
    data: {},
    metrics: {},
  });
  return path.join(folder, name);
}

async function main() {
  const [, , socket, items, queryCount, threads] = process.argv;
  feedrank.configure({ threads: Number(threads) });
  const catalog = await makeCatalog(Number(items));
  const folder = mkdtempSync(path.join(os.tmpdir(), 'feedrank-budget-'));
  const features = [
    ...Array.from({ length: stored }, (_, c) => ({
      name: `stored${c}`,
      source: 'column',
      column: `stored${c}`,
    })),
    { name: 'dot', source: 'dot', space: 'content' },
    { name: 'age', source: 'age', transformation: 'log1p' },
  ];
  const linear = [0.3, -0.2, 0.2, 0.1, -0.1, 0.1, 0.05, 0.05, 4, -0.3];
  const few = [0, 1, 2, 8, 9];
  const pick = (all) => few.map((i) => all[i]);
  const feed = await feedrank.Feed.create({
    catalog,
    generators: [feedrank.decayedDot({ space: 'content' })],
    bundle: await makeBundle(folder, 'full', features, linear, hidden),
    bundles: { small: await makeBundle(folder, 'small', pick(features), pick(linear), [16]) },
    profile: { tauMs: 24 * hour, maxCandidates: candidates, limit: 50, smallerBundle: 'small' },
  });
  const queries = Array.from({ length: Number(queryCount) }, () => ({
    now,
    userVector: { space: 'content', values: vector() },
  }));
  let budgetMs = Infinity;
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();

  /** What is left of the budget counts, so that time on the way here and in the socket does too. */
  async function answer(request) {
    const query = queries[request.readUInt32LE(4)];
    const left = budgetMs - wayBackMs - (epochMs() - request.readDoubleLE(8));
    const number = request.readUInt32LE(0);
    if (left <= 0) return answerBytes(number, { refused: true, ids: [] });
    try {
      const slate = await feed.rank({ ...query, budgetMs: left });
      const { tier, ranked, quality } = slate.trace.budget;
      return answerBytes(number, {
        tier: tiers.indexOf(tier),
        ranked,
        quality,
        ids: slate.items.map(({ id }) => id),
      });
    } catch (error) {
      if (error.code !== 'OVERLOADED') throw error;
      return answerBytes(number, { refused: true, ids: [] });
    }
  }

  createServer((connection) => {
    let rest = Buffer.alloc(0);
    connection.on('data', (chunk) => {
      rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      for (; rest.length >= requestBytes; rest = rest.subarray(requestBytes)) {
        void answer(rest.subarray(0, requestBytes)).then((bytes) => connection.write(bytes));
      }
    });
  }).listen(socket, () => process.send({ ready: true }));

  process.on('message', (message) => {
    if (message.budgetMs !== undefined) budgetMs = message.budgetMs ?? Infinity;
    process.send({ eventLoopDelayP99Ms: delay.percentile(99) / 1e6 - 1 });
    delay.reset();
  });
}

void main();
