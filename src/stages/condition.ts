import { invalidArgument } from '../errors';
import { checkName, checkObject } from '../validation';

/** A condition on a numeric column of the catalog: at least one of its bounds, which are included. */
export interface ColumnCondition {
  readonly column: string;
  readonly atLeast?: number;
  readonly atMost?: number;
  readonly equals?: number;
  readonly isNot?: number;
  /** What becomes of an item without a value. Defaults to `drop`. */
  readonly missing?: 'keep' | 'drop';
}

/** Exactly one of the two, with 1 to 1,000 names. */
export interface NameCondition {
  /** An item without a name is not one of them. Of several topics one suffices. */
  readonly isOneOf?: readonly string[];
  /** An item without a name meets this. Of several topics none may be among them. */
  readonly isNoneOf?: readonly string[];
}

/** What an item must meet: in a column, in a label, or by its author or topics. */
export type Condition =
  | ColumnCondition
  | (NameCondition & { readonly label: string })
  | (NameCondition & { readonly by: 'author' | 'topics' });

const bounds = ['atLeast', 'atMost', 'equals', 'isNot'] as const;
const columnFields = new Set<string>(['column', 'missing', ...bounds]);
const mostNames = 1000;

/**
 * Copies of conditions that can be met. Throws `INVALID_ARGUMENT`.
 * @internal
 */
export function checkConditions(value: unknown, argument: string): Condition[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > 100) {
    throw invalidArgument(argument, '1 to 100 conditions', value);
  }
  const conditions = value.map((condition, i) => checkCondition(condition, `${argument}[${i}]`));
  checkTogether(conditions, argument);
  return conditions;
}

function checkCondition(value: unknown, argument: string): Condition {
  const fields = checkObject(value, argument);
  const kinds = (['column', 'label', 'by'] as const).filter((kind) => fields[kind] !== undefined);
  if (kinds.length !== 1) {
    throw invalidArgument(argument, 'exactly one of column, label and by', kinds.join(', '));
  }
  if (kinds[0] === 'column') return checkColumn(fields, argument);
  const names = checkNames(fields, argument);
  if (kinds[0] === 'label') {
    return { label: checkName(fields['label'], `${argument}.label`), ...names };
  }
  const { by } = fields;
  if (by !== 'author' && by !== 'topics') {
    throw invalidArgument(`${argument}.by`, "'author' or 'topics'", by);
  }
  return { by, ...names };
}

function checkColumn(fields: Record<string, unknown>, argument: string): ColumnCondition {
  checkFields(fields, columnFields, argument);
  const column = checkName(fields['column'], `${argument}.column`);
  const given = bounds.filter((bound) => fields[bound] !== undefined);
  for (const bound of given) {
    if (!Number.isFinite(fields[bound])) {
      throw invalidArgument(`${argument}.${bound}`, 'a finite number', fields[bound]);
    }
  }
  const { atLeast, atMost, missing = 'drop' } = fields as Partial<ColumnCondition>;
  if (given.length === 0) throw invalidArgument(argument, `one of ${bounds.join(', ')}`, 'none');
  const alone = given.find((bound) => bound === 'equals' || bound === 'isNot');
  if (alone !== undefined && given.length > 1) {
    throw invalidArgument(`${argument}.${alone}`, 'no other bound beside it', given.join(', '));
  }
  if (atLeast !== undefined && atMost !== undefined && atLeast > atMost) {
    throw invalidArgument(`${argument}.atLeast`, `at most atMost (${atMost})`, atLeast);
  }
  if (missing !== 'keep' && missing !== 'drop') {
    throw invalidArgument(`${argument}.missing`, "'keep' or 'drop'", missing);
  }
  return {
    column,
    missing,
    ...Object.fromEntries(given.map((bound) => [bound, fields[bound] as number])),
  };
}

function checkNames(fields: Record<string, unknown>, argument: string): NameCondition {
  checkFields(fields, new Set(['label', 'by', 'isOneOf', 'isNoneOf']), argument);
  const given = (['isOneOf', 'isNoneOf'] as const).filter((kind) => fields[kind] !== undefined);
  const kind = given[0];
  if (kind === undefined || given.length > 1) {
    throw invalidArgument(argument, 'exactly one of isOneOf and isNoneOf', given.join(', '));
  }
  const names = fields[kind];
  if (!Array.isArray(names) || names.length === 0 || names.length > mostNames) {
    throw invalidArgument(`${argument}.${kind}`, `1 to ${mostNames} names`, names);
  }
  return { [kind]: names.map((name, i) => checkName(name, `${argument}.${kind}[${i}]`)) };
}

/** Refuses a misspelt field, which would otherwise be ignored in silence. */
function checkFields(
  fields: Record<string, unknown>,
  known: ReadonlySet<string>,
  argument: string,
): void {
  for (const name of Object.keys(fields)) {
    if (!known.has(name)) {
      throw invalidArgument(`${argument}.${name}`, `one of ${[...known].join(', ')}`, name);
    }
  }
}

/** Bounds of several conditions on one column that no value can meet are a mistake, too. */
function checkTogether(conditions: readonly Condition[], argument: string): void {
  const ranges = new Map<string, { least: number; most: number }>();
  conditions.forEach((condition, i) => {
    if (!('column' in condition)) return;
    const { column, equals } = condition;
    const known = ranges.get(column) ?? { least: -Infinity, most: Infinity };
    const least = Math.max(known.least, condition.atLeast ?? equals ?? -Infinity);
    const most = Math.min(known.most, condition.atMost ?? equals ?? Infinity);
    if (least > most) {
      throw invalidArgument(
        `${argument}[${i}]`,
        'bounds that can be met together with those before it',
        `at least ${least} and at most ${most} in column ${column}`,
      );
    }
    ranges.set(column, { least, most });
  });
}
