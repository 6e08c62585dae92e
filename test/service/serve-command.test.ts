import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import type { SlateJson } from '../../src';
import { writeBundle } from '../../src/bundles/write-bundle';
import { rankerParts } from '../bundles/small-ranker';
import { temporaryFolder } from '../support/temporary-folder';
import { ask } from './served-feed';

const command = path.join(__dirname, '../../dist/cli/main.js');
const now = Date.UTC(2026, 0, 15, 12);
const hour = 3_600_000;
const running: ChildProcess[] = [];

afterEach(() => {
  for (const child of running.splice(0)) child.kill('SIGKILL');
});

interface Served {
  readonly url: string;
  readonly child: ChildProcess;
  readonly output: { out: string; err: string };
  readonly ended: Promise<{ code: number | null; signal: string | null }>;
}

function start(args: readonly string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [command, 'serve', ...args], {
    env: { ...process.env, NODE_OPTIONS: '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.push(child);
  const output = { out: '', err: '' };
  child.stdout.on('data', (data: Buffer) => (output.out += data.toString()));
  child.stderr.on('data', (data: Buffer) => (output.err += data.toString()));
  const ended = once(child, 'close').then(([code, signal]) => ({
    code: code as number | null,
    signal: signal as string | null,
  }));
  return { child, output, ended };
}

async function serving(args: readonly string[], env?: Record<string, string>): Promise<Served> {
  const started = start(args, env);
  const early = started.ended.then(() => {
    throw new Error(`it ended: ${started.output.err}`);
  });
  while (!started.output.out.includes('\n')) {
    await Promise.race([once(started.child.stdout, 'data'), early]);
  }
  early.catch(() => undefined);
  const { listening } = JSON.parse(started.output.out) as { listening: string };
  return { url: listening, ...started };
}

/** How a command that must not start ends. */
async function refused(args: readonly string[], env?: Record<string, string>) {
  const { ended, output } = start(args, env);
  return { ...(await ended), ...output };
}

function itemsFile(lines: readonly (object | string)[], end = '\n'): string {
  const file = path.join(temporaryFolder(), 'items.jsonl');
  const text = lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line)));
  writeFileSync(file, text.join('\n') + end);
  return file;
}

const plain = [
  { id: 'old', publishTime: now - 5 * hour, author: 'a', topics: ['t'], labels: { kind: 'x' } },
  { id: 'new', publishTime: now - hour, columns: { length: 7 } },
];
const embedded = plain.map((item, i) => ({ ...item, embeddings: { taste: [i, 1 - i] } }));

test('it says where it listens in one line, serves, and ends with 0 at SIGTERM', async () => {
  const { url, child, output, ended } = await serving(['--items', itemsFile(embedded)]);
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  const query = { now, userVector: { space: 'taste', values: [0, 1] } };
  const { status, body } = await ask(url, 'POST', '/rank', query);
  expect(status).toBe(200);
  // The older one is what the reader likes.
  expect((body as SlateJson).items.map(({ id }) => id)).toEqual(['old', 'new']);
  expect((body as SlateJson).items[0]!.score).toBeGreaterThan(0.5);
  expect((await ask(url, 'GET', '/elsewhere')).body).toEqual({
    error: { code: 'NOT_FOUND', message: 'there is no such route', argument: null },
  });
  const metrics = (await ask(url, 'GET', '/metrics')).body as string;
  expect(metrics).toContain('feedrank_catalog_items 2');
  expect(metrics).toContain('process_resident_memory_bytes');
  child.kill('SIGTERM');
  expect(await ended).toEqual({ code: 0, signal: null });
  expect(output).toEqual({ out: `{"listening":"${url}"}\n`, err: '' });
});

test('without embeddings it ranks by clicks and age, and SIGINT ends it as well', async () => {
  const items = Array.from({ length: 30 }, (_, id) => ({ id, publishTime: now - id * hour }));
  const { url, child, ended, output } = await serving(['--items', itemsFile(items, '')]);
  const first = await ask(url, 'POST', '/rank', { now, limit: 3 });
  expect((first.body as SlateJson).items.map(({ id }) => id)).toEqual([0, 1, 2]);
  const events = Array.from({ length: 50 }, (_, i) =>
    ['impression', 'click'].map((type) => ({
      type,
      userId: `reader ${i}`,
      itemId: 9,
      at: now - 1000,
    })),
  ).flat();
  expect((await ask(url, 'POST', '/events', { events, now })).status).toBe(200);
  const then = await ask(url, 'POST', '/rank', { now, limit: 3 });
  expect((then.body as SlateJson).items[0]!.id).toBe(9);
  child.kill('SIGINT');
  expect(await ended).toEqual({ code: 0, signal: null });
  expect(output.err).toBe('');
});

