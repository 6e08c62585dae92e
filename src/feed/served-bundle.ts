import type * as Bundles from '../bundles/bundle';
import type { Bundle, BundleOpenOptions } from '../bundles/bundle';
import { invalidArgument } from '../errors';
import type { Model } from '../models/model';
import type { Towers } from '../models/towers';
import type { SlateBundle } from './slate';

/**
 * A bundle's ranker and towers as a feed has them: on handles of its own, so that it can compile
 * another plan with them whatever becomes of the bundle that they came from.
 * @internal
 */
export interface ServedBundle {
  readonly model: Model;
  readonly towers: Towers | undefined;
  /** What slates call it. */
  readonly identity: SlateBundle;
  /** When it was made, as its manifest says. */
  readonly createdAt: string;
}

/**
 * Opens a folder, or takes from a bundle that the caller opened. Rejects with `INVALID_ARGUMENT`, or
 * as `Bundle.open`.
 * @internal
 */
export async function serveBundle(
  given: unknown,
  argument: string,
  options: BundleOpenOptions,
): Promise<ServedBundle> {
  // A feed without a bundle need not load what reads one.
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- An import could not wait.
  const { Bundle } = require('../bundles/bundle') as typeof Bundles;
  if (typeof given !== 'string' && !(given instanceof Bundle)) {
    throw invalidArgument(argument, 'the folder of a bundle, or a Bundle', given);
  }
  const isFolder = typeof given === 'string';
  const bundle: Bundle = isFolder ? await Bundle.open(given, options) : given;
  const { ranker, towers, manifest } = bundle;
  if (ranker === undefined) {
    if (isFolder) bundle.dispose();
    throw invalidArgument(argument, 'a bundle with a ranker', given);
  }
  return {
    model: isFolder ? ranker : ranker.share(),
    towers: isFolder ? towers : towers?.share(),
    identity: { checksum: manifest.checksum, precision: ranker.precision },
    createdAt: manifest.createdAt,
  };
}

/** How a feed opens folders. @internal */
export function openOptions(
  precision: BundleOpenOptions['precision'],
  device: BundleOpenOptions['device'],
): BundleOpenOptions {
  return {
    ...(precision !== undefined && { precision }),
    ...(device !== undefined && { device }),
  };
}

/** Lets go of the feed's handles; what requests in flight hold goes with the last of them. @internal */
export function releaseBundle({ model, towers }: Pick<ServedBundle, 'model' | 'towers'>): void {
  model.dispose();
  towers?.dispose();
}
