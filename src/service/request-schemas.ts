import { Type, type Static } from '@sinclair/typebox';
import { rankProfileSchema } from '../profile/rank-profile';

const closed = { additionalProperties: false } as const;

const name = Type.String({ minLength: 1, maxLength: 200 });
const names = Type.Array(name, { maxItems: 1000 });
const instant = Type.Number({
  minimum: 0,
  maximum: 253_402_300_799_999,
  description: 'Epoch milliseconds.',
});

const idSchema = Type.Union(
  [
    Type.String({ minLength: 1, maxLength: 1024 }),
    Type.Integer({ minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER }),
  ],
  {
    $id: 'Id',
    description:
      'A string, or an integer of at most 2^53 − 1; larger ones travel as strings. A catalog has one kind of item ids, and `1` and `"1"` are different ids.',
  },
);

const userVectorSchema = Type.Object(
  {
    space: name,
    values: Type.Array(Type.Number(), {
      minItems: 1,
      maxItems: 65_536,
      description: "One vector of the space's dimensions, or several laid end to end.",
    }),
  },
  { ...closed, $id: 'UserVector' },
);

const namesSchema = Type.Object(
  { authors: Type.Optional(names), topics: Type.Optional(names) },
  { ...closed, $id: 'AuthorsAndTopics' },
);

const segments = Type.Record(Type.String(), name, { maxProperties: 16 });

const queryFields = {
  userId: Type.Optional(idSchema),
  userVector: Type.Optional(
    Type.Union([userVectorSchema, Type.Array(userVectorSchema, { maxItems: 16 })]),
  ),
  now: Type.Optional(instant),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000 })),
  context: Type.Optional(
    Type.Record(Type.String(), Type.Number(), {
      maxProperties: 1000,
      description: "Numbers for features whose source is the query's context.",
    }),
  ),
  segments: Type.Optional(segments),
  currentItemId: Type.Optional(idSchema),
  follows: Type.Optional(namesSchema),
  blocked: Type.Optional(namesSchema),
  muted: Type.Optional(namesSchema),
  seen: Type.Optional(Type.Array(idSchema, { maxItems: 10_000 })),
  profile: Type.Optional(
    Type.Union([Type.String({ minLength: 1, maxLength: 100 }), rankProfileSchema], {
      description: "The name of a profile, or settings on top of the feed's default profile.",
    }),
  ),
  budgetMs: Type.Optional(Type.Number({ exclusiveMinimum: 0, description: 'Milliseconds.' })),
  budgetPercentile: Type.Optional(Type.Number({ minimum: 50, maximum: 99.9 })),
  explain: Type.Optional(Type.Boolean()),
  seed: Type.Optional(
    Type.Integer({ minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER }),
  ),
};

/** Body of `POST /rank`: a query. */
export const rankRequestSchema = Type.Object(queryFields, {
  ...closed,
  $id: 'RankRequest',
  description: 'What should this reader see now?',
});

/** Body of `POST /rerank`: a query, and the items to order. */
export const rerankRequestSchema = Type.Object(
  { ...queryFields, ids: Type.Array(idSchema, { maxItems: 10_000 }) },
  { ...closed, $id: 'RerankRequest', description: 'In which order should these items stand?' },
);

const eventSchema = Type.Object(
  {
    type: Type.String({
      minLength: 1,
      maxLength: 100,
      description: '`impression`, `click`, `dwell`, `hide`, `report`, `read`, or another name.',
    }),
    userId: idSchema,
    itemId: idSchema,
    at: instant,
    eventId: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 256,
        description: 'The same twice counts once.',
      }),
    ),
    dwellMs: Type.Optional(Type.Number({ minimum: 0 })),
    scrollPercentage: Type.Optional(Type.Number({ minimum: 0, maximum: 100 })),
    fromItemId: Type.Optional(idSchema),
    segments: Type.Optional(segments),
  },
  { ...closed, $id: 'FeedEvent', description: 'What a reader did with an item.' },
);

/** Body of `POST /events`. */
export const eventsRequestSchema = Type.Object(
  {
    events: Type.Array(eventSchema, { maxItems: 10_000 }),
    now: Type.Optional(instant),
  },
  { ...closed, $id: 'EventsRequest' },
);

/** An item, in requests and in files. */
export const itemSchema = Type.Object(
  {
    id: idSchema,
    publishTime: instant,
    author: Type.Optional(name),
    topics: Type.Optional(Type.Array(name, { maxItems: 1000 })),
    labels: Type.Optional(Type.Record(Type.String(), name, { maxProperties: 1000 })),
    columns: Type.Optional(Type.Record(Type.String(), Type.Number(), { maxProperties: 1000 })),
    embeddings: Type.Optional(
      Type.Record(Type.String(), Type.Array(Type.Number(), { minItems: 1, maxItems: 4096 }), {
        maxProperties: 100,
      }),
    ),
  },
  { ...closed, $id: 'Item', description: 'What the catalog is told of one item.' },
);

/** Body of `PUT /items`. */
export const itemsRequestSchema = Type.Object(
  { items: Type.Array(itemSchema, { maxItems: 10_000 }) },
  { ...closed, $id: 'ItemsRequest' },
);

/** Body of `DELETE /items`. */
export const removalRequestSchema = Type.Object(
  { ids: Type.Array(idSchema, { maxItems: 10_000 }) },
  { ...closed, $id: 'RemovalRequest' },
);

export type RankRequest = Static<typeof rankRequestSchema>;
export type RerankRequest = Static<typeof rerankRequestSchema>;
export type EventsRequest = Static<typeof eventsRequestSchema>;
export type ItemsRequest = Static<typeof itemsRequestSchema>;
export type RemovalRequest = Static<typeof removalRequestSchema>;
