import { Type } from '@sinclair/typebox';
import { errorCodes } from '../errors';
import { transportCodes } from './http-error';

const id = Type.Union([Type.String(), Type.Integer()]);
const count = Type.Integer({ minimum: 0 });
const numbers = Type.Record(Type.String(), Type.Number());

/** The answer of `POST /rank` and `POST /rerank`. */
export const slateSchema = Type.Object(
  {
    formatVersion: Type.Literal(1),
    epoch: count,
    now: Type.Number(),
    seed: Type.Integer(),
    profile: Type.String(),
    degraded: Type.Array(Type.Object({ stage: Type.String(), reason: Type.String() }), {
      description: 'What was skipped to meet the budget, and why; empty for a full answer.',
    }),
    items: Type.Array(
      Type.Object({
        id,
        position: count,
        score: Type.Number(),
        sources: Type.Array(Type.Object({ generator: Type.String(), score: Type.Number() })),
        terms: numbers,
        explanation: Type.Optional(
          Type.Object({}, { description: 'Only where the query asks for it with `explain`.' }),
        ),
      }),
    ),
  },
  { $id: 'Slate', description: 'Items in order, with reasons.' },
);

/** The answer of `POST /events`. */
export const recordedSchema = Type.Object(
  { recorded: count, duplicates: count, late: count, unknownItems: count },
  { $id: 'Recorded' },
);

/** The answer of `PUT /items`. */
export const upsertedSchema = Type.Object(
  { inserted: count, replaced: count, epoch: count },
  { $id: 'Upserted' },
);

/** The answer of `DELETE /items`. */
export const removedSchema = Type.Object(
  { removed: count, unknown: count, epoch: count },
  { $id: 'Removed' },
);

/** The answer of `GET /healthz` and `GET /readyz`. */
export const statusSchema = Type.Object({ status: Type.String() }, { $id: 'Status' });

/** Every answer that is no success. */
export const errorSchema = Type.Object(
  {
    error: Type.Object({
      code: Type.Union([...errorCodes, ...transportCodes].map((code) => Type.Literal(code))),
      message: Type.String(),
      argument: Type.Union([Type.String(), Type.Null()], {
        description: 'What was wrong, such as `query.limit` or `items[3].id`.',
      }),
    }),
  },
  { $id: 'Error' },
);
