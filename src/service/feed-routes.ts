import type { FastifyInstance, FastifyReply, FastifyRequest, FastifySchemaCompiler } from 'fastify';
import type { TSchema } from '@sinclair/typebox';
import type { Feed } from '../feed/feed';
import type { Query } from '../feed/query';
import type { Slate } from '../feed/slate';
import type { FeedMetrics } from '../telemetry/feed-metrics';
import { bodyCheck } from './body-check';
import { openApi } from './open-api';
import { underSignal } from './request-signal';
import {
  eventsRequestSchema,
  itemsRequestSchema,
  rankRequestSchema,
  removalRequestSchema,
  rerankRequestSchema,
  type EventsRequest,
  type ItemsRequest,
  type RankRequest,
  type RemovalRequest,
  type RerankRequest,
} from './request-schemas';
import type { ServiceState } from './service-state';

interface RouteParts {
  readonly feed: Feed;
  readonly state: ServiceState;
  readonly metrics: FeedMetrics;
  readonly limits: { readonly body: number; readonly writeBody: number; readonly answerMs: number };
  readonly prefix: string;
}

/** Adds the routes of a feed. */
export function addFeedRoutes(routes: FastifyInstance, parts: RouteParts): void {
  const { feed, state, metrics, limits, prefix } = parts;
  routes.setValidatorCompiler(compileBody);
  const reading = (body: TSchema) => ({ schema: { body }, bodyLimit: limits.body });
  const writing = (body: TSchema) => ({ schema: { body }, bodyLimit: limits.writeBody });
  const answer = async (
    { raw }: FastifyReply,
    rank: (signal: AbortSignal) => Promise<Slate>,
  ): Promise<Slate> => underSignal(raw, limits.answerMs, rank);

  routes.post('/rank', reading(rankRequestSchema), (request, reply) => {
    const query = request.body as RankRequest;
    return answer(reply, (signal) => feed.rank({ ...(query as Query), signal }));
  });
  routes.post('/rerank', reading(rerankRequestSchema), (request, reply) => {
    const { ids, ...query } = request.body as RerankRequest;
    return answer(reply, (signal) => feed.rerank({ ...(query as Query), signal }, ids));
  });
  routes.post('/events', writing(eventsRequestSchema), (request) => {
    const { events, now } = request.body as EventsRequest;
    return feed.record(events, now === undefined ? {} : { now });
  });
  routes.put('/items', writing(itemsRequestSchema), (request) => {
    return feed.catalog.upsert((request.body as ItemsRequest).items);
  });
  routes.delete('/items', writing(removalRequestSchema), (request) => {
    return feed.catalog.remove((request.body as RemovalRequest).ids);
  });

  const status = (isWell: () => boolean) => (_request: FastifyRequest, reply: FastifyReply) => {
    const well = isWell();
    return reply.code(well ? 200 : 503).send({ status: well ? 'ok' : 'unavailable' });
  };
  routes.get(
    '/healthz',
    status(() => state.isAlive),
  );
  routes.get(
    '/readyz',
    status(() => state.isReady),
  );
  routes.get('/metrics', async (_request, reply) => {
    return reply.type(metrics.contentType).send(await metrics.text());
  });
  const document = JSON.stringify(openApi(prefix));
  routes.get('/openapi.json', (_request, reply) => {
    return reply.type('application/json; charset=utf-8').send(document);
  });
}

const compileBody: FastifySchemaCompiler<TSchema> = ({ schema }) => {
  const isQuery = schema === rankRequestSchema || schema === rerankRequestSchema;
  // The library's own names for arguments: `ids` stands beside the query.
  const check = bodyCheck(schema, (field) => (isQuery && field !== 'ids' ? 'query' : undefined));
  return (value: unknown) => {
    try {
      check(value);
      return { value };
    } catch (error) {
      return { error: error as Error };
    }
  };
};
