import { invalidArgument } from '../errors';
import { checkPrecision, type Precision } from '../models/precision';
import { checkProfile } from '../profile/profile-set';
import type { RankProfile } from '../profile/rank-profile';
import { checkName, checkObject } from '../validation';
import type { SlateBundle } from './slate';

/** Options of {@link Feed.swapBundle}. */
export interface SwapOptions {
  /** Which of the feed's `bundles` is replaced. Defaults to the feed's own `bundle`. */
  readonly name?: string;
  /**
   * A profile that comes with the bundle, as `Feed.setProfile` takes it: no request sees one without
   * the other. Defaults to the profiles as they are.
   */
  readonly profile?: RankProfile;
  /** Of a folder, as in `Bundle.open`. Defaults to the `precision` that the feed was made with. */
  readonly precision?: Precision;
}

/** What {@link Feed.swapBundle} did. */
export interface BundleSwap {
  /** What is in service now. */
  readonly bundle: SlateBundle;
  /** What was until then. */
  readonly replaced: SlateBundle;
}

/** Throws `INVALID_ARGUMENT`. @internal */
export function checkSwap(bundle: unknown, options: unknown): SwapOptions {
  const { name, profile, precision, ...rest } = checkObject(options, 'options');
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) {
    throw invalidArgument(`options.${unknown}`, 'name, profile or precision alone', unknown);
  }
  if (precision !== undefined) {
    if (typeof bundle !== 'string') {
      throw invalidArgument('precision', 'none, where the feed opens no bundle', precision);
    }
    checkPrecision(precision);
  }
  return {
    ...(name !== undefined && { name: checkName(name, 'options.name') }),
    ...(profile !== undefined && { profile: checkProfile(profile, 'options.profile') }),
    ...(precision !== undefined && { precision: precision as Precision }),
  };
}
