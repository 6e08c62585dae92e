import type { TSchema } from '@sinclair/typebox';
import type * as TypeBoxErrors from '@sinclair/typebox/errors';

/** Where a value differs from its schema, with slashes before each step, and how. */
interface SchemaError {
  readonly path: string;
  readonly message: string;
  readonly value: unknown;
}

/**
 * The first thing about a value that its schema does not allow. Loads TypeBox, which takes 5 MB in
 * every thread, when it is called; the schema is loaded by the caller, for the same reason.
 * @internal
 */
export function firstSchemaError(schema: TSchema, value: unknown): SchemaError | undefined {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- An import could not wait.
  const { Errors } = require('@sinclair/typebox/errors') as typeof TypeBoxErrors;
  return Errors(schema, value).First();
}
