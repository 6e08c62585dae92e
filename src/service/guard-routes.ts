import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { FeedMetrics } from '../telemetry/feed-metrics';
import { HttpMetrics } from '../telemetry/http-metrics';
import { isLoopback, type bearerCheck } from './bearer-token';
import { toErrorAnswer, TransportError } from './http-error';
import type { ServiceState } from './service-state';

interface Guard {
  readonly state: ServiceState;
  readonly metrics: FeedMetrics;
  readonly checkToken: ReturnType<typeof bearerCheck> | undefined;
  /** Whether other machines are served without a token. */
  readonly isOpen: boolean;
}

/** Routes that say how the service is, and to whom it does not matter who asks. */
const probes = ['/healthz', '/readyz'];

/** Decides who is answered, and how errors are told, for all routes of one instance. */
export function guardRoutes(routes: FastifyInstance, guard: Guard): void {
  const { state, metrics } = guard;
  // The server's own parser may have been told to let `__proto__` pass.
  routes.removeAllContentTypeParsers();
  routes.addContentTypeParser(
    'application/json',
    { parseAs: 'string' },
    routes.getDefaultJsonParser('error', 'error'),
  );
  routes.setErrorHandler((error, request, reply) => sendError(error, request, reply));
  routes.addHook('onRequest', (request, _reply, done) => {
    const isProbe = probes.some((probe) => request.routeOptions.url?.endsWith(probe));
    done(isProbe ? undefined : refusal(request, guard));
  });
  routes.addHook('onSend', (_request, reply, payload, done) => {
    // A connection that is kept alive would keep the server from closing.
    if (state.isClosing) void reply.header('connection', 'close');
    done(null, payload);
  });
  const http = new HttpMetrics(metrics.registry);
  routes.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? '';
    http.observe(request.method, route, reply.statusCode, reply.elapsedTime);
    done();
  });
}

/** Answers with an error as the service's own routes do. */
export function sendError(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const { status, body, retryAfterSeconds } = toErrorAnswer(error);
  if (status === 500) request.log.error({ err: error }, 'a request failed');
  if (status === 401) void reply.header('www-authenticate', 'Bearer');
  if (retryAfterSeconds !== undefined) void reply.header('retry-after', retryAfterSeconds);
  return reply.code(status).send(body);
}

/** Why a request is not even looked at; undefined where it is. */
function refusal(
  request: FastifyRequest,
  { state, checkToken, isOpen }: Guard,
): TransportError | undefined {
  const { localAddress } = request.socket;
  const isExposed = state.isExposed || (localAddress !== undefined && !isLoopback(localAddress));
  if (checkToken !== undefined && !checkToken(request.headers.authorization)) {
    return new TransportError('UNAUTHORIZED', 'expected the bearer token of this service');
  }
  if (checkToken === undefined && isExposed && !isOpen) {
    return new TransportError(
      'UNAUTHORIZED',
      'the service listens beyond this machine and has no token; it must be given one',
    );
  }
  if (state.isClosing) return new TransportError('SHUTTING_DOWN', 'the service is shutting down');
  return undefined;
}