test('what is in flight at SIGTERM is finished, and silent connections do not hold the end', async () => {
  const items = Array.from({ length: 20_000 }, (_, id) => ({ id, publishTime: now - id * 1000 }));
  const { url, child, ended } = await serving(['--items', itemsFile(items)]);
  const silent = net.connect(Number(new URL(url).port), '127.0.0.1');
  silent.on('error', () => undefined);
  await once(silent, 'connect');
  const ids = items.slice(0, 10_000).map(({ id }) => id);
  // Bodies that are half sent count as in flight.
  const inFlight = await Promise.all(
    Array.from({ length: 4 }, async () => {
      const socket = net.connect(Number(new URL(url).port), '127.0.0.1');
      const body = JSON.stringify({ now, ids, budgetMs: 60_000 });
      let received = '';
      socket.on('data', (data: Buffer) => (received += data.toString()));
      const closed = once(socket, 'close');
      socket.write(
        `POST /rerank HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`,
      );
      socket.write(body.slice(0, 1000));
      return { finish: () => socket.write(body.slice(1000)), answer: closed.then(() => received) };
    }),
  );
  // All of them have arrived once the server has answered something sent after them.
  expect((await ask(url, 'GET', '/readyz')).status).toBe(200);
  child.kill('SIGTERM');
  child.kill('SIGTERM');
  await new Promise((resolve) => setTimeout(resolve, 100));
  for (const { finish } of inFlight) finish();
  for (const { answer } of inFlight) {
    const received = await answer;
    expect(received).toMatch(/^HTTP\/1\.1 200 OK/);
    const slate = JSON.parse(received.slice(received.indexOf('\r\n\r\n'))) as SlateJson;
    expect(slate.items).toHaveLength(10_000);
  }
  expect(await ended).toEqual({ code: 0, signal: null });
  silent.destroy();
});

