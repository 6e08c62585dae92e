import type { FastifyInstance, FastifyPluginAsync } from 'fastify';
import type { Registry } from 'prom-client';
import { invalidArgument } from '../errors';
import { Feed } from '../feed/feed';
import { FeedMetrics, type FeedMetricsOptions } from '../telemetry/feed-metrics';
import { traceRequests } from '../telemetry/trace-requests';
import { checkFlag, checkInteger } from '../validation';
import { bearerCheck } from './bearer-token';
import { addFeedRoutes } from './feed-routes';
import { guardRoutes } from './guard-routes';
import { ServiceState } from './service-state';

declare module 'fastify' {
  interface FastifyInstance {
    /** What {@link feedPlugin} was given. */
    feed: Feed;
  }
}

/** Options of {@link feedPlugin}. */
export interface FeedPluginOptions {
  /** Yours to dispose of, after the server has closed. */
  readonly feed: Feed;
  /** What stands before each route, such as `/feed`. Defaults to nothing. */
  readonly prefix?: string;
  /**
   * What requests must bear in their `Authorization` header, as `Bearer TOKEN`: 1 to 4,096 visible
   * ASCII characters. Only `/healthz` and `/readyz` go without. Defaults to none; then every request
   * is refused once the server listens on an address that other machines can reach.
   */
  readonly token?: string;
  /** Serve other machines without a token, since something of yours guards the routes. Defaults to `false`. */
  readonly allowUnauthenticated?: boolean;
  /** Most bytes of a body of `/rank` and `/rerank`. Defaults to 1 MiB. */
  readonly bodyLimitBytes?: number;
  /** Most bytes of a body of `/events` and `/items`. Defaults to 8 MiB. */
  readonly writeBodyLimitBytes?: number;
  /** Milliseconds until a ranking is given up and answered by 503. Defaults to 10,000. */
  readonly answerTimeoutMs?: number;
  /**
   * Milliseconds that a client has for sending a whole request, where the server itself sets no
   * `requestTimeout`, as is Fastify's default. It holds for all of the server's routes. Defaults to 30,000.
   */
  readonly receiveTimeoutMs?: number;
  /** Where metrics are registered, one feed a registry. Defaults to a new one, which `/metrics` shows. */
  readonly registry?: Registry;
  /** Bundles that `/metrics` tells of, as {@link FeedMetricsOptions.bundles}. Defaults to none. */
  readonly bundles?: FeedMetricsOptions['bundles'];
}

const mebibyte = 2 ** 20;
const mostBytes = 2 ** 30;
const day = 86_400_000;

/**
 * Serves a feed: `POST /rank`, `/rerank` and `/events`, `PUT` and `DELETE /items`, `GET /healthz`,
 * `/readyz`, `/metrics` and `/openapi.json`; the last says what each takes and answers. Decorates the
 * server with `feed`. A client that goes away aborts its ranking. While the server closes, `/readyz`
 * answers 503 and what is in flight is finished. Rejects with `INVALID_ARGUMENT`.
 */
export const feedPlugin: FastifyPluginAsync<FeedPluginOptions> = async (fastify, options) => {
  const { feed, prefix = '', registry, bundles = {} } = options;
  if (!(feed instanceof Feed)) throw invalidArgument('feed', 'a Feed', feed);
  if (typeof prefix !== 'string' || !/^(\/[^\s/?#]+)*$/.test(prefix)) {
    throw invalidArgument('prefix', "a path such as '/feed'", prefix);
  }
  const { bodyLimitBytes, writeBodyLimitBytes, answerTimeoutMs, receiveTimeoutMs } = options;
  const limits = {
    body: checkInteger(bodyLimitBytes ?? mebibyte, 'bodyLimitBytes', 1, mostBytes),
    writeBody: checkInteger(
      writeBodyLimitBytes ?? 8 * mebibyte,
      'writeBodyLimitBytes',
      1,
      mostBytes,
    ),
    answerMs: checkInteger(answerTimeoutMs ?? 10_000, 'answerTimeoutMs', 1, day),
  };
  const receiveMs = checkInteger(receiveTimeoutMs ?? 30_000, 'receiveTimeoutMs', 1, day);
  // A token that is there but undefined, such as of a variable that is not set, must not open doors.
  const checkToken = Object.hasOwn(options, 'token')
    ? bearerCheck(options.token as string)
    : undefined;
  const isOpen = checkFlag(options.allowUnauthenticated ?? false, 'allowUnauthenticated');

  fastify.decorate('feed', feed);
  setReceiveTimeout(fastify, receiveMs);
  const metrics = new FeedMetrics({ feed, bundles, ...(registry && { registry }) });
  const endTracing = traceRequests();
  await fastify.register(
    (routes, _options, done) => {
      const state = new ServiceState(routes, feed);
      guardRoutes(routes, { state, metrics, checkToken, isOpen });
      addFeedRoutes(routes, { feed, state, metrics, limits, prefix });
      routes.addHook('onClose', (_instance, ended) => {
        metrics.dispose();
        endTracing();
        ended();
      });
      done();
    },
    { prefix },
  );
};

/** Without this a client could hold a connection, and the server's end, for as long as it likes. */
function setReceiveTimeout({ server }: FastifyInstance, milliseconds: number): void {
  if (server.requestTimeout !== 0) return;
  server.requestTimeout = milliseconds;
  // Node takes the shorter of the two for the headers, whichever that is.
  server.headersTimeout = Math.min(server.headersTimeout, milliseconds);
}

// What fastify-plugin would add: the decorator is for the server that registers the plugin.
Object.assign(feedPlugin, {
  [Symbol.for('skip-override')]: true,
  [Symbol.for('fastify.display-name')]: 'feedrank',
  [Symbol.for('plugin-meta')]: { name: 'feedrank', fastify: '5.x' },
});
