import { now } from '../support/world';
import { serve, type ServedFeed } from './served-feed';

interface Refused {
  readonly error: { code: string; message: string; argument: string | null };
}

let served: ServedFeed;
beforeEach(async () => {
  served = await serve();
});

const event = { type: 'click', userId: 'reader', itemId: 'item-0', at: now };
const item = { id: 'new', publishTime: now };

test.each<[string, string, unknown, string, string]>([
  ['POST', '/rank', { limitt: 5 }, 'INVALID_ARGUMENT', 'query.limitt'],
  ['POST', '/rank', { limit: 0 }, 'INVALID_ARGUMENT', 'query.limit'],
  ['POST', '/rank', { limit: '5' }, 'INVALID_ARGUMENT', 'query.limit'],
  ['POST', '/rank', { budgetMs: 0 }, 'INVALID_ARGUMENT', 'query.budgetMs'],
  ['POST', '/rank', { now: -1 }, 'INVALID_ARGUMENT', 'query.now'],
  ['POST', '/rank', { userId: '' }, 'INVALID_ARGUMENT', 'query.userId'],
  ['POST', '/rank', { userId: 'x'.repeat(1025) }, 'INVALID_ARGUMENT', 'query.userId'],
  ['POST', '/rank', '{"userId": 9007199254740993}', 'INVALID_ARGUMENT', 'query.userId'],
  ['POST', '/rank', '{"userId": "\\ud800"}', 'INVALID_ARGUMENT', 'query.userId'],
  ['POST', '/rank', { profile: 'nobody' }, 'UNKNOWN_PROFILE', 'query.profile'],
  ['POST', '/rank', { profile: { tauMs: 0 } }, 'INVALID_ARGUMENT', 'query.profile.tauMs'],
  ['POST', '/rank', { profile: { what: 1 } }, 'INVALID_ARGUMENT', 'query.profile.what'],
  ['POST', '/rank', { segments: { device: 'tv' } }, 'UNKNOWN_SEGMENT', 'query.segments.device'],
  ['POST', '/rank', { signal: {} }, 'INVALID_ARGUMENT', 'query.signal'],
  ['POST', '/rank', { seen: [1] }, 'INVALID_ARGUMENT', 'query.seen[0]'],
  [
    'POST',
    '/rank',
    { userVector: { space: 'no', values: [1] } },
    'UNKNOWN_SPACE',
    'query.userVector.space',
  ],
  [
    'POST',
    '/rank',
    { userVector: { space: 'taste', values: [1] } },
    'DIMENSION_MISMATCH',
    'query.userVector.values',
  ],
  [
    'POST',
    '/rank',
    '{"userVector": {"space": "taste", "values": [1e999, 0, 0, 0]}}',
    'INVALID_ARGUMENT',
    'query.userVector.values[0]',
  ],
  ['POST', '/rank', [], 'INVALID_ARGUMENT', 'body'],
  ['POST', '/rank', 'null', 'INVALID_ARGUMENT', 'body'],
  ['POST', '/rank', '{"limit": 5', 'INVALID_ARGUMENT', 'body'],
  ['POST', '/rank', '{"__proto__": {"limit": 5}}', 'INVALID_ARGUMENT', 'body'],
  ['POST', '/rank', '{"context": {"__proto__": 5}}', 'INVALID_ARGUMENT', 'body'],
  ['POST', '/rank', '{"constructor": {"prototype": {}}}', 'INVALID_ARGUMENT', 'body'],
  ['POST', '/rerank', {}, 'INVALID_ARGUMENT', 'ids'],
  ['POST', '/rerank', { ids: ['a', 'a'] }, 'DUPLICATE_ID', 'ids'],
  ['POST', '/rerank', { ids: ['a', 1.5] }, 'INVALID_ARGUMENT', 'ids[1]'],
  ['POST', '/rerank', { ids: [], lim: 1 }, 'INVALID_ARGUMENT', 'query.lim'],
  [
    'POST',
    '/events',
    { events: [event, { ...event, at: 'now' }], now },
    'INVALID_ARGUMENT',
    'events[1].at',
  ],
  [
    'POST',
    '/events',
    { events: [{ ...event, at: now + 1e9 }], now },
    'INVALID_ARGUMENT',
    'events[0].at',
  ],
  ['POST', '/events', { events: [{ ...event, extra: 1 }] }, 'INVALID_ARGUMENT', 'events[0].extra'],
  ['POST', '/events', { events: new Array(10_001).fill(event) }, 'INVALID_ARGUMENT', 'events'],
  ['PUT', '/items', { items: [item, item] }, 'DUPLICATE_ID', 'items'],
  ['PUT', '/items', { items: [{ ...item, id: 5 }] }, 'INVALID_ARGUMENT', 'items[0].id'],
  [
    'PUT',
    '/items',
    { items: [{ ...item, columns: { no: 1 } }] },
    'UNKNOWN_COLUMN',
    'items[0].columns.no',
  ],
  ['PUT', '/items', { items: [{ ...item, title: 'x' }] }, 'INVALID_ARGUMENT', 'items[0].title'],
  ['DELETE', '/items', { ids: 'new' }, 'INVALID_ARGUMENT', 'ids'],
])(
  '%s %s %j is refused with 400 and %s of %s, and changes nothing',
  async (method, path, body, code, argument) => {
    const before = served.feed.catalog.epoch;
    const answer = await served.ask(method, path, body);
    const { error } = answer.body as Refused;
    expect({ status: answer.status, ...error }).toEqual({
      status: 400,
      code,
      argument,
      message: expect.any(String) as string,
    });
    expect(error.message.length).toBeLessThan(1500);
    expect(served.feed.catalog.epoch).toBe(before);
    expect((await served.ask('POST', '/rank', { now })).status).toBe(200);
  },
);

