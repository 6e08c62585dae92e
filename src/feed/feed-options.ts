import type { Bundle } from '../bundles/bundle';
import type { Catalog } from '../catalog/catalog';
import type { Precision } from '../models/precision';
import type { Towers } from '../models/towers';
import type { RankProfile } from '../profile/rank-profile';
import type { EngagementOptions } from './engagement-options';
import type { FeedStages } from './plan';

/** Options of a feed, but for what it ranks by. */
export interface FeedSettings extends Omit<FeedStages, 'ranker'>, EngagementOptions {
  readonly catalog: Catalog;
  /** Settings of requests that name no profile. Defaults to the defaults of `RankProfile`. */
  readonly profile?: RankProfile;
  /**
   * More profiles, each with a name of its own. One starts from the defaults of `RankProfile`, or from
   * the profile that it `extends`; settings given in a query start from `profile`. Defaults to none.
   */
  readonly profiles?: readonly RankProfile[];
  /**
   * Towers whose space the catalog has. A query that brings no vector of that space gets one from the
   * user tower, by what the reader has read lately. Defaults to those of the `bundle`, where the
   * catalog has their space.
   */
  readonly towers?: Towers;
  /**
   * More bundles, by the names that profiles call them in `smallerBundle` and `shadowBundle`: folders,
   * which the feed opens and disposes of with itself, or bundles that you opened. Defaults to none.
   */
  readonly bundles?: Readonly<Record<string, string | Bundle>>;
  /** Of the bundles that the feed opens, as in `Bundle.open`. Defaults to `float32`. */
  readonly precision?: Precision;
  /**
   * Items of all rankings that are kept for profiles with `maxAnswerAgeMs`, 1 to 2³¹; the least
   * recently used rankings go first. Defaults to 500,000, which is 10,000 slates of 50.
   */
  readonly maxAnswerItems?: number;
  /**
   * Where retrieval runs, and the rankers of the bundles that the feed opens; a model or a bundle that
   * you opened stays where it is. Defaults to `cpu`; `DEVICE_UNAVAILABLE` where there is no such
   * device, `PRECISION_UNAVAILABLE` for a ranker in `int8` on another.
   */
  readonly device?: 'cpu' | 'cuda';
}

/** What a feed ranks by: a ranker, or the ranker of a bundle. */
export type FeedRanking =
  | { readonly ranker: FeedStages['ranker']; readonly bundle?: undefined }
  | {
      readonly ranker?: undefined;
      /** A folder, which the feed opens and disposes of with itself, or a bundle that you opened. */
      readonly bundle: string | Bundle;
    };

/** Options of {@link Feed.create}. */
export type FeedOptions = FeedSettings & FeedRanking;

/** Lets another worker_thread use the counters and user state of a feed. */
export interface FeedHandle {
  readonly kind: 'feedrank-feed';
  readonly number: number;
}

/** Feature values of given items, as a ranker would read them. */
export interface AssembledFeatures {
  /** Names of the columns. */
  readonly names: readonly string[];
  /** [item × feature], row-major; rows of unknown items are 0. */
  readonly values: Float32Array;
  /** Whether each id is an item of the catalog. */
  readonly known: readonly boolean[];
}
