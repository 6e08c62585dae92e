import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import type { Filter } from '../../src';
import { now, unhurried } from '../support/world';
import { ask, portOf, serve } from './served-feed';

/** A stage that waits until it is let go, and knows whether it was given up. */
function gate() {
  let release: () => void = () => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  const signals: AbortSignal[] = [];
  let began: () => void = () => undefined;
  const hasBegun = new Promise<void>((resolve) => (began = resolve));
  const filter: Filter = {
    name: 'gate',
    filter: async (batch, { signal }) => {
      signals.push(signal);
      began();
      await released;
      return batch.ids.map(() => true);
    },
  };
  return { filter, signals, hasBegun, release };
}

/** A request by hand, so that it can be broken off. */
function post(url: string, path: string, body: string): http.ClientRequest {
  const request = http.request(url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
  });
  request.on('error', () => undefined);
  request.end(body);
  return request;
}

test('a client that goes away aborts its ranking', async () => {
  const { filter, signals, hasBegun, release } = gate();
  const { url } = await serve({ feed: { filters: [filter] } });
  const request = post(url, '/rank', JSON.stringify({ now }));
  await hasBegun;
  expect(signals[0]!.aborted).toBe(false);
  request.destroy();
  if (!signals[0]!.aborted) await once(signals[0]!, 'abort');
  release();
  expect((await ask(url, 'GET', '/healthz')).status).toBe(200);
});

test('a ranking that takes too long is given up and answered by 503', async () => {
  const { filter, signals, release } = gate();
  const { ask } = await serve({ feed: { filters: [filter] }, plugin: { answerTimeoutMs: 50 } });
  const answer = await ask('POST', '/rank', { now });
  expect(answer).toMatchObject({ status: 503, body: { error: { code: 'TIMED_OUT' } } });
  expect(answer.headers.get('retry-after')).toBe('1');
  expect(signals[0]!.aborted).toBe(true);
  release();
});

test('what cannot be answered in time is refused at once with 503 and Retry-After, and counted', async () => {
  const { ask } = await serve({ feed: { profile: { ...unhurried, maxCandidates: 40 } } });
  const hopeless = { now, budgetMs: 1e-6 };
  // The first requests teach the feed what its stages cost.
  for (let i = 0; i < 20; i++) await ask('POST', '/rank', { now });
  const answers = await Promise.all(
    Array.from({ length: 300 }, () => ask('POST', '/rank', hopeless)),
  );
  const refused = answers.filter(({ status }) => status !== 200);
  expect(refused.length).toBeGreaterThan(0);
  for (const { status, headers, body } of refused) {
    expect({ status, body }).toMatchObject({
      status: 503,
      body: { error: { code: 'OVERLOADED', argument: 'budgetMs' } },
    });
    expect(headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
  }
  const { body: metrics } = await ask('GET', '/metrics');
  expect(metrics).toContain(`feedrank_refusals_total{code="OVERLOADED"} ${refused.length}`);
  expect((await ask('POST', '/rank', { now })).status).toBe(200);
});

test('a server that closes says so, finishes what is in flight, and then ends', async () => {
  const { filter, hasBegun, release } = gate();
  const { app, url } = await serve({
    feed: { filters: [filter] },
    server: { return503OnClosing: false },
  });
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const inFlight = ask(url, 'POST', '/rank', { now });
  await hasBegun;
  // A connection that was there before, and one that has never sent anything.
  const probe = () =>
    new Promise<number | undefined>((resolve, reject) =>
      http
        .get(`${url}/readyz`, { agent }, (response) => {
          response.resume();
          response.on('end', () => resolve(response.statusCode));
        })
        .on('error', reject),
    );
  expect(await probe()).toBe(200);
  const silent = net.connect(portOf(app), '127.0.0.1');
  await once(silent, 'connect');
  let isClosed = false;
  const closing = new Promise<void>((resolve) => void app.close().then(resolve, resolve)).then(
    () => (isClosed = true),
  );
  await new Promise(setImmediate);
  expect(isClosed).toBe(false);
  release();
  const answered = await inFlight;
  expect(answered.status).toBe(200);
  expect(answered.headers.get('connection')).toBe('close');
  await closing;
  agent.destroy();
  silent.destroy();
  await expect(ask(url, 'GET', '/readyz')).rejects.toThrow();
});

test('/readyz answers 503 and others are turned away while the server closes', async () => {
  const { filter, hasBegun, release } = gate();
  const { app, ask } = await serve({
    feed: { filters: [filter] },
    server: { return503OnClosing: false },
  });
  const port = portOf(app);
  // Requests that have begun before, so that their connections are not idle, and end after.
  const begin = async (line: string) => {
    const socket = net.connect(port, '127.0.0.1');
    let received = '';
    socket.on('data', (data: Buffer) => (received += data.toString()));
    socket.write(`${line} HTTP/1.1\r\nHost: here\r\n`);
    await once(socket, 'connect');
    return async () => {
      socket.write('\r\n');
      await once(socket, 'close');
      return received;
    };
  };
  const endProbe = await begin('GET /readyz');
  const endRanking = await begin('POST /rank');
  const inFlight = ask('POST', '/rank', { now });
  await hasBegun;
  const closing = app.close();
  await new Promise(setImmediate);
  const [probe, ranking] = [await endProbe(), await endRanking()];
  expect(probe).toMatch(/^HTTP\/1\.1 503 /);
  expect(probe).toContain('{"status":"unavailable"}');
  expect(ranking).toMatch(/^HTTP\/1\.1 503 /);
  expect(ranking.toLowerCase()).toMatch(/\r\nretry-after: 1\r\n/);
  expect(ranking).toContain('"SHUTTING_DOWN"');
  release();
  expect((await inFlight).status).toBe(200);
  await closing;
});

test('a client that never finishes its request does not hold the connection for ever', async () => {
  const { app } = await serve({
    plugin: { receiveTimeoutMs: 100 },
    server: { http: { connectionsCheckingInterval: 20 } } as object,
  });
  expect(app.server.requestTimeout).toBe(100);
  const socket = net.connect(portOf(app), '127.0.0.1');
  let received = '';
  socket.on('data', (data: Buffer) => (received += data.toString()));
  socket.write(
    'POST /rank HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{',
  );
  await once(socket, 'close');
  expect(received).toMatch(/^HTTP\/1\.1 408 /);
});

test("a server's own request timeout is left as it is", async () => {
  const { app } = await serve({ server: { requestTimeout: 1234 } });
  expect(app.server.requestTimeout).toBe(1234);
});
