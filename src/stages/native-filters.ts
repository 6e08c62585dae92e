import { invalidArgument } from '../errors';
import { checkName, checkObject } from '../validation';
import { checkConditions, type Condition } from './condition';
import { nativeOptions, type NativeStageOptions, type StageOf } from './native-stages';

type NativeFilter = StageOf<'filter'>;

// Native filters run however late a request is: the costliest takes some microseconds for 500
// candidates.

/**
 * Drops what the query lists as `seen`, what this user has read, hidden or reported, and, with the
 * profile's `seenAfterImpressions`, what this user was shown that often. Moves time spent.
 */
export function seen(options: NativeStageOptions = {}): NativeFilter {
  return {
    ...nativeOptions(options, 'seen', false),
    native: { stage: 'filter', kind: 'seen' },
  };
}

/** Drops items older than the profile's `maxAgeMs`. Moves freshness. */
export function maximumAge(options: NativeStageOptions = {}): NativeFilter {
  return {
    ...nativeOptions(options, 'maximum-age', false),
    native: { stage: 'filter', kind: 'maximum-age' },
  };
}

/**
 * Drops items by authors, or of topics, that the query says are `blocked`. Moves community health:
 * nobody is shown whom they have shut out. Costs a look at each candidate.
 * @param options.failClosed Defaults to `true`: without it there is no slate.
 */
export function blocked(options: NativeStageOptions = {}): NativeFilter {
  return {
    ...nativeOptions(options, 'blocked', true),
    native: { stage: 'filter', kind: 'blocked' },
  };
}

/**
 * Drops items by authors, or of topics, that the query says are `muted`. As {@link blocked}, but a
 * wish and not a right: it fails open by default. Moves time spent.
 */
export function muted(options: NativeStageOptions = {}): NativeFilter {
  return {
    ...nativeOptions(options, 'muted', false),
    native: { stage: 'filter', kind: 'muted' },
  };
}

/** Options of {@link eligible}. */
export interface EligibleOptions extends NativeStageOptions {
  /** A column of the catalog in which 0 marks an item that must not be shown. Defaults to none. */
  readonly column?: string;
  /** A label of the catalog, and its values that mark an item that must not be shown. Defaults to none. */
  readonly label?: { readonly name: string; readonly notEligible: readonly string[] };
}

/**
 * Drops items that readers complain about: those whose decayed reports exceed the profile's
 * `maxReports`, whose reports an impression exceed its `maxReportRate`, or whose hides an impression
 * exceed its `maxHideRate`; and those that are marked as not eligible. Counts are taken at the
 * feed's longest half-life, and a rate is complaints / (impressions + 100), so that an item which
 * hardly anybody has seen is not dropped for its first report. Moves community health; costs two
 * counters a candidate.
 * @param options.failClosed Defaults to `true`: without it there is no slate.
 */
export function eligible(options: EligibleOptions = {}): NativeFilter {
  const stage = nativeOptions(options, 'eligible', true);
  const marks: Condition[] = [];
  if (options.column !== undefined) {
    marks.push({ column: checkName(options.column, 'column'), isNot: 0, missing: 'keep' });
  }
  if (options.label !== undefined) {
    const { name, notEligible } = checkObject(options.label, 'label');
    if (!Array.isArray(notEligible) || notEligible.length === 0) {
      throw invalidArgument('label.notEligible', 'at least one value', notEligible);
    }
    marks.push({
      label: checkName(name, 'label.name'),
      isNoneOf: notEligible.map((value, i) => checkName(value, `label.notEligible[${i}]`)),
    });
  }
  return { ...stage, native: { stage: 'filter', kind: 'eligible', conditions: marks } };
}

/**
 * Keeps the items that meet all of the conditions, such as
 * `where([{ column: 'length', atMost: 1200 }, { by: 'topics', isNoneOf: ['sport'] }])`. Moves what
 * the conditions are about; costs a look at each candidate and condition.
 */
export function where(
  conditions: readonly Condition[],
  options: NativeStageOptions = {},
): NativeFilter {
  const checked = checkConditions(conditions, 'conditions');
  return {
    ...nativeOptions(options, 'where', false),
    native: { stage: 'filter', kind: 'where', conditions: checked },
  };
}
