import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { childPrelude, runChild } from '../support/child';
import { temporaryFolder } from '../support/temporary-folder';

const root = path.resolve(__dirname, '../..');

/** What a thread or a process does to serve a feed. */
const serving = `
  const { feedPlugin } = require(${JSON.stringify(path.join(root, 'dist/fastify.js'))});
  const serve = async (feed) => {
    const app = require(${JSON.stringify(path.join(root, 'node_modules/fastify'))})();
    await app.register(feedPlugin, { feed });
    await app.listen({ host: '127.0.0.1', port: 0 });
    return app;
  };
  const post = async (port, path, body) => {
    const response = await fetch('http://127.0.0.1:' + port + path, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json', connection: 'close' },
    });
    return { status: response.status, body: await response.json() };
  };
  const asked = (i) => ({ now, userVector: { space: 'taste', values: [...query(i).userVector.values] } });
`;

test('worker threads that attach to one feed serve the same slates, and one that is terminated while it ranks harms nobody', async () => {
  const worker = `
    const { parentPort, workerData } = require('node:worker_threads');
    ${childPrelude}
    ${serving}
    (async () => {
      const catalog = Catalog.attach(workerData.catalog);
      const feed = await Feed.attach(workerData.feed, { catalog, ...stages(), profile });
      const app = await serve(feed);
      parentPort.once('message', async () => { await app.close(); parentPort.close(); });
      parentPort.postMessage(app.addresses()[0].port);
    })();
  `;
  const { code, signal, out, err } = await runChild(`(async () => {
    ${serving}
    const { Worker } = require('node:worker_threads');
    const catalog = await makeCatalog(3000);
    const feed = await Feed.create({ catalog, ...stages(), profile });
    const workerData = { catalog: catalog.handle(), feed: feed.handle() };
    const workers = Array.from({ length: 3 }, () => new Worker(${JSON.stringify(worker)}, { eval: true, workerData }));
    const ports = await Promise.all(workers.map((one) => new Promise((resolve, reject) => one.on('message', resolve).on('error', reject))));
    const ids = async (port) => (await post(port, '/rank', asked(1))).body.items.map(({ id }) => id).join();
    const here = (await feed.rank(query(1))).items.map(({ id }) => id).join();
    const same = (await Promise.all(ports.map(ids))).every((there) => there === here);
    // What one of them records, all of them see.
    await post(ports[0], '/events', { events: [{ type: 'click', userId: 1, itemId: 1, at: now }], now });
    const users = feed.stats.users;
    const inFlight = Array.from({ length: 32 }, (_, i) => post(ports[2], '/rank', asked(i)).catch(() => 'gone'));
    await inFlight[0];
    await workers[2].terminate();
    await Promise.all(inFlight);
    const after = await Promise.all(ports.slice(0, 2).map(async (port) => (await post(port, '/rank', asked(2))).status));
    const ended = workers.slice(0, 2).map((one) => new Promise((resolve) => one.once('exit', resolve)));
    for (const one of workers.slice(0, 2)) one.postMessage('end');
    console.log(same, users, after.join(), (await Promise.all(ended)).join());
  })();`);
  expect({ code, signal, out, err }).toEqual({
    code: 0,
    signal: null,
    out: 'true 1 200,200 0,0',
    err: '',
  });
});

test('a cluster serves from several processes, outlives the death of one, and ends in order', async () => {
  const member = path.join(temporaryFolder(), 'member.js');
  writeFileSync(
    member,
    `${childPrelude}
    ${serving}
    (async () => {
      const catalog = await makeCatalog(1000);
      const feed = await Feed.create({ catalog, ...stages(), profile });
      const app = await serve(feed);
      process.once('SIGTERM', async () => {
        await app.close();
        feed.dispose();
        catalog.dispose();
        process.disconnect();
      });
      process.send({ port: app.addresses()[0].port });
    })();`,
  );
  const { code, signal, out, err } = await runChild(`(async () => {
    ${serving}
    const cluster = require('node:cluster');
    // Without its own arguments, which are this script.
    cluster.setupPrimary({ exec: ${JSON.stringify(member)}, execArgv: [] });
    // Members that ask for port 0 share one.
    const fork = () => new Promise((resolve, reject) => {
      const child = cluster.fork();
      child.once('message', (message) => resolve({ child, port: message.port }));
      child.once('exit', () => reject(new Error('a member ended early')));
    });
    const first = await fork();
    const second = await fork();
    const ask = (i) => post(first.port, '/rank', asked(i)).then(({ status }) => status, () => 'gone');
    const askMany = (count) => Promise.all(Array.from({ length: count }, (_, i) => ask(i)));
    const before = await askMany(20);
    const meanwhile = askMany(32);
    await ask(0);
    const died = new Promise((resolve) => second.child.once('exit', (code, signal) => resolve(signal)));
    second.child.process.kill('SIGKILL');
    const how = await died;
    const settled = (await meanwhile).length;
    const third = await fork();
    const after = await askMany(20);
    const ended = [first, third].map(({ child }) =>
      new Promise((resolve) => child.once('exit', (code, signal) => resolve(code + ' ' + signal))));
    for (const { child } of [first, third]) child.process.kill('SIGTERM');
    console.log(JSON.stringify({
      shared: [second.port, third.port].every((port) => port === first.port), before: [...new Set(before)], how, settled, after: [...new Set(after)], ended: await Promise.all(ended),
    }));
  })();`);
  expect({ code, signal, err }).toEqual({ code: 0, signal: null, err: '' });
  expect(JSON.parse(out)).toEqual({
    shared: true,
    before: [200],
    how: 'SIGKILL',
    settled: 32,
    after: [200],
    ended: ['0 null', '0 null'],
  });
});
