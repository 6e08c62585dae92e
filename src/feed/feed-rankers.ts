import { invalidArgument } from '../errors';
import { torchScript } from '../stages/native-stages';
import { checkName, checkObject } from '../validation';
import type { FeedOptions } from './feed-options';
import { nativeOf, type NamedStage, type SmallerBundle } from './named-stage';
import type { FeedStages } from './plan';
import { openOptions, releaseBundle, serveBundle, type ServedBundle } from './served-bundle';

/** What a feed can rank by, on handles of its own. @internal */
export interface FeedRankers {
  /** That of the bundle, where there is one. */
  readonly ranker: FeedStages['ranker'];
  readonly bundle: ServedBundle | undefined;
  readonly smaller: readonly SmallerBundle[];
}

/**
 * Opens the bundles of a feed, where it has any, and takes their rankers. Rejects with
 * `INVALID_ARGUMENT`, or as `Bundle.open`.
 * @internal
 */
export async function takeRankers({
  bundle: given,
  ranker,
  bundles = {},
  precision,
  device,
}: FeedOptions): Promise<FeedRankers> {
  const folders = [given, ...Object.values(checkObject(bundles, 'bundles'))];
  if (precision !== undefined && !folders.some((folder) => typeof folder === 'string')) {
    throw invalidArgument('precision', 'none, where the feed opens no bundle', precision);
  }
  if (given === undefined && ranker === undefined) {
    throw invalidArgument('ranker', 'a ranker, or a bundle', ranker);
  }
  if (given !== undefined && ranker !== undefined) {
    throw invalidArgument('bundle', 'a bundle or a ranker, not both', given);
  }
  const opened = openOptions(precision, device);
  const smaller: SmallerBundle[] = [];
  try {
    for (const [name, folder] of Object.entries(bundles)) {
      const argument = `bundles.${checkName(name, 'bundles')}`;
      smaller.push({ name, ...(await serveBundle(folder, argument, opened)) });
    }
    if (given === undefined) return { ranker: onOwnHandle(ranker), bundle: undefined, smaller };
    const bundle = await serveBundle(given, 'bundle', opened);
    return { ranker: torchScript(bundle.model), bundle, smaller };
  } catch (error) {
    smaller.forEach(releaseBundle);
    throw error;
  }
}

/** The same rankers, but for one bundle: the feed's own, or the smaller one of a name. @internal */
export function withBundle(
  rankers: FeedRankers,
  bundle: ServedBundle,
  name: string | undefined,
): FeedRankers {
  if (name === undefined) return { ...rankers, ranker: torchScript(bundle.model), bundle };
  const smaller = rankers.smaller.map((one) => (one.name === name ? { name, ...bundle } : one));
  return { ...rankers, smaller };
}

/** @internal */
export function releaseRankers({ ranker, bundle, smaller }: FeedRankers): void {
  smaller.forEach(releaseBundle);
  if (bundle !== undefined) releaseBundle(bundle);
  else modelOf(ranker)?.dispose();
}

/** A ranker whose model stays although the caller disposes of it: a plan may be compiled again. */
function onOwnHandle(ranker: FeedStages['ranker']): FeedStages['ranker'] {
  const model = modelOf(ranker);
  if (model === undefined) return ranker;
  return {
    ...(ranker as NamedStage),
    native: { stage: 'ranker', kind: 'model', model: model.share() },
  };
}

function modelOf(ranker: FeedStages['ranker']) {
  // What a caller without types may have passed is the plan's to refuse.
  const stage = ranker as NamedStage | undefined | null;
  const native = stage && typeof stage === 'object' ? nativeOf(stage, 'ranker') : undefined;
  return native?.kind === 'model' ? native.model : undefined;
}
