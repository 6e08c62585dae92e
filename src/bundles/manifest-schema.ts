import { Type } from '@sinclair/typebox';

import { fileNamePattern } from './manifest';

const name = Type.String({ minLength: 1, maxLength: 200 });
const fileName = Type.String({ pattern: fileNamePattern });
const rows = Type.Array(Type.Array(Type.Number(), { minItems: 1 }), { minItems: 1 });
const tensor = Type.Object({
  type: Type.Literal('float32'),
  shape: Type.Array(Type.Union([Type.String(), Type.Integer({ minimum: 1 })])),
});
const wholeNumbers = Type.Array(Type.Integer({ minimum: 0 }));
const nullableRow = Type.Array(Type.Union([Type.Number(), Type.Null()]));
const numberRows = Type.Array(Type.Array(Type.Number()));
const details = Type.Record(Type.String(), Type.Unknown());

const feature = Type.Object({
  name,
  source: Type.String(),
  transformation: Type.Optional(Type.Union([Type.Literal('identity'), Type.Literal('log1p')])),
  reference: Type.Optional(
    Type.Union([Type.Literal('none'), Type.Literal('pool'), Type.Literal('list')]),
  ),
  halfLifeMs: Type.Optional(Type.Number({ exclusiveMinimum: 0 })),
  longerHalfLifeMs: Type.Optional(Type.Number({ exclusiveMinimum: 0 })),
  segment: Type.Optional(name),
  column: Type.Optional(name),
  key: Type.Optional(name),
  space: Type.Optional(name),
  missing: Type.Optional(Type.Number()),
});

/** The JSON schema of a bundle's `manifest.json`. */
export const bundleManifestSchema = Type.Object(
  {
    formatVersion: Type.Literal(1),
    kind: Type.Literal('feedrank-bundle'),
    createdAt: Type.String({ description: 'ISO 8601' }),
    versions: Type.Object({ feedrank: Type.String(), libtorch: Type.String() }),
    files: Type.Record(
      Type.String(),
      Type.Object({
        bytes: Type.Integer({ minimum: 0 }),
        sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
      }),
    ),
    ranker: Type.Optional(
      Type.Object({
        file: fileName,
        features: Type.Array(feature, { minItems: 1 }),
        input: tensor,
        output: tensor,
        heads: Type.Array(Type.Object({ name, weight: Type.Number() }), { minItems: 1 }),
        golden: Type.Object({ inputs: rows, outputs: rows }),
      }),
    ),
    towers: Type.Optional(
      Type.Object({
        userTower: fileName,
        itemTower: fileName,
        itemIds: fileName,
        itemVectors: fileName,
        space: Type.Object({
          name,
          version: Type.String(),
          dimensions: Type.Integer({ minimum: 1, maximum: 65_536 }),
        }),
        ids: Type.Union([Type.Literal('string'), Type.Literal('integer')]),
        items: Type.Integer({ minimum: 0 }),
        description: details,
        golden: Type.Object({
          item: Type.Object({
            ids: wholeNumbers,
            attributes: Type.Array(nullableRow),
            categories: Type.Array(nullableRow),
            outputs: numberRows,
          }),
          user: Type.Object({
            reads: Type.Array(numberRows),
            hours: numberRows,
            present: numberRows,
            context: Type.Array(nullableRow),
            outputs: numberRows,
          }),
        }),
      }),
    ),
    training: details,
    data: details,
    metrics: details,
    checksum: Type.String({
      description: 'SHA-256 of every byte of the manifest before the line that holds it',
    }),
  },
  { $id: 'BundleManifest' },
);
