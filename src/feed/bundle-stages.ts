import type * as Bundles from '../bundles/bundle';
import type { Bundle } from '../bundles/bundle';
import type { Catalog } from '../catalog/catalog';
import { invalidArgument } from '../errors';
import type { Towers } from '../models/towers';
import { torchScript } from '../stages/native-stages';
import type { FeedRanking } from './feed-options';
import type { FeedStages } from './plan';

/** What a bundle brings into a feed. */
interface BundleStages {
  readonly stages: Pick<FeedStages, 'ranker'>;
  /** There only where the catalog has their space. */
  readonly towers: Towers | undefined;
  /** Opened here, and so the feed's to dispose of. */
  readonly opened: Bundle | undefined;
}

/**
 * Opens the bundle of a feed, where it has one, and takes its ranker. Rejects with
 * `INVALID_ARGUMENT`, or as `Bundle.open`.
 * @internal
 */
export async function takeBundle(
  { bundle, ranker, precision }: FeedRanking,
  catalog: Catalog,
): Promise<BundleStages> {
  if (precision !== undefined && typeof bundle !== 'string') {
    throw invalidArgument('precision', 'none, where the feed opens no bundle', precision);
  }
  if (bundle === undefined) {
    if (ranker === undefined) throw invalidArgument('ranker', 'a ranker, or a bundle', ranker);
    return { stages: { ranker }, towers: undefined, opened: undefined };
  }
  if (ranker !== undefined) {
    throw invalidArgument('bundle', 'a bundle or a ranker, not both', bundle);
  }
  // A feed without a bundle need not load what reads one.
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- An import could not wait.
  const { Bundle } = require('../bundles/bundle') as typeof Bundles;
  if (typeof bundle !== 'string' && !(bundle instanceof Bundle)) {
    throw invalidArgument('bundle', 'the folder of a bundle, or a Bundle', bundle);
  }
  const open =
    typeof bundle === 'string'
      ? await Bundle.open(bundle, precision === undefined ? {} : { precision })
      : bundle;
  const opened = typeof bundle === 'string' ? open : undefined;
  if (open.ranker === undefined) {
    opened?.dispose();
    throw invalidArgument('bundle', 'a bundle with a ranker', bundle);
  }
  const spaces = catalog.schema.spaces.map(({ name }) => name);
  const { towers } = open;
  return {
    stages: { ranker: torchScript(open.ranker) },
    towers: towers && spaces.includes(towers.space.name) ? towers : undefined,
    opened,
  };
}
