import type * as Bundles from '../bundles/bundle';
import type { Bundle } from '../bundles/bundle';
import type { Catalog } from '../catalog/catalog';
import { invalidArgument } from '../errors';
import type { Model } from '../models/model';
import type { Precision } from '../models/precision';
import type { Towers } from '../models/towers';
import { torchScript } from '../stages/native-stages';
import { checkName, checkObject } from '../validation';
import type { FeedOptions } from './feed-options';
import type { SmallerBundle } from './named-stage';
import type { FeedStages } from './plan';

/** What bundles bring into a feed. */
interface BundleStages {
  readonly stages: Pick<FeedStages, 'ranker'>;
  /** There only where the catalog has their space. */
  readonly towers: Towers | undefined;
  readonly smaller: readonly SmallerBundle[];
  /** Opened here, and so the feed's to dispose of. */
  readonly opened: readonly Bundle[];
}

/**
 * Opens the bundles of a feed, where it has any, and takes their rankers. Rejects with
 * `INVALID_ARGUMENT`, or as `Bundle.open`.
 * @internal
 */
export async function takeBundles(
  { bundle, ranker, bundles = {}, precision }: FeedOptions,
  catalog: Catalog,
): Promise<BundleStages> {
  const folders = [bundle, ...Object.values(checkObject(bundles, 'bundles'))];
  if (precision !== undefined && !folders.some((given) => typeof given === 'string')) {
    throw invalidArgument('precision', 'none, where the feed opens no bundle', precision);
  }
  if (bundle === undefined && ranker === undefined) {
    throw invalidArgument('ranker', 'a ranker, or a bundle', ranker);
  }
  if (bundle !== undefined && ranker !== undefined) {
    throw invalidArgument('bundle', 'a bundle or a ranker, not both', bundle);
  }
  const opened: Bundle[] = [];
  try {
    const smaller: SmallerBundle[] = [];
    for (const [name, given] of Object.entries(bundles)) {
      const argument = `bundles.${checkName(name, 'bundles')}`;
      smaller.push({ name, model: (await open(given, argument, precision, opened)).model });
    }
    if (bundle === undefined) {
      return { stages: { ranker }, towers: undefined, smaller, opened };
    }
    const { model, towers } = await open(bundle, 'bundle', precision, opened);
    const spaces = catalog.schema.spaces.map((space) => space.name);
    return {
      stages: { ranker: torchScript(model) },
      towers: towers && spaces.includes(towers.space.name) ? towers : undefined,
      smaller,
      opened,
    };
  } catch (error) {
    for (const one of opened) one.dispose();
    throw error;
  }
}

/** A bundle's ranker and towers; adds to `opened` what was opened for them. */
async function open(
  given: unknown,
  argument: string,
  precision: Precision | undefined,
  opened: Bundle[],
): Promise<{ model: Model; towers: Towers | undefined }> {
  // A feed without a bundle need not load what reads one.
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- An import could not wait.
  const { Bundle } = require('../bundles/bundle') as typeof Bundles;
  if (typeof given !== 'string' && !(given instanceof Bundle)) {
    throw invalidArgument(argument, 'the folder of a bundle, or a Bundle', given);
  }
  const bundle =
    typeof given === 'string'
      ? await Bundle.open(given, precision === undefined ? {} : { precision })
      : given;
  if (typeof given === 'string') opened.push(bundle);
  if (bundle.ranker === undefined) throw invalidArgument(argument, 'a bundle with a ranker', given);
  return { model: bundle.ranker, towers: bundle.towers };
}
