import { FeedrankError, describeValue } from '../errors';

/** What two towers read, and the space that they answer in. */
export interface TowersDescription {
  readonly formatVersion: 1;
  /** Of the vectors. */
  readonly dimensions: number;
  /** A reader's last reads that the user tower sees. */
  readonly maxReads: number;
  /** Keys of the query's context that the user tower reads, in order. */
  readonly context: readonly string[];
  /** Numeric columns of an item, in order. */
  readonly columns: readonly string[];
  /** Embedding spaces whose vectors of an item are attributes too, in order, after the columns. */
  readonly spaces: readonly { readonly name: string; readonly dimensions: number }[];
  /** Whether the author is read. */
  readonly author: boolean;
  /** Labels that are read, in order. */
  readonly labels: readonly string[];
  /** How many of an item's topics are read. */
  readonly topics: number;
  readonly idBuckets: number;
  readonly categoryBuckets: number;
  /** Whether all vectors have length 1. */
  readonly unitVectors: boolean;
  /** τ of the decay that the towers were trained under, in milliseconds; `null` for none. */
  readonly tauMs: number | null;
}

/** Numbers that an item has in its row of attributes. @internal */
export function attributeCount({ columns, spaces }: TowersDescription): number {
  return columns.length + spaces.reduce((sum, { dimensions }) => sum + dimensions, 0);
}

/** Hashed names that an item has in its row of categories. @internal */
export function categoryCount({ author, labels, topics }: TowersDescription): number {
  return Number(author) + labels.length + topics;
}

type Check = (value: unknown) => boolean;

const wholeFrom =
  (lowest: number, highest: number): Check =>
  (value) =>
    Number.isInteger(value) && (value as number) >= lowest && (value as number) <= highest;
const isText: Check = (value) => typeof value === 'string' && value.length > 0;
const areTexts: Check = (value) =>
  Array.isArray(value) && value.every(isText) && new Set(value).size === value.length;

const fields: Readonly<Record<keyof TowersDescription, readonly [Check, string]>> = {
  formatVersion: [(value) => value === 1, '1'],
  dimensions: [wholeFrom(1, 4096), 'an integer from 1 to 4096'],
  maxReads: [wholeFrom(1, 1024), 'an integer from 1 to 1024'],
  context: [areTexts, 'distinct names'],
  columns: [areTexts, 'distinct names'],
  spaces: [
    (value) =>
      Array.isArray(value) &&
      value.every(
        (space: { name?: unknown; dimensions?: unknown } | null) =>
          isText(space?.name) && wholeFrom(1, 4096)(space?.dimensions),
      ),
    'names and dimensions',
  ],
  author: [(value) => typeof value === 'boolean', 'true or false'],
  labels: [areTexts, 'distinct names'],
  topics: [wholeFrom(0, 64), 'an integer from 0 to 64'],
  idBuckets: [wholeFrom(2, 2 ** 24), 'an integer from 2 to 2²⁴'],
  categoryBuckets: [wholeFrom(2, 2 ** 24), 'an integer from 2 to 2²⁴'],
  unitVectors: [(value) => typeof value === 'boolean', 'true or false'],
  tauMs: [
    (value) => value === null || (Number.isFinite(value) && (value as number) > 0),
    'a number above 0 or null',
  ],
};

/** @throws {FeedrankError} `MODEL_DESCRIPTION` naming the first field that is not as it should be. @internal */
export function toTowersDescription(value: unknown, argument: string): TowersDescription {
  const given = value as Readonly<Record<string, unknown>> | null;
  for (const [name, [check, expected]] of Object.entries(fields)) {
    const field = typeof given === 'object' ? given?.[name] : undefined;
    if (check(field)) continue;
    const where = `${argument}.${name}`;
    throw new FeedrankError(
      'MODEL_DESCRIPTION',
      `${where}: expected ${expected}, got ${describeValue(field)}`,
      where,
    );
  }
  return value as TowersDescription;
}
