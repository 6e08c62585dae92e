import type { NativeCondition, NativePlanSpec } from '../binding';
import type { Catalog } from '../catalog/catalog';
import type { Condition } from '../stages/condition';
import { nativeOf, type NamedStage } from './named-stage';

/**
 * Throws `UNKNOWN_COLUMN` or `UNKNOWN_GROUP` where a filter does not fit the catalog.
 * @internal
 */
export function encodeFilter(
  stage: NamedStage,
  catalog: Catalog,
): NativePlanSpec['filters'][number] {
  const native = nativeOf(stage, 'filter');
  const { name, failClosed = false } = stage;
  if (native === undefined) return { name, failClosed, kind: 'external', conditions: [] };
  const conditions = 'conditions' in native ? native.conditions : [];
  return {
    name,
    failClosed,
    kind: native.kind,
    conditions: conditions.map((condition, i) =>
      encodeCondition(
        condition,
        catalog,
        // The marks of an eligible filter are options of their own.
        native.kind === 'where' ? `filters.${name}.conditions[${i}]` : `filters.${name}`,
      ),
    ),
  };
}

function encodeCondition(
  condition: Condition,
  catalog: Catalog,
  argument: string,
): NativeCondition {
  if ('column' in condition) {
    const { equals, isNot } = condition;
    return {
      of: 'column',
      index: catalog.column(condition.column, `${argument}.column`),
      atLeast: condition.atLeast ?? equals ?? -Infinity,
      atMost: condition.atMost ?? equals ?? Infinity,
      ...(isNot !== undefined && { isNot }),
      missingMeets: condition.missing === 'keep',
    };
  }
  const names = {
    names: condition.isOneOf ?? condition.isNoneOf ?? [],
    isOneOf: condition.isOneOf !== undefined,
  };
  if ('by' in condition) return { of: condition.by, ...names };
  return { of: 'label', index: catalog.label(condition.label, `${argument}.label`), ...names };
}