test('a bundle ranks, a profile shapes the answers, and metrics name the bundle', async () => {
  const folder = temporaryFolder();
  const bundle = path.join(folder, 'bundle');
  await writeBundle(bundle, await rankerParts(), { force: false });
  const profile = path.join(folder, 'profile.json');
  writeFileSync(profile, JSON.stringify({ name: 'front', limit: 1 }));
  const { url, child, ended } = await serving([
    ...['--items', itemsFile(plain), '--bundle', bundle, '--profile', profile],
  ]);
  const { body } = await ask(url, 'POST', '/rank', { now });
  const slate = body as SlateJson;
  expect(slate.profile).toBe('front');
  expect(slate.items).toHaveLength(1);
  // click = log1p(hours), dwell = 1 − log1p(hours) at half the weight.
  expect(slate.items[0]!.id).toBe('old');
  expect(slate.items[0]!.score).toBeCloseTo(Math.log(6) + 0.5 * (1 - Math.log(6)), 4);
  const metrics = (await ask(url, 'GET', '/metrics')).body as string;
  expect(metrics).toMatch(/^feedrank_bundle_info\{bundle="served",checksum="[0-9a-f]{64}",/m);
  child.kill('SIGTERM');
  expect((await ended).code).toBe(0);
});

test('with --token-env requests need the token, and other addresses need --token-env', async () => {
  const file = itemsFile(plain);
  const args = ['--items', file, '--host', '0.0.0.0', '--token-env', 'FEED_TOKEN'];
  const { url, child, ended } = await serving(args, {
    FEED_TOKEN: 'open sesame'.replace(' ', '-'),
  });
  const local = url.replace('0.0.0.0', '127.0.0.1');
  expect((await ask(local, 'POST', '/rank', {})).status).toBe(401);
  const bearer = { authorization: 'Bearer open-sesame' };
  expect((await ask(local, 'POST', '/rank', {}, bearer)).status).toBe(200);
  expect((await ask(local, 'GET', '/healthz')).status).toBe(200);
  child.kill('SIGTERM');
  expect((await ended).code).toBe(0);
});

test.each([
  ['no items', [], 'items'],
  ['a port out of range', ['--port', '65536'], 'port'],
  ['a port that is no number', ['--port', 'http'], 'port'],
  ['another address without a token', ['--host', '0.0.0.0'], 'host'],
  ['another address of IPv6', ['--host', '::'], 'host'],
  ['a token that is not there', ['--token-env', 'FEEDRANK_NO_SUCH_VARIABLE'], 'token-env'],
  ['an unknown option', ['--watch'], 'watch'],
])('%s is wrong usage: one line, status 2', async (_what, args, about) => {
  const items = about === 'items' ? [] : ['--items', itemsFile(plain)];
  const { code, out, err } = await refused([...items, ...args]);
  expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(err).toMatch(/^feedrank: INVALID_ARGUMENT: .*\n$/);
  expect(err).toContain(about);
});

const big = { id: 'x', publishTime: now };
test.each<[string, (object | string)[], RegExp]>([
  ['no JSON', [big, '{"id": "y"'], /line 2: it is no JSON/],
  ['no object', ['[]'], /line 1: body: /],
  ['an unknown field', [{ ...big, title: 'X' }], /line 1: title: /],
  ['no publish time', [big, '', { id: 'y' }], /line 3: publishTime: /],
  [
    'a date in words',
    [{ ...big, publishTime: '2026-01-15' }],
    /line 1: publishTime: .*"2026-01-15"/,
  ],
  ['the same id twice', [big, { ...big, id: 'y' }, big], /line 3: id: "x" is in line 1, too/],
  ['ids of two kinds', [big, { ...big, id: 5 }], /line 2: id: expected a string/],
  ['an integer beyond 2^53', ['{"id": 9007199254740993, "publishTime": 1}'], /line 1: id: /],
  [
    'vectors of two lengths',
    [
      { ...big, embeddings: { s: [1] } },
      { id: 'y', publishTime: 1, embeddings: { s: [1, 2] } },
    ],
    /line 2: embeddings\.s: expected 1 values, as before, got 2/,
  ],
  [
    'a number that is no float32',
    [big, { ...big, id: 'y', embeddings: { s: [1e300] } }],
    /line 2: embeddings\.s\[0\]: /,
  ],
  ['half of a surrogate pair', [big, '{"id": "\\ud800", "publishTime": 1}'], /line 2: id: /],
  ['nothing but blank lines', ['', ''], /has no items/],
  [
    'a field whose name would end the line or colour the terminal',
    [{ ...big, '\n\u001b[31m\u2028x': 1 }],
    /line 1: \\u001b\[31m\\u2028x: /,
  ],
])('a file with %s is refused by its line', async (_what, lines, expected) => {
  const { code, out, err } = await refused(['--items', itemsFile(lines)]);
  expect({ code, out }).toEqual({ code: 1, out: '' });
  expect(err).toMatch(/^feedrank: DATA_MALFORMED: .*\n$/);
  expect(err).toMatch(expected);
});

test('files that are not there, profiles and bundles that are none, and a port in use are told in one line', async () => {
  const file = itemsFile(plain);
  const folder = temporaryFolder();
  const wrong = path.join(folder, 'profile.json');
  writeFileSync(wrong, '{"limit": 0}');
  const noJson = path.join(folder, 'no.json');
  writeFileSync(noJson, '{limit');
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  for (const [args, code] of [
    [['--items', path.join(folder, 'none.jsonl')], 'DATA_MISSING'],
    [['--items', folder], 'DATA_MISSING'],
    [['--items', file, '--profile', path.join(folder, 'none')], 'DATA_MISSING'],
    [['--items', file, '--profile', noJson], 'DATA_MALFORMED'],
    [['--items', file, '--profile', wrong], 'INVALID_ARGUMENT: profile.limit'],
    [['--items', file, '--bundle', folder], 'BUNDLE_NOT_FOUND'],
    [['--items', file, '--port', String(port)], 'INVALID_ARGUMENT: port'],
  ] as const) {
    const { code: status, out, err } = await refused(args);
    expect({ status, out, lines: err.trim().split('\n').length }).toEqual({
      status: 1,
      out: '',
      lines: 1,
    });
    expect(err).toContain(`feedrank: ${code}`);
  }
  server.close();
});

test('a service that is stopped while it loads ends with 0 as well', async () => {
  const items = Array.from({ length: 200_000 }, (_, id) => ({ id, publishTime: now }));
  const file = itemsFile(items);
  const { child, ended, output } = start(['--items', file]);
  const descriptors = `/proc/${child.pid}/fd`;
  const isReading = () =>
    readdirSync(descriptors).some((name) => {
      try {
        return readlinkSync(path.join(descriptors, name)) === file;
      } catch {
        return false;
      }
    });
  while (!isReading()) await new Promise((resolve) => setTimeout(resolve, 2));
  child.kill('SIGTERM');
  expect(await ended).toEqual({ code: 0, signal: null });
  expect(output).toEqual({ out: '', err: '' });
});
