import type { TSchema } from '@sinclair/typebox';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  errorSchema,
  recordedSchema,
  removedSchema,
  slateSchema,
  statusSchema,
  upsertedSchema,
} from './answer-schemas';
import {
  eventsRequestSchema,
  itemsRequestSchema,
  rankRequestSchema,
  removalRequestSchema,
  rerankRequestSchema,
} from './request-schemas';

type Json = Readonly<Record<string, unknown>>;

/** An OpenAPI 3.1 document of the routes, made from the schemas that check their bodies. */
export function openApi(prefix: string): Json {
  const components = new Components();
  const content = (schema: TSchema): Json => ({
    'application/json': { schema: components.refer(schema) },
  });
  const error = (description: string): Json => ({ description, content: content(errorSchema) });
  const operation = (summary: string, body: TSchema, answer: TSchema): Json => ({
    summary,
    security: [{ bearer: [] }, {}],
    requestBody: { required: true, content: content(body) },
    responses: {
      200: { description: 'Done.', content: content(answer) },
      400: error('The request is not what was expected; `argument` names what.'),
      401: error('The bearer token is missing or wrong.'),
      413: error('The body is too large.'),
      415: error('The body is not JSON.'),
      500: error('The request failed; the log says why.'),
      503: {
        ...error('Overloaded, late, or shutting down.'),
        headers: { 'Retry-After': { schema: { type: 'integer' }, description: 'Seconds.' } },
      },
    },
  });
  const probe = (summary: string): Json => ({
    summary,
    responses: {
      200: { description: 'Yes.', content: content(statusSchema) },
      503: { description: 'No.', content: content(statusSchema) },
    },
  });
  const text = (summary: string, type: string): Json => ({
    summary,
    security: [{ bearer: [] }, {}],
    responses: {
      200: { description: 'Done.', content: { [type]: { schema: {} } } },
      401: error('The bearer token is missing or wrong.'),
    },
  });
  const paths = {
    '/rank': { post: operation('Rank items for a reader', rankRequestSchema, slateSchema) },
    '/rerank': { post: operation('Order given items', rerankRequestSchema, slateSchema) },
    '/events': {
      post: operation('Record what readers did', eventsRequestSchema, recordedSchema),
    },
    '/items': {
      put: operation('Insert or replace items', itemsRequestSchema, upsertedSchema),
      delete: operation('Remove items', removalRequestSchema, removedSchema),
    },
    '/healthz': { get: probe('Does the process work?') },
    '/readyz': { get: probe('Are requests answered?') },
    '/metrics': { get: text('Metrics for Prometheus', 'text/plain') },
    '/openapi.json': { get: text('This document', 'application/json') },
  };
  return {
    openapi: '3.1.0',
    info: { title: 'feedrank', version: packageVersion(), license: { name: 'Apache-2.0' } },
    paths: Object.fromEntries(
      Object.entries(paths).map(([path, operations]) => [`${prefix}${path}`, operations]),
    ),
    components: {
      schemas: components.schemas,
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } },
    },
  };
}

/** Schemas that have a name of their own, each once. */
class Components {
  readonly schemas: Record<string, unknown> = {};

  /** A reference to a schema by its name, or a copy of one without; those inside it likewise. */
  refer(schema: unknown): unknown {
    if (Array.isArray(schema)) return schema.map((entry) => this.refer(entry));
    if (typeof schema !== 'object' || schema === null) return schema;
    // Symbols, by which TypeBox knows its own, are left behind.
    const { $id: name, ...fields } = schema as Record<string, unknown>;
    if (typeof name !== 'string') return this.#inside(fields);
    this.schemas[name] ??= this.#inside(fields);
    return { $ref: `#/components/schemas/${name}` };
  }

  #inside(fields: Record<string, unknown>): Json {
    return Object.fromEntries(
      Object.entries(fields).map(([key, value]) => [key, this.refer(value)]),
    );
  }
}

function packageVersion(): string {
  const file = join(__dirname, '..', '..', 'package.json');
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
