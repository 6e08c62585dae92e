'use strict';

// feedrank: node feedrank-service.js DATA SOCKET PRECISION RETRIEVAL, two native threads.

const path = require('node:path');
const feedrank = require('../..');
const { readTask } = require('./task');
const { serveSocket } = require('./serve-socket');

const [, , folder, socket, precision, retrieval = 'exact'] = process.argv;
const batch = 5_000;

async function main() {
  feedrank.configure({ threads: 2 });
  const data = readTask(folder);
  const columns = Array.from({ length: data.width }, (_, c) => `stored${c}`);
  const catalog = await feedrank.Catalog.create({
    ids: 'integer',
    spaces: { content: { dimensions: data.dimensions, index: retrieval } },
    columns,
    columnPrecision: 'float32',
  });
  for (let begin = 0; begin < data.items; begin += batch) {
    await catalog.upsert(itemsOf(data, columns, begin, Math.min(data.items, begin + batch)));
  }
  const model = await feedrank.Model.load(path.join(folder, 'ranker.pt'), {
    allowUnverified: true,
    ...(precision === 'float32' ? {} : { precision }),
    description: {
      formatVersion: 1,
      features: [
        ...columns.map((column) => ({ name: column, source: 'column', column })),
        { name: 'dot', source: 'dot', space: 'content' },
        { name: 'age', transformation: 'log1p' },
      ],
    },
  });
  const feed = await feedrank.Feed.create({
    catalog,
    generators: [feedrank.decayedDot({ space: 'content' })],
    ranker: feedrank.torchScript(model),
    // A budget would hide cost: what does not fit is skipped.
    profile: { tauMs: data.tauMs, maxCandidates: data.candidates, budgetMs: 60_000, retrieval },
  });
  const queries = Array.from({ length: data.queries }, (_, q) => ({
    userVector: { space: 'content', values: data.query(q) },
    now: data.now,
    limit: data.limit,
  }));
  const rank = async (query) => {
    const { items, degraded } = await feed.rank(queries[query]);
    if (degraded.length > 0) throw new Error(`degraded: ${degraded[0].reason}`);
    return items.map(({ id }) => id);
  };
  if (retrieval === 'approximate') await catalog.whenClustered();
  await rank(0);
  serveSocket(socket, {
    rank,
    candidates: async (query) => {
      const [{ ids }] = await catalog.retrieve({
        space: 'content',
        vectors: data.query(query),
        k: data.candidates,
        tauMs: data.tauMs,
        now: data.now,
        retrieval,
      });
      return ids;
    },
    about: { versions: { libtorch: feedrank.runtimeStatus().libtorchVersion } },
  });
}

function itemsOf(data, columns, begin, end) {
  const { dimensions, stored, width, vectors, ages, now } = data;
  return Array.from({ length: end - begin }, (_, i) => {
    const id = begin + i;
    const values = {};
    for (let c = 0; c < width; c++) values[columns[c]] = stored[id * width + c];
    return {
      id,
      publishTime: now - ages[id],
      columns: values,
      embeddings: { content: vectors.subarray(id * dimensions, (id + 1) * dimensions) },
    };
  });
}

main();
