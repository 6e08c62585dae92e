import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { Type, type Static } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { describeValue, FeedrankError } from '../errors';
import type { FeatureDefinition } from '../features/feature';

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

type RawDescription = Static<typeof modelDescriptionSchema>;

/** What a ranking model reads and answers. */
export interface ModelDescription {
  /** In order; a definition without a source is a feature that every feed knows. */
  readonly features: readonly (FeatureDefinition | { readonly name: string })[];
  /** Undefined where the description leaves naming the heads to the model. */
  readonly heads: readonly { readonly name: string; readonly weight: number }[] | undefined;
}

/**
 * Reads the description beside a model file: `model.json` in the same folder.
 * @internal
 */
export async function readModelDescription(modelPath: string): Promise<ModelDescription> {
  const file = path.join(path.dirname(modelPath), 'model.json');
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw new FeedrankError(
      'MODEL_NOT_FOUND',
      `path: expected a description of the model at '${file}', which cannot be read; it lists the features`,
      'path',
      { cause: error },
    );
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw malformed(file, 'valid JSON', (error as Error).message, error);
  }
  return toModelDescription(parsed, file);
}

/** @internal */
export function toModelDescription(value: unknown, argument: string): ModelDescription {
  if (!Value.Check(modelDescriptionSchema, value)) {
    const first = Value.Errors(modelDescriptionSchema, value).First();
    throw malformed(
      `${argument}${first?.path.replaceAll('/', '.') ?? ''}`,
      first?.message ?? 'a model description',
      describeValue(first?.value),
    );
  }
  const description: RawDescription = value;
  checkDistinctNames(description.features, `${argument}.features`, 'distinct feature names');
  checkDistinctNames(description.heads ?? [], `${argument}.heads`, 'distinct head names');
  return {
    features: description.features,
    heads: description.heads?.map(({ name, weight }) => ({ name, weight: weight ?? 1 })),
  };
}

function checkDistinctNames(
  entries: readonly { readonly name: string }[],
  argument: string,
  expected: string,
): void {
  const names = entries.map(({ name }) => name);
  if (new Set(names).size !== names.length) throw malformed(argument, expected, names.join(', '));
}

function malformed(argument: string, expected: string, got: string, cause?: unknown) {
  return new FeedrankError(
    'MODEL_DESCRIPTION',
    `${argument}: expected ${expected}, got ${got}`,
    argument,
    { cause },
  );
}
