import { childPrelude, runChild } from '../support/child';

/** A worker that ranks, retrieves and writes without end once it has said that it does. */
const busyWorker = `
const { parentPort, workerData } = require('node:worker_threads');
${childPrelude}
(async () => {
  const catalog = Catalog.attach(workerData.catalog);
  const feed = await Feed.attach(workerData.feed, { catalog, ...stages(), profile });
  const model = workerData.model && await Model.load(workerData.model, { allowUnverified: true, description: workerData.description });
  const rows = new Float32Array(2000 * 8).fill(0.5);
  let said = false;
  for (let i = 0; ; i++) {
    const work = [feed.rank(query(i)), retrieve(catalog), catalog.upsert([{ id: i % 50, publishTime: now }])];
    if (model) work.push(model.score(rows), model.score(rows));
    if (!said) { said = true; parentPort.postMessage('busy'); }
    await Promise.all(work);
  }
})();
`;

const withModel = `
  const fs = require('node:fs'), os = require('node:os'), path = require('node:path');
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'feedrank-test-'));
  process.on('exit', () => fs.rmSync(folder, { recursive: true, force: true }));
  const file = path.join(folder, 'model.pt');
  const layer = (inputs, outputs) => ({ inputs, outputs, weights: new Float32Array(inputs * outputs).fill(0.01), bias: new Float32Array(outputs) });
  await saveScriptedNetwork({ mean: new Float32Array(8), scale: new Float32Array(8).fill(1), layers: [layer(8, 256), layer(256, 256), layer(256, 1)] }, file);
  const description = { formatVersion: 1, features: Array.from({ length: 8 }, (_, i) => ({ name: 'f' + i })) };
`;

/** How many terminations: `FEEDRANK_TERMINATIONS=1000` for the full count, which takes minutes. */
const terminations = Number(process.env['FEEDRANK_TERMINATIONS'] ?? 40);
/** Without a model to load, a worker is up sooner. */
const terminationsWhileRanking = Math.max(200, terminations);
const patience = 60_000 + 2000 * terminationsWhileRanking;

test.each([
  [terminations, 'inference', withModel, 'model: file, description'],
  [terminationsWhileRanking, 'ranking', '', ''],
])(
  '%i workers terminated with %s in flight leave the process and the catalog well',
  async (terminations, _what, provided, handed) => {
    const { code, signal, out, err } = await runChild(
      `(async () => {
    const { Worker } = require('node:worker_threads');
    ${provided}
    const catalog = await makeCatalog(3000);
    const feed = await Feed.create({ catalog, ...stages(), profile });
    const workerData = { catalog: catalog.handle(), feed: feed.handle(), ${handed} };
    const one = async (i) => {
      const worker = new Worker(${JSON.stringify(busyWorker)}, { eval: true, workerData });
      await new Promise((resolve, reject) => worker.on('message', resolve).on('error', reject));
      for (let turn = i % 5; turn > 0; turn--) await new Promise(setImmediate);
      return worker.terminate();
    };
    for (let i = 0; i < ${terminations}; i += 4) await Promise.all([one(i), one(i + 1), one(i + 2), one(i + 3)]);
    const slate = await feed.rank(query());
    await catalog.upsert([{ id: 7, publishTime: now }]);
    console.log(slate.items.length, catalog.size);
  })();`,
      patience,
    );
    expect({ code, signal, out, err }).toEqual({ code: 0, signal: null, out: '50 3000', err: '' });
  },
  patience + 10_000,
);

test('several workers attached to one catalog rank at once, see writes of one another, and agree', async () => {
  const worker = `
    const { parentPort, workerData } = require('node:worker_threads');
    ${childPrelude}
    (async () => {
      const catalog = Catalog.attach(workerData.catalog);
      const feed = await Feed.attach(workerData.feed, { catalog, ...stages(), profile });
      const slates = await Promise.all(Array.from({ length: 25 }, (_, i) => feed.rank(query(i))));
      await catalog.upsert([{ id: 100000 + workerData.own, publishTime: now - 1e9 }]);
      await feed.record([{ type: 'click', userId: workerData.own, itemId: 1, at: now }], { now });
      parentPort.postMessage(slates.map((slate) => slate.items.map((item) => [item.id, item.score])));
    })();
  `;
  const { code, out, err } = await runChild(`(async () => {
    const { Worker } = require('node:worker_threads');
    const catalog = await makeCatalog(2000);
    const feed = await Feed.create({ catalog, ...stages(), profile });
    const here = (await Promise.all(Array.from({ length: 25 }, (_, i) => feed.rank(query(i)))))
      .map((slate) => slate.items.map((item) => [item.id, item.score]));
    const answers = await Promise.all([0, 1, 2, 3].map((own) => new Promise((resolve, reject) => {
      const workerData = { own, catalog: catalog.handle(), feed: feed.handle() };
      const worker = new Worker(${JSON.stringify(worker)}, { eval: true, workerData });
      let answer;
      worker.on('message', (message) => { answer = message; });
      worker.on('error', reject).on('exit', () => resolve(answer));
    })));
    const clicks = await feed.assemble({ now }, [1], [{ name: 'c', source: 'clicks', halfLifeMs: 10800000 }]);
    console.log(answers.every((answer) => JSON.stringify(answer) === JSON.stringify(here)),
      catalog.size, [0, 1, 2, 3].every((own) => catalog.has(100000 + own)), feed.stats.users, clicks.values[0]);
  })();`);
  expect({ code, out, err }).toEqual({ code: 0, out: 'true 2004 true 4 4', err: '' });
});

test('what a worker made lives on in those that attached to it', async () => {
  const worker = `
    const { parentPort } = require('node:worker_threads');
    ${childPrelude}
    (async () => {
      const catalog = await makeCatalog(20);
      const feed = await Feed.create({ catalog, ...stages(), profile });
      parentPort.postMessage({ catalog: catalog.handle(), feed: feed.handle() });
      parentPort.once('message', () => process.exit(0));
    })();
  `;
  const { code, out, err } = await runChild(`(async () => {
    const { Worker } = require('node:worker_threads');
    const worker = new Worker(${JSON.stringify(worker)}, { eval: true });
    const handles = await new Promise((resolve) => worker.once('message', resolve));
    const catalog = Catalog.attach(handles.catalog);
    const feed = await Feed.attach(handles.feed, { catalog, ...stages(), profile });
    const ended = new Promise((resolve) => worker.once('exit', resolve));
    worker.postMessage('end');
    await ended;
    await catalog.upsert([{ id: 1000, publishTime: now }]);
    const slate = await feed.rank(query());
    console.log(slate.items.length, catalog.size);
  })();`);
  expect({ code, out, err }).toEqual({ code: 0, out: '21 21', err: '' });
});

test('process.exit while workers are busy is clean', async () => {
  const { code, signal, err } = await runChild(`(async () => {
    const { Worker } = require('node:worker_threads');
    const catalog = await makeCatalog(2000);
    const feed = await Feed.create({ catalog, ...stages(), profile });
    const workerData = { catalog: catalog.handle(), feed: feed.handle() };
    await Promise.all([0, 1, 2].map(() => new Promise((resolve, reject) => {
      new Worker(${JSON.stringify(busyWorker)}, { eval: true, workerData }).on('message', resolve).on('error', reject);
    })));
    for (let i = 0; i < 20; i++) feed.rank(query(i)).catch(() => undefined);
    process.exit(5);
  })();`);
  expect({ code, signal, err }).toEqual({ code: 5, signal: null, err: '' });
});
