import { binding } from './binding';
import { invalidArgument } from './errors';
import { checkNumber, checkObject, checkPositive } from './validation';

/** Settings that hold for profiles which do not set them. */
export interface ProcessDefaults {
  /** Milliseconds for a request, above 0. Defaults to 30. */
  readonly budgetMs: number;
  /** Percentage of requests that are to be answered within their budget, 50 to 99.9. Defaults to 99. */
  readonly budgetPercentile: number;
}

/** @internal */
export const percentileBounds = [50, 99.9] as const;

/** What holds at the moment, and a number that is raised with every change. @internal */
export function processDefaults(): ProcessDefaults & { readonly version: number } {
  return binding().defaults();
}

/**
 * Changes settings of the process at run time, for requests that begin from now on in all of its
 * feeds and worker_threads; what is not given stays as it is. A profile's own setting comes before
 * them, and a query's before that. Returns what holds then. Throws `INVALID_ARGUMENT`.
 */
export function setDefaults(defaults: Partial<ProcessDefaults>): ProcessDefaults {
  const { budgetMs, budgetPercentile, ...rest } = checkObject(defaults, 'defaults');
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) {
    throw invalidArgument(`defaults.${unknown}`, 'budgetMs or budgetPercentile', unknown);
  }
  const before = processDefaults();
  const wanted = {
    budgetMs: checkPositive(budgetMs ?? before.budgetMs, 'defaults.budgetMs', true),
    budgetPercentile: checkNumber(
      budgetPercentile ?? before.budgetPercentile,
      'defaults.budgetPercentile',
      ...percentileBounds,
    ),
  };
  binding().setDefaults(wanted.budgetMs, wanted.budgetPercentile);
  return wanted;
}
