import { FeedrankError, invalidArgument } from '../errors';
import { toFeatureDefinition } from '../features/check-feature';
import type { FeatureDefinition, FeatureVocabulary } from '../features/feature';
import { checkName, checkObject } from '../validation';
import type { GoldenVectors } from './manifest';

interface Head {
  readonly name: string;
  readonly weight: number;
}

/**
 * Checks features of a ranker that are each defined in full. Which half-lives and segments a feed
 * has is not known here, so any that the features name will do. Throws `INVALID_ARGUMENT`.
 * @internal
 */
export function checkFeatures(
  features: readonly FeatureDefinition[],
  argument: string,
): FeatureDefinition[] {
  checkList(features, argument, 'feature');
  features.forEach((feature, i) => checkObject(feature, `${argument}[${i}]`));
  const halfLivesMs = features.flatMap(({ halfLifeMs, longerHalfLifeMs }) =>
    [halfLifeMs, longerHalfLifeMs].filter((value) => value !== undefined),
  );
  const vocabulary: FeatureVocabulary = {
    halfLivesMs,
    segmentHalfLivesMs: halfLivesMs,
    segments: Object.fromEntries(features.map(({ segment }) => [segment ?? '', true])),
  };
  const checked = features.map((feature, i) => {
    if ((feature as Partial<FeatureDefinition>).source === undefined) {
      throw invalidArgument(`${argument}[${i}].source`, 'a definition in full', feature.source);
    }
    return toFeatureDefinition(feature, vocabulary, `${argument}[${i}]`);
  });
  checkDistinctNames(checked, argument);
  return checked;
}

/** Throws `INVALID_ARGUMENT`. @internal */
export function checkHeads(heads: readonly Head[], argument: string): Head[] {
  checkList(heads, argument, 'head');
  const checked = heads.map((head, i) => {
    checkObject(head, `${argument}[${i}]`);
    if (!Number.isFinite(head.weight)) {
      throw invalidArgument(`${argument}[${i}].weight`, 'a finite number', head.weight);
    }
    return { name: checkName(head.name, `${argument}[${i}].name`), weight: head.weight };
  });
  checkDistinctNames(checked, argument);
  return checked;
}

/** Rows of `features` inputs and of `heads` outputs each. Throws `INVALID_ARGUMENT`. @internal */
export function checkGolden(
  golden: GoldenVectors,
  features: number,
  heads: number,
  argument: string,
): GoldenVectors {
  checkObject(golden, argument);
  checkRows(golden.inputs, features, `${argument}.inputs`);
  checkRows(golden.outputs, heads, `${argument}.outputs`);
  if (golden.inputs.length !== golden.outputs.length) {
    const expected = `as many rows as inputs (${golden.inputs.length})`;
    throw invalidArgument(`${argument}.outputs`, expected, golden.outputs);
  }
  return { inputs: golden.inputs, outputs: golden.outputs };
}

function checkRows(rows: readonly (readonly number[])[], width: number, argument: string): void {
  checkList(rows, argument, 'row');
  rows.forEach((row: unknown, i) => {
    const fits =
      Array.isArray(row) &&
      row.length === width &&
      row.every((value) => Number.isFinite(Math.fround(value as number)));
    if (!fits) throw invalidArgument(`${argument}[${i}]`, `${width} finite numbers`, row);
  });
}

/** Deeper than any options are; a value that holds itself has no end. */
const mostDepth = 20;

/**
 * Checks that a value can be written as JSON and read back as it was: `NaN` would come back as
 * `null`. Throws `INVALID_ARGUMENT`.
 * @internal
 */
export function checkJson(value: unknown, argument: string, depth = 0): void {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return;
  if (typeof value === 'number' && Number.isFinite(value)) return;
  if (depth < mostDepth) {
    const prototype = Object.getPrototypeOf(value ?? 0) as unknown;
    if (Array.isArray(value)) {
      value.forEach((entry, i) => checkJson(entry, `${argument}[${i}]`, depth + 1));
      return;
    }
    // A plain object of any realm.
    const isPlain = prototype === null || Object.getPrototypeOf(prototype) === null;
    if (typeof value === 'object' && isPlain) {
      for (const [key, entry] of Object.entries(value)) {
        if (entry !== undefined) checkJson(entry, `${argument}.${key}`, depth + 1);
      }
      return;
    }
  }
  throw invalidArgument(argument, 'a value that JSON holds', value);
}

function checkList(values: unknown, argument: string, entry: string): void {
  if (Array.isArray(values) && values.length > 0) return;
  throw invalidArgument(argument, `an array of at least one ${entry}`, values);
}

function checkDistinctNames(entries: readonly { readonly name: string }[], argument: string): void {
  const names = entries.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) {
    throw new FeedrankError(
      'INVALID_ARGUMENT',
      `${argument}: expected distinct names, got ${JSON.stringify(twice)} twice`,
      argument,
    );
  }
}
