import { rankProfileSchema } from '../../src/schemas';
import { serve } from './served-feed';

type Json = Record<string, unknown>;

test('the document is OpenAPI 3.1, names every route, and says what they take from the schemas that check it', async () => {
  const { ask } = await serve();
  const { body } = await ask('GET', '/openapi.json');
  const document = body as {
    openapi: string;
    paths: Record<string, Record<string, Json>>;
    components: { schemas: Record<string, Json> };
  };
  expect(document.openapi).toBe('3.1.0');
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method} ${path}`),
  );
  expect(operations.sort()).toEqual(
    [
      'post /rank',
      'post /rerank',
      'post /events',
      'put /items',
      'delete /items',
      'get /healthz',
      'get /readyz',
      'get /metrics',
      'get /openapi.json',
    ].sort(),
  );
  // The one schema of profiles, with another name for itself.
  const { $id, ...profile } = JSON.parse(JSON.stringify(rankProfileSchema)) as Json;
  expect(document.components.schemas[$id as string]).toEqual(profile);
  expect(document.components.schemas['RankRequest']).toMatchObject({
    additionalProperties: false,
    properties: { userId: { $ref: '#/components/schemas/Id' } },
  });
});

test('each of its references leads somewhere, and no schema keeps an $id of its own', async () => {
  const { ask } = await serve();
  const { body } = await ask('GET', '/openapi.json');
  const { schemas } = (body as { components: { schemas: Json } }).components;
  const text = JSON.stringify(body);
  const names = [...text.matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map(
    (match) => match[1]!,
  );
  expect(names.length).toBeGreaterThan(20);
  for (const name of names) expect(Object.keys(schemas)).toContain(name);
  expect(text).not.toContain('"$id"');
});
