import { Type } from '@sinclair/typebox';

/** The JSON schema of `model.json`, which lies beside a TorchScript file. */
export const modelDescriptionSchema = Type.Object(
  {
    formatVersion: Type.Literal(1),
    features: Type.Array(
      Type.Object({
        name: Type.String({ minLength: 1 }),
        source: Type.Optional(Type.String()),
        transformation: Type.Optional(Type.String()),
        reference: Type.Optional(Type.String()),
        halfLifeMs: Type.Optional(Type.Number()),
        longerHalfLifeMs: Type.Optional(Type.Number()),
        segment: Type.Optional(Type.String()),
        column: Type.Optional(Type.String()),
        key: Type.Optional(Type.String()),
        space: Type.Optional(Type.String()),
        missing: Type.Optional(Type.Number()),
      }),
      {
        minItems: 1,
        description:
          'The columns of the input, in order. A name that every feed knows needs no source.',
      },
    ),
    heads: Type.Optional(
      Type.Array(
        Type.Object({
          name: Type.String({ minLength: 1 }),
          weight: Type.Optional(Type.Number()),
        }),
        {
          minItems: 1,
          description:
            'The columns of the output, in order (or the keys of the dictionary). The score is the sum of head · weight; a weight defaults to 1.',
        },
      ),
    ),
  },
  { $id: 'ModelDescription' },
);
