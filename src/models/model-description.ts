import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Static } from '@sinclair/typebox';
import { describeValue, FeedrankError } from '../errors';
import type { FeatureDefinition } from '../features/feature';
import { firstSchemaError } from '../schema-error';
import type * as DescriptionSchema from './model-description-schema';

type RawDescription = Static<typeof DescriptionSchema.modelDescriptionSchema>;

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
  const first = firstSchemaError(descriptionSchema(), value);
  if (first !== undefined) {
    throw malformed(
      `${argument}${first.path.replaceAll('/', '.')}`,
      first.message,
      describeValue(first.value),
    );
  }
  const description = value as RawDescription;
  checkDistinctNames(description.features, `${argument}.features`, 'distinct feature names');
  checkDistinctNames(description.heads ?? [], `${argument}.heads`, 'distinct head names');
  return {
    features: description.features,
    heads: description.heads?.map(({ name, weight }) => ({ name, weight: weight ?? 1 })),
  };
}

function descriptionSchema(): typeof DescriptionSchema.modelDescriptionSchema {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- As firstSchemaError says.
  const loaded = require('./model-description-schema') as typeof DescriptionSchema;
  return loaded.modelDescriptionSchema;
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
