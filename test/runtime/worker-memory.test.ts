import { childPrelude, runChild } from '../support/child';

/** Megabytes that a worker may add; a copy of the catalog's vectors alone would be 77. */
const bound = 20;

test(`a worker that attaches ranks the same slates, sees writes, and adds less than ${bound} MB`, async () => {
  const worker = `
    const { parentPort, workerData } = require('node:worker_threads');
    ${childPrelude}
    const shown = (slate) => slate.items.map((item) => [item.id, item.score]);
    (async () => {
      const catalog = Catalog.attach(workerData.catalog);
      const feed = await Feed.attach(workerData.feed, { catalog, ...stages(), profile });
      parentPort.on('message', async (i) => parentPort.postMessage(shown(await feed.rank(query(i)))));
      parentPort.postMessage('ready');
    })();
  `;
  const { code, out, err } = await runChild(`(async () => {
    const { Worker } = require('node:worker_threads');
    const catalog = await makeCatalog(600000);
    const feed = await Feed.create({ catalog, ...stages(), profile });
    const shown = (slate) => JSON.stringify(slate.items.map((item) => [item.id, item.score]));
    // As much work as the worker will do, so that only what the worker itself needs is measured.
    for (let i = 0; i < 150; i++) await feed.rank(query(i % 20));
    const before = process.memoryUsage.rss();
    const worker = new Worker(${JSON.stringify(worker)}, {
      eval: true,
      workerData: { catalog: catalog.handle(), feed: feed.handle() },
    });
    const answer = () => new Promise((resolve) => worker.once('message', resolve));
    worker.on('error', (error) => { throw error; });
    await answer();
    const ask = async (i) => {
      const answered = answer();
      worker.postMessage(i);
      return JSON.stringify(await answered);
    };
    let same = true;
    for (let i = 0; i < 20; i++) same = (await ask(i)) === shown(await feed.rank(query(i))) && same;
    const added = (process.memoryUsage.rss() - before) / 2 ** 20;
    await catalog.upsert([{ id: 1e9, publishTime: now + 1000, embeddings: { taste: query(3).userVector.values.map((x) => 100 * x) } }]);
    const seen = JSON.parse(await ask(3)).some(([id]) => id === 1e9);
    await worker.terminate();
    console.log(same, seen, added < ${bound} ? 'little' : added.toFixed(1) + ' MB');
  })();`);
  expect({ code, out, err }).toEqual({ code: 0, out: 'true true little', err: '' });
});