test('a body that is too large is refused with 413, and one that is no JSON with 415', async () => {
  const { ask } = await serve({ plugin: { bodyLimitBytes: 100, writeBodyLimitBytes: 2000 } });
  const long = { now, seen: Array.from({ length: 50 }, (_, i) => `item-${i}`) };
  expect(await ask('POST', '/rank', long)).toMatchObject({
    status: 413,
    body: { error: { code: 'BODY_TOO_LARGE', argument: null } },
  });
  expect((await ask('DELETE', '/items', { ids: long.seen })).status).toBe(200);
  const many = { ids: Array.from({ length: 500 }, (_, i) => `item-${i}`) };
  expect((await ask('DELETE', '/items', many)).status).toBe(413);
  const typed = (type: string) => ask('POST', '/rank', '{}', { 'content-type': type });
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'nonsense']) {
    expect(await typed(type)).toMatchObject({
      status: 415,
      body: { error: { code: 'UNSUPPORTED_MEDIA_TYPE' } },
    });
  }
});

test("the server's own leniency towards __proto__ does not reach these routes", async () => {
  const { ask } = await serve({ server: { onProtoPoisoning: 'ignore' } });
  const { status, body } = await ask('POST', '/rank', '{"__proto__": {"limit": 1}}');
  expect({ status, body }).toMatchObject({
    status: 400,
    body: { error: { code: 'INVALID_ARGUMENT' } },
  });
});

test('what fails inside is answered with 500 and its code, and only the log says why', async () => {
  const lines: string[] = [];
  const logger = { level: 'error', stream: { write: (line: string) => void lines.push(line) } };
  const failing = {
    name: 'failing',
    failClosed: true,
    filter: () => {
      throw new Error('password=hunter2\n{"level":60,"msg":"forged"}');
    },
  };
  const { ask } = await serve({ server: { logger }, feed: { filters: [failing] } });
  const { status, body } = await ask('POST', '/rank', { now, userId: 'a\n{"forged":true}' });
  expect(status).toBe(500);
  expect((body as Refused).error).toMatchObject({ code: 'STAGE_FAILED', argument: null });
  expect(JSON.stringify(body)).not.toContain('hunter2');
  const text = lines.join('');
  expect(text).toContain('hunter2');
  // Each line is one entry, whatever it tells.
  const entries = text.trim().split('\n');
  expect(entries).toHaveLength(1);
  for (const entry of entries) expect(JSON.parse(entry)).toMatchObject({ level: 50 });
});
