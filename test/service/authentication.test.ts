import { networkInterfaces } from 'node:os';
import { isLoopback } from '../../src/service/bearer-token';
import { now } from '../support/world';
import { ask, portOf, serve } from './served-feed';

const token = 'correct-horse-battery-staple';
const bearer = (value: string) => ({ authorization: `Bearer ${value}` });

test('with a token, everything but the probes wants it, and nothing near it will do', async () => {
  const { ask } = await serve({ plugin: { token } });
  expect((await ask('GET', '/healthz')).status).toBe(200);
  expect((await ask('GET', '/readyz')).status).toBe(200);
  expect((await ask('POST', '/rank', { now }, bearer(token))).status).toBe(200);
  expect((await ask('GET', '/metrics', undefined, bearer(token))).status).toBe(200);
  const wrong: Record<string, string>[] = [
    {},
    bearer(''),
    bearer(token.slice(0, -1)),
    bearer(`${token}x`),
    bearer(token.toUpperCase()),
    { authorization: token },
    { authorization: `Basic ${token}` },
    { authorization: `Bearer ${token} ${token}` },
    { 'x-authorization': `Bearer ${token}` },
  ];
  for (const [method, path, body] of [
    ['POST', '/rank', { now }],
    ['DELETE', '/items', { ids: ['item-0'] }],
    ['GET', '/metrics', undefined],
    ['GET', '/openapi.json', undefined],
  ] as const) {
    for (const headers of wrong) {
      const answer = await ask(method, path, body, headers);
      expect(answer).toMatchObject({
        status: 401,
        body: { error: { code: 'UNAUTHORIZED', argument: null } },
      });
      expect(answer.headers.get('www-authenticate')).toBe('Bearer');
      expect(JSON.stringify(answer.body)).not.toContain(token);
    }
  }
});

test('the token is asked for before a body is read', async () => {
  const { ask } = await serve({ plugin: { token, bodyLimitBytes: 10 } });
  expect((await ask('POST', '/rank', '{"not": json, and too long}')).status).toBe(401);
});

test('a server that other machines can reach serves nobody without a token, but for its probes', async () => {
  const { ask, app } = await serve({ host: '0.0.0.0' });
  expect(await ask('POST', '/rank', { now })).toMatchObject({
    status: 401,
    body: { error: { code: 'UNAUTHORIZED' } },
  });
  expect((await ask('GET', '/healthz')).status).toBe(200);
  const addresses = Object.values(networkInterfaces()).flatMap((entries) => entries ?? []);
  const outside = addresses.find(({ family, internal }) => family === 'IPv4' && !internal);
  if (outside === undefined) return;
  const url = `http://${outside.address}:${portOf(app)}`;
  expect((await askAt(url)).status).toBe(401);
});

const askAt = (url: string) => ask(url, 'POST', '/rank', { now });

test('it does with a token, or when it is told that something else guards the routes', async () => {
  const guarded = await serve({ host: '0.0.0.0', plugin: { token } });
  expect((await guarded.ask('POST', '/rank', { now }, bearer(token))).status).toBe(200);
  const open = await serve({ host: '0.0.0.0', plugin: { allowUnauthenticated: true } });
  expect((await open.ask('POST', '/rank', { now })).status).toBe(200);
});

test.each([
  ['127.0.0.1', true],
  ['127.8.9.10', true],
  ['::1', true],
  ['::ffff:127.0.0.1', true],
  ['localhost', true],
  ['0.0.0.0', false],
  ['::', false],
  ['10.0.0.1', false],
  ['::ffff:10.0.0.1', false],
  ['127.0.0.1.example.com', false],
  ['128.0.0.1', false],
  ['', false],
])('%s is reached from this machine alone: %s', (host, expected) => {
  expect(isLoopback(host)).toBe(expected);
});
