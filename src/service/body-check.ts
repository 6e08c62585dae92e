import type { TSchema } from '@sinclair/typebox';
import { TypeCompiler } from '@sinclair/typebox/compiler';
import { describeValue, FeedrankError } from '../errors';
import { firstSchemaError } from '../schema-error';

const longestArgument = 200;

/**
 * A function that throws `INVALID_ARGUMENT` unless a value is what the schema says, naming the field
 * as the library does: `query.limit`, `events[3].at`. `root` is what the fields at the top belong to,
 * by name; where it says nothing of one, the field stands alone.
 */
export function bodyCheck(
  schema: TSchema,
  root: (field: string) => string | undefined = () => undefined,
): (value: unknown) => void {
  const compiled = TypeCompiler.Compile(schema);
  return (value) => {
    if (compiled.Check(value)) return;
    const error = firstSchemaError(schema, value);
    const argument = argumentOf(error?.path ?? '', root);
    const what = error?.message ?? 'expected another value';
    const message = `${argument}: ${what}, got ${describeValue(error?.value)}`;
    throw new FeedrankError('INVALID_ARGUMENT', message, argument);
  };
}

function argumentOf(path: string, root: (field: string) => string | undefined): string {
  const [first, ...rest] = path
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
  if (first === undefined) return 'body';
  const owner = root(first);
  const start = owner === undefined ? first : `${owner}.${first}`;
  const argument = rest.reduce(
    (before, step) => (/^\d+$/.test(step) ? `${before}[${step}]` : `${before}.${step}`),
    start,
  );
  return argument.length > longestArgument ? `${argument.slice(0, longestArgument)}…` : argument;
}
