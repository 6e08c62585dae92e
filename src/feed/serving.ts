import type { NativeEngagement } from '../binding';
import type { Catalog } from '../catalog/catalog';
import { FeedrankError, guard, invalidArgument } from '../errors';
import type { Towers } from '../models/towers';
import type { ProfileSet } from '../profile/profile-set';
import type { RankProfile } from '../profile/rank-profile';
import type { RankSettings } from '../profile/rank-settings';
import type { BudgetTrace } from '../stage-trace';
import { AnswerCache } from './answer-cache';
import type { EngagementShape } from './engagement-options';
import { releaseRankers, withBundle, type FeedRankers } from './feed-rankers';
import { Plan, type FeedStages } from './plan';
import type { Segmentation } from './segmentation';
import type { ServedBundle } from './served-bundle';
import type { SlateBundle } from './slate';

/** What stays of a feed while its bundles and profiles change. @internal */
export interface FeedFrame {
  readonly stages: Omit<FeedStages, 'ranker'>;
  readonly catalog: Catalog;
  readonly engagement: NativeEngagement;
  readonly shape: EngagementShape;
  readonly segmentation: Segmentation;
  readonly device: string;
  /** Instead of those of the bundle. */
  readonly towers: Towers | undefined;
  readonly maxAnswerItems: number;
}

/**
 * What a feed answers by: rankers, the plan that is compiled with them, and the profiles that fit it.
 * Replaced as a whole, so that a request that keeps the one it began with mixes nothing.
 * @internal
 */
export class Serving {
  readonly plan: Plan;
  readonly profiles: ProfileSet;
  readonly towers: Towers | undefined;
  readonly rankers: FeedRankers;
  /** Of this plan and these profiles alone. */
  readonly answers: AnswerCache;
  readonly #frame: FeedFrame;

  /** Throws where the rankers do not fit the feed, or as `profiles` does. */
  constructor(
    frame: FeedFrame,
    rankers: FeedRankers,
    profiles: (check: (settings: RankSettings) => void) => ProfileSet,
  ) {
    this.#frame = frame;
    this.rankers = rankers;
    this.answers = new AnswerCache(frame.maxAnswerItems);
    this.towers = frame.towers ?? towersOf(rankers.bundle, frame.catalog);
    this.plan = new Plan(
      { ...frame.stages, ranker: rankers.ranker },
      { ...frame, towers: this.towers, smaller: rankers.smaller },
    );
    try {
      this.profiles = profiles((settings) => this.plan.encodeSettings(settings));
    } catch (error) {
      this.plan.native.release();
      throw error;
    }
  }

  /**
   * The same with another bundle, and another profile where one is given, compiled beside this one
   * and checked against every profile. It goes on from what requests have taught this one of costs.
   * Throws `INVALID_ARGUMENT`, also for a ranker that could only rerank, or that leaves stages
   * without the readers' vectors that they had; or as the constructor. This one is as it was then.
   */
  withBundle(
    bundle: ServedBundle,
    name: string | undefined,
    profile: RankProfile | undefined,
  ): Serving {
    const rankers = withBundle(this.rankers, bundle, name);
    const next = new Serving(this.#frame, rankers, (check) =>
      this.profiles.movedTo(check, profile),
    );
    try {
      this.#checkSuccessor(next.plan);
      const smaller = this.rankers.smaller.findIndex((one) => one.name === name);
      guard(() => next.plan.native.goOnFrom(this.plan.native, smaller + 1));
    } catch (error) {
      next.plan.native.release();
      throw error;
    }
    return next;
  }

  #checkSuccessor({ readsList, encodesReaders }: Plan): void {
    if (readsList && !this.plan.readsList) {
      throw invalidArgument(
        'bundle',
        'no feature that is relative to the list, since rank has none',
        'one',
      );
    }
    if (this.plan.encodesReaders && !encodesReaders) {
      throw invalidArgument(
        'bundle',
        `towers of a space that the catalog has and stages look at, as ${this.towers!.space.name} is now`,
        'none',
      );
    }
  }

  /** The feed's own bundle, under no name, and the smaller ones under theirs. */
  get bundles(): ReadonlyMap<string | undefined, ServedBundle> {
    const { bundle, smaller } = this.rankers;
    return new Map([
      ...(bundle === undefined ? [] : ([[undefined, bundle]] as const)),
      ...smaller.map((one) => [one.name, one] as const),
    ]);
  }

  /** The bundle of this name among the smaller ones, or the feed's own. Throws `UNKNOWN_BUNDLE`. */
  bundle(name: string | undefined): ServedBundle {
    const { bundle, smaller } = this.rankers;
    if (name === undefined) {
      if (bundle !== undefined) return bundle;
      throw invalidArgument(
        'options.name',
        "the name of one of the feed's bundles, since it was made with a ranker",
        name,
      );
    }
    const found = smaller.find((one) => one.name === name);
    if (found !== undefined) return found;
    throw new FeedrankError(
      'UNKNOWN_BUNDLE',
      `options.name: no bundle ${JSON.stringify(name)}; the feed's bundles are: ` +
        (smaller.map((one) => one.name).join(', ') || 'none'),
      'options.name',
    );
  }

  /** Which bundle's ranker gave the scores of a request. */
  answeredBy(tier: BudgetTrace['tier'], settings: RankSettings): SlateBundle | undefined {
    if (tier === 'full') return this.rankers.bundle?.identity;
    if (tier !== 'smaller') return undefined;
    return this.rankers.smaller.find(({ name }) => name === settings.smallerBundle)?.identity;
  }

  /** Lets go of everything. Requests in flight end on it. */
  release(): void {
    this.plan.native.release();
    releaseRankers(this.rankers);
  }
}

/** Those of a bundle, where the catalog has their space. */
function towersOf(bundle: ServedBundle | undefined, catalog: Catalog): Towers | undefined {
  const towers = bundle?.towers;
  const has = catalog.schema.spaces.some(({ name }) => name === towers?.space.name);
  return has ? towers : undefined;
}
