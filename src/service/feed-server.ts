import type { Socket } from 'node:net';
import Fastify, { type FastifyInstance } from 'fastify';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { feedPlugin } from './feed-plugin';
import { sendError } from './guard-routes';
import { toErrorAnswer, TransportError, type ErrorBody } from './http-error';
import type { ServedFeed } from './served-feed';

/** Milliseconds until connections are ended, whatever is still in flight on them. */
const longestClosingMs = 20_000;

/** A server that serves a feed and nothing else. Logs to standard error, JSON a line. */
export async function createFeedServer(
  { feed, bundle }: Pick<ServedFeed, 'feed' | 'bundle'>,
  token?: string,
): Promise<FastifyInstance> {
  const server = Fastify({
    logger: { level: 'warn', stream: process.stderr },
    // The plugin's own answer has a code that clients know.
    return503OnClosing: false,
    requestTimeout: 30_000,
    // Of silence on a connection, such as of a client that does not read its answer.
    connectionTimeout: 60_000,
    // What Node itself answers to a request without a host has no body.
    http: { headersTimeout: 10_000, connectionsCheckingInterval: 1_000, requireHostHeader: false },
    frameworkErrors: (error, request, reply) => void sendError(error, request, reply),
    clientErrorHandler: (error, socket) => refuseConnection(error, socket),
  });
  server.setNotFoundHandler((request, reply) =>
    sendError(new TransportError('NOT_FOUND', 'there is no such route'), request, reply),
  );
  server.setErrorHandler((error, request, reply) => sendError(error, request, reply));
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  await server.register(feedPlugin, {
    feed,
    registry,
    bundles: bundle === undefined ? {} : { served: bundle },
    ...(token === undefined ? {} : { token }),
  });
  const { features = [] } = bundle?.manifest.ranker ?? {};
  if (features.some(({ reference }) => reference === 'list')) {
    server.log.warn('the bundle was trained for POST /rerank alone: POST /rank will be refused');
  }
  return server;
}

/** Closes a server when what is in flight has been answered, or has had its time. */
export async function closeFeedServer(server: FastifyInstance): Promise<void> {
  const timer = setTimeout(() => server.server.closeAllConnections(), longestClosingMs);
  try {
    await server.close();
  } finally {
    clearTimeout(timer);
  }
}

/** What cannot be read as HTTP, or does not arrive in time. */
function refuseConnection(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  const [status, body] = connectionError(error.code);
  if (socket.writable) {
    const text = JSON.stringify(body);
    socket.end(
      `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: application/json; charset=utf-8\r\n` +
        `Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
    );
  }
  socket.destroySoon();
}

function connectionError(code: string | undefined): [string, ErrorBody] {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    const late = new TransportError('TIMED_OUT', 'the request did not arrive in time');
    return ['408 Request Timeout', toErrorAnswer(late).body];
  }
  if (code === 'HPE_HEADER_OVERFLOW') {
    return ['431 Request Header Fields Too Large', unreadable('the headers are too long')];
  }
  return ['400 Bad Request', unreadable('expected a request of HTTP/1.1')];
}

function unreadable(message: string): ErrorBody {
  return { error: { code: 'INVALID_ARGUMENT', message, argument: 'request' } };
}
