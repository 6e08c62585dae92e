import type { AddressInfo } from 'node:net';
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify';
import { Feed, decayedDot, fresh, seen, weightedSum, type FeedOptions } from '../../src';
import { feedPlugin, type FeedPluginOptions } from '../../src/fastify';
import { Lcg } from '../support/random';
import { makeCatalog, makeItems, unhurried } from '../support/world';

const opened: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
});

/** What a server answered. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

export interface ServedFeed {
  readonly app: FastifyInstance;
  readonly feed: Feed;
  readonly url: string;
  /** Sends JSON where there is a body: an object, or text as it stands. */
  ask(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Answer>;
}

export interface ServedOptions {
  readonly plugin?: Partial<FeedPluginOptions>;
  readonly feed?: Partial<FeedOptions>;
  readonly server?: FastifyServerOptions;
  readonly host?: string;
  /** Done to the server before the plugin is registered. */
  readonly before?: (server: FastifyInstance) => Promise<void>;
}

/** A feed of 40 items with a feature on one column. */
export async function makeFeed(options: Partial<FeedOptions> = {}): Promise<Feed> {
  return Feed.create({
    catalog: await makeCatalog(makeItems(new Lcg(3), 40)),
    generators: [decayedDot({ space: 'taste' }), fresh()],
    filters: [seen()],
    ranker: weightedSum({ age: -1 }),
    segments: { device: ['mobile', 'desktop'] },
    profile: unhurried,
    profiles: [{ name: 'short', extends: 'default', limit: 3 }],
    ...options,
  } as FeedOptions);
}

/** A real server on a free port of this machine, closed after the test. */
export async function serve(options: ServedOptions = {}): Promise<ServedFeed> {
  const feed = await makeFeed(options.feed);
  const app = Fastify(options.server ?? {});
  opened.push(app);
  await options.before?.(app);
  await app.register(feedPlugin, { feed, ...options.plugin });
  await app.listen({ host: options.host ?? '127.0.0.1', port: 0 });
  const url = `http://127.0.0.1:${portOf(app)}`;
  return { app, feed, url, ask: (...args) => ask(url, ...args) };
}

/** The port that a server listens on. */
export function portOf(app: FastifyInstance): number {
  return (app.addresses()[0] as AddressInfo).port;
}

/** One request, answered. */
export async function ask(
  url: string,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const response = await fetch(url + path, {
    method,
    ...(body !== undefined && {
      body: typeof body === 'string' ? body : JSON.stringify(body),
    }),
    headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
  });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json') ?? false;
  return {
    status: response.status,
    headers: response.headers,
    body: isJson ? (JSON.parse(text) as unknown) : text,
  };
}
