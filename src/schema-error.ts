import type { TSchema } from '@sinclair/typebox';
import type * as TypeBoxErrors from '@sinclair/typebox/errors';

/** Where a value differs from its schema, with slashes before each step, and how. */
interface SchemaError {
  readonly path: string;
  readonly message: string;
  readonly value: unknown;
}

/**
 * The first thing about a value that its schema does not allow; where it fits none of several forms,
 * what is wrong with the one that it comes nearest to. Loads TypeBox, which takes 5 MB in every
 * thread, when it is called; the schema is loaded by the caller, for the same reason.
 * @internal
 */
export function firstSchemaError(schema: TSchema, value: unknown): SchemaError | undefined {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- An import could not wait.
  const { Errors } = require('@sinclair/typebox/errors') as typeof TypeBoxErrors;
  const error = Errors(schema, value).First();
  return error && nearest(error);
}

/** The nearest form is the one in which the first fault lies deepest. */
function nearest(error: TypeBoxErrors.ValueError): SchemaError {
  let deepest = error;
  for (const form of error.errors) {
    const inside = form.First();
    if (inside !== undefined && inside.path.length > deepest.path.length) deepest = inside;
  }
  if (deepest !== error) return nearest(deepest);
  const { path, message, value, schema } = error;
  const isOneOfSeveral = error.errors.length > 0 && schema.description !== undefined;
  return { path, message: isOneOfSeveral ? `expected: ${schema.description}` : message, value };
}
