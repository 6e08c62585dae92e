import { Value } from '@sinclair/typebox/value';
import type { SlateJson } from '../../src';
import { slateSchema } from '../../src/service/answer-schemas';
import { feedPlugin } from '../../src/fastify';
import { now, unhurried } from '../support/world';
import { makeFeed, serve } from './served-feed';

const query = {
  userId: 'reader',
  userVector: { space: 'taste', values: [1, 0, 0.5, -1] },
  now,
  limit: 5,
};

test('POST /rank answers with the slate that the feed itself gives', async () => {
  const { ask, feed, app } = await serve();
  const { status, body } = await ask('POST', '/rank', query);
  expect(status).toBe(200);
  expect(body).toEqual(JSON.parse(JSON.stringify(await feed.rank(query))));
  expect((body as SlateJson).items).toHaveLength(5);
  expect(Value.Check(slateSchema, body)).toBe(true);
  expect(app.feed).toBe(feed);
});

test('profiles, explanations and seeds go through, and the schema fits what comes back', async () => {
  const { ask } = await serve();
  const named = await ask('POST', '/rank', { now, profile: 'short', explain: true, seed: 7 });
  expect(named.body).toMatchObject({ profile: 'short', seed: 7 });
  expect((named.body as SlateJson).items).toHaveLength(3);
  expect((named.body as SlateJson).items[0]!.explanation).toBeDefined();
  expect(Value.Check(slateSchema, named.body)).toBe(true);
  const given = await ask('POST', '/rank', { now, profile: { limit: 2 } });
  expect((given.body as SlateJson).items).toHaveLength(2);
});

test('POST /rerank orders the given items', async () => {
  const { ask, feed } = await serve();
  const ids = ['item-3', 'item-1', 'item-2', 'nowhere'];
  const { status, body } = await ask('POST', '/rerank', { now, ids });
  expect(status).toBe(200);
  expect(body).toEqual(JSON.parse(JSON.stringify(await feed.rerank({ now }, ids))));
  expect((body as SlateJson).items.map(({ id }) => id).sort()).toEqual(ids.slice(0, 3).sort());
});

test('POST /events is visible to the next ranking, and counts what it did not take', async () => {
  const { ask } = await serve();
  const event = { type: 'click', userId: 'reader', itemId: 'item-0', at: now, eventId: 'once' };
  const { status, body } = await ask('POST', '/events', {
    events: [event, event, { ...event, itemId: 'nowhere', eventId: 'twice' }],
    now,
  });
  expect(status).toBe(200);
  expect(body).toEqual({ recorded: 1, duplicates: 1, late: 0, unknownItems: 1 });
  const { body: slate } = await ask('POST', '/rank', { ...query, limit: 40 });
  const ids = (slate as SlateJson).items.map(({ id }) => id);
  expect(ids).not.toContain('item-0');
  expect(ids).toContain('item-1');
});

test('PUT and DELETE /items write to the catalog', async () => {
  const { ask, feed } = await serve();
  const items = [
    { id: 'item-0', publishTime: now, embeddings: { taste: [1, 2, 3, 4] } },
    { id: 'new', publishTime: now, author: 'a', topics: ['t'], columns: { quality: 1 } },
  ];
  expect(await ask('PUT', '/items', { items })).toMatchObject({
    status: 200,
    body: { inserted: 1, replaced: 1 },
  });
  expect(feed.catalog.has('new')).toBe(true);
  expect(await ask('DELETE', '/items', { ids: ['new', 'nowhere'] })).toMatchObject({
    status: 200,
    body: { removed: 1, unknown: 1 },
  });
  expect(feed.catalog.has('new')).toBe(false);
});

test('a prefix stands before every route, and the server keeps its own routes and errors', async () => {
  const { ask, app } = await serve({ plugin: { prefix: '/feed' }, server: {} });
  expect((await ask('POST', '/feed/rank', { now })).status).toBe(200);
  expect((await ask('GET', '/feed/healthz')).status).toBe(200);
  expect((await ask('POST', '/rank', { now })).status).toBe(404);
  const { body } = await ask('GET', '/feed/openapi.json');
  expect(Object.keys((body as { paths: object }).paths)).toContain('/feed/rank');
  // An error of the server's own is told as the server tells it.
  expect((await ask('GET', '/elsewhere')).body).toMatchObject({ statusCode: 404 });
  expect(app.hasDecorator('feed')).toBe(true);
});

test('health and readiness follow the feed', async () => {
  const { ask, feed } = await serve();
  expect(await ask('GET', '/healthz')).toMatchObject({ status: 200, body: { status: 'ok' } });
  expect(await ask('GET', '/readyz')).toMatchObject({ status: 200, body: { status: 'ok' } });
  feed.dispose();
  expect((await ask('GET', '/healthz')).status).toBe(503);
  expect((await ask('GET', '/readyz')).status).toBe(503);
  const late = await ask('POST', '/rank', { now });
  expect(late).toMatchObject({ status: 503, body: { error: { code: 'DISPOSED' } } });
  expect((await ask('GET', '/metrics')).status).toBe(200);
});

test.each([
  ['feed', { feed: {} }],
  ['prefix', { prefix: 5 }],
  ['prefix', { prefix: 'feed' }],
  ['prefix', { prefix: '/feed/' }],
  ['token', { token: undefined }],
  ['token', { token: '' }],
  ['token', { token: 'two words' }],
  ['token', { token: 'ends in a line break\n' }],
  ['allowUnauthenticated', { allowUnauthenticated: 1 }],
  ['bodyLimitBytes', { bodyLimitBytes: 0 }],
  ['writeBodyLimitBytes', { writeBodyLimitBytes: 2 ** 40 }],
  ['answerTimeoutMs', { answerTimeoutMs: 0 }],
  ['receiveTimeoutMs', { receiveTimeoutMs: Infinity }],
])('a wrong %s is refused when the plugin is registered: %j', async (argument, plugin) => {
  const feed = await makeFeed();
  await expect(serve({ plugin: { feed, ...(plugin as object) } })).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
    argument,
  });
});

test('a feed beside another has a scope of its own', async () => {
  const { app, ask, feed } = await serve({
    plugin: { prefix: '/first' },
    before: async (server) => {
      const other = await makeFeed({ profile: { ...unhurried, limit: 1 } });
      await server.register(async (scope) => {
        await scope.register(feedPlugin, { feed: other, prefix: '/second' });
      });
    },
  });
  const first = await ask('POST', '/first/rank', { now });
  const second = await ask('POST', '/second/rank', { now });
  expect((first.body as SlateJson).items.length).toBeGreaterThan(1);
  expect((second.body as SlateJson).items).toHaveLength(1);
  expect(app.feed).toBe(feed);
});
