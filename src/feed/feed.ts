import type { Bundle } from '../bundles/bundle';
import { binding, type NativeEngagement } from '../binding';
import type { Catalog } from '../catalog/catalog';
import { FeedrankError, guard, guardAsync, invalidArgument } from '../errors';
import type { ItemId, UserId } from '../identity';
import { encodeFeatures } from '../features/encode-features';
import { toFeatureDefinition } from '../features/check-feature';
import { told } from './request-channel';
import type { FeatureDefinition } from '../features/feature';
import { toMilliseconds, type Instant } from '../instant';
import type { Precision } from '../models/precision';
import { Towers } from '../models/towers';
import { ProfileSet } from '../profile/profile-set';
import type { RankProfile } from '../profile/rank-profile';
import { checkHandle, checkInteger, checkObject, checkUserId } from '../validation';
import { checkSwap, type BundleSwap, type SwapOptions } from './bundle-swap';
import { encodeEvents } from './encode-events';
import { checkList, checkQueryFields, encodeQuery, requestSettings } from './encode-query';
import {
  checkEngagementOptions,
  engagementShape,
  type EngagementShape,
} from './engagement-options';
import type { FeedEvent, RecordResult } from './event';
import type { AssembledFeatures, FeedHandle, FeedOptions } from './feed-options';
import { releaseRankers, takeRankers, type FeedRankers } from './feed-rankers';
import { contextKeysOf } from './plan';
import type { Query } from './query';
import { RankRequest } from './rank-request';
import { Segmentation, type Segments } from './segmentation';
import { openOptions, releaseBundle, serveBundle, type ServedBundle } from './served-bundle';
import { Serving } from './serving';
import { decodeShadows, type ShadowReport } from './shadows';
import type { Slate } from './slate';
import { decodeSlices, type Slices } from './slices';

const hour = 3_600_000;

/**
 * Ranks items of a catalog for readers, and learns from what they do. Compiled once into a plan;
 * where every stage is native, a request crosses into native code once and never blocks the event
 * loop.
 */
export class Feed {
  readonly catalog: Catalog;
  readonly #shape: EngagementShape;
  readonly #segmentation: Segmentation;
  /** What requests that begin now are answered by. */
  #serving: Serving;
  readonly #towers: Towers | undefined;
  readonly #precision: Precision | undefined;
  readonly #device: FeedOptions['device'];
  #engagement: NativeEngagement | undefined;
  /** The last swap that was asked for, when it has ended. */
  #swapped: Promise<unknown> = Promise.resolve();

  private constructor(options: FeedOptions, rankers: FeedRankers, engagement: NativeEngagement) {
    this.catalog = options.catalog;
    this.#precision = options.precision;
    this.#device = options.device;
    this.#engagement = engagement;
    const shape = engagementShape(engagement);
    this.#shape = shape;
    this.#segmentation = new Segmentation(shape.segments, 'segments');
    if (options.towers !== undefined && !(options.towers instanceof Towers)) {
      throw invalidArgument('towers', 'what Towers.load resolved to', options.towers);
    }
    this.#towers = options.towers?.share();
    const frame = {
      stages: options,
      catalog: options.catalog,
      engagement,
      shape,
      segmentation: this.#segmentation,
      device: options.device ?? 'cpu',
      towers: this.#towers,
      maxAnswerItems: checkInteger(options.maxAnswerItems ?? 500_000, 'maxAnswerItems', 1, 2 ** 31),
    };
    try {
      this.#serving = new Serving(frame, rankers, (check) =>
        ProfileSet.of(options.profiles ?? [], options.profile ?? {}, check),
      );
    } catch (error) {
      this.#towers?.dispose();
      throw error;
    }
  }

  /**
   * Compiles a feed. Rejects with `INVALID_ARGUMENT`, `UNKNOWN_SPACE`, `UNKNOWN_COLUMN`,
   * `UNKNOWN_FEATURE`, `UNKNOWN_SEGMENT`, `UNKNOWN_GROUP`, `UNKNOWN_STAGE`, `UNKNOWN_PROFILE`,
   * `UNKNOWN_BUNDLE`, `MODEL_SHAPE` or `DEVICE_UNAVAILABLE`, or as `Bundle.open` does.
   */
  static async create(options: FeedOptions): Promise<Feed> {
    checkObject(options, 'options');
    checkObject(options.catalog, 'catalog');
    const native = checkEngagementOptions(options);
    return Feed.#make(options, () => new (binding().Engagement)(options.catalog.native, native));
  }

  /**
   * Compiles a feed on the counters and user state of another worker_thread's feed. `catalog` must
   * be attached to that feed's catalog. Rejects as {@link Feed.create}, and with `DISPOSED`.
   */
  static async attach(handle: FeedHandle, options: FeedOptions): Promise<Feed> {
    checkHandle(handle, 'feedrank-feed', 'what Feed.handle() returned');
    checkObject(checkObject(options, 'options')['catalog'], 'catalog');
    return Feed.#make(
      options,
      () => new (binding().Engagement)(handle.number, options.catalog.native),
    );
  }

  static async #make(options: FeedOptions, engage: () => NativeEngagement): Promise<Feed> {
    const rankers = await takeRankers(options);
    try {
      return new Feed(options, rankers, guard(engage));
    } catch (error) {
      releaseRankers(rankers);
      throw error;
    }
  }

  /** For {@link Feed.attach} in another worker_thread, while this feed lives. */
  handle(): FeedHandle {
    return { kind: 'feedrank-feed', number: this.#native().share() };
  }

  /**
   * What should this reader see now? Rejects with `INVALID_ARGUMENT` (also where a feature is
   * relative to the `list`, which only {@link Feed.rerank} has), `UNKNOWN_PROFILE`,
   * `UNKNOWN_SPACE`, `DIMENSION_MISMATCH`, `OVERLOADED`, `ABORTED`, `DISPOSED`, or with
   * `STAGE_FAILED` or a model's code where a stage that fails closed failed.
   */
  async rank(query: Query): Promise<Slate> {
    return told(this, 'rank', () => this.#answer(query, undefined));
  }

  /**
   * Orders a given list: features and ranker only, without filters and caps. Ids that are not items
   * are left out and counted in the trace. Rejects as {@link Feed.rank}, and with `DUPLICATE_ID`.
   */
  async rerank(query: Query, ids: readonly ItemId[]): Promise<Slate> {
    return told(this, 'rerank', () => this.#answer(query, checkList(ids, this.catalog)));
  }

  /**
   * Takes what readers did into counters and user state; visible when it resolves, and in the order
   * of the calls. `now` (default: the clock) is how far event time has come. Rejects with
   * `INVALID_ARGUMENT` before anything is counted, or with `OVERLOADED`.
   */
  async record(
    events: readonly FeedEvent[],
    options: { readonly now?: Instant } = {},
  ): Promise<RecordResult> {
    const native = this.#native();
    const given = checkObject(options, 'options')['now'];
    const now = given === undefined ? Date.now() : toMilliseconds(given, 'now');
    const { ids } = this.catalog.schema;
    const latestMs = Math.max(this.#shape.latenessMs, hour / 6);
    const encoded = encodeEvents(events, ids, this.#segmentation, now, latestMs);
    return guardAsync(() => native.record(encoded));
  }

  /**
   * Forgets what a reader was shown and has read, and the answers that this feed keeps for the reader;
   * says whether anything was known. A record that has not resolved yet may bring the reader back:
   * await it first.
   */
  forget(userId: UserId): boolean {
    const checked = checkUserId(userId, 'userId');
    return guard(() => {
      const known = this.#native().forget(checked);
      this.#serving.answers.forget(checked);
      return known;
    });
  }

  /**
   * Feature values of given items, computed by the code that ranking uses. `features` defaults to
   * the feed's own native features. Those that are relative to the `list` are relative to the known
   * ones of these items. Rejects with `UNKNOWN_FEATURE`, `INVALID_ARGUMENT`, `OVERLOADED`.
   */
  async assemble(
    query: Query,
    ids: readonly ItemId[],
    features?: readonly (string | FeatureDefinition)[],
  ): Promise<AssembledFeatures> {
    checkQueryFields(query);
    const list = checkList(ids, this.catalog);
    if (features !== undefined && !Array.isArray(features)) {
      throw invalidArgument('features', 'an array of features', features);
    }
    const { plan, profiles, towers: encoding } = this.#serving;
    const definitions = features ? this.define(features) : plan.definitions;
    const towers = definitions.some(({ space }) => space === encoding?.space.name)
      ? encoding
      : undefined;
    const keys = contextKeysOf(definitions, towers);
    const settings = requestSettings(profiles.settings(query.profile), query);
    plan.encodeSettings(settings);
    const checked = encodeQuery(query, this.catalog, this.#segmentation, settings, keys, list);
    const encoded = encodeFeatures(definitions, this.catalog, this.#shape, keys);
    const native = this.#native();
    const { context, userVectors, userId, currentItem, segments, now } = checked.native;
    const { values, known } = await guardAsync(() =>
      native.features({
        ...encoded,
        ids: list,
        context,
        userVectors,
        userId,
        currentItem,
        segments,
        now,
        ...(towers && { userTower: towers.encoder(this.catalog, keys) }),
      }),
    );
    return {
      names: definitions.map((definition) => definition.name),
      values,
      known: Array.from(known, (entry) => entry === 1),
    };
  }

  /**
   * How slices of readers and groups of items fare: decayed impressions and clicks as recorded, the
   * exposure that answered slates gave and the scores behind it, and the gaps between them. Slates
   * of `rank` and of `rerank` count; scores compare while requests share a ranker and its weights.
   * Costs some microseconds. `now` defaults to the clock. Throws `INVALID_ARGUMENT`, `DISPOSED`.
   */
  slices(options: { readonly now?: Instant } = {}): Slices {
    const { now, ...rest } = checkObject(options, 'options');
    const [unknown] = Object.keys(rest);
    if (unknown !== undefined) throw invalidArgument(`options.${unknown}`, 'now alone', unknown);
    const asOf = now === undefined ? Date.now() : toMilliseconds(now, 'now');
    return guard(() => decodeSlices(this.#native().slices({ now: asOf })));
  }

  /**
   * Adds a profile, or replaces the one of its name (the default one where it has none), for
   * requests that begin from now on. Throws `INVALID_ARGUMENT`, `UNKNOWN_STAGE`, `UNKNOWN_PROFILE`,
   * `UNKNOWN_BUNDLE`.
   */
  setProfile(profile: RankProfile): void {
    this.#native();
    this.#serving.profiles.set(profile);
    this.#serving.answers.clear();
  }

  /**
   * Puts another bundle in the place of the feed's own, or of one of its `bundles`, while requests go
   * on: they end on what they began with, and those that begin when this resolves have the new one.
   * The bundle is a folder, which the feed opens and disposes of, or a bundle that you opened. It is
   * verified, as `Bundle.open` says, compiled beside the one in service and checked against every
   * profile before anything changes, so a bundle that does not fit leaves the old one in service.
   * What the counters, the readers' histories and the budgets have learnt stays. Swaps follow one
   * another in the order of the calls. Meanwhile one more model is in memory.
   *
   * Rejects as `Bundle.open` and {@link Feed.setProfile} do; as {@link Feed.create} where the ranker
   * does not fit the feed, or the space of its towers is not of the catalog's version; with
   * `UNKNOWN_BUNDLE`; with `DISPOSED`; and with `INVALID_ARGUMENT` also where the feed was made with
   * a ranker of its own, or where the new bundle would fail requests that the old one answers: by
   * features that are relative to the list, or for want of towers that stages rely on.
   */
  async swapBundle(bundle: string | Bundle, options: SwapOptions = {}): Promise<BundleSwap> {
    this.#native();
    const checked = checkSwap(bundle, options);
    this.#serving.bundle(checked.name);
    const swap = this.#swapped.then(() => this.#swap(bundle, checked));
    this.#swapped = swap.catch(() => undefined);
    return swap;
  }

  async #swap(given: string | Bundle, options: SwapOptions): Promise<BundleSwap> {
    this.#native();
    const { name, profile, precision = this.#precision } = options;
    const bundle = await serveBundle(given, 'bundle', openOptions(precision, this.#device));
    try {
      this.#native();
      const before = this.#serving;
      const replaced = before.bundle(name);
      this.#serving = before.withBundle(bundle, name, profile);
      before.plan.native.release();
      releaseBundle(replaced);
      return { bundle: bundle.identity, replaced: replaced.identity };
    } catch (error) {
      releaseBundle(bundle);
      throw error;
    }
  }

  /**
   * How the feed's `bundles` fared where profiles named them as `shadowBundle`, by their names, since
   * the last swap of any bundle. Throws `DISPOSED`.
   */
  shadows(): Record<string, ShadowReport> {
    this.#native();
    const { plan, rankers } = this.#serving;
    return decodeShadows(
      rankers.smaller,
      guard(() => plan.native.shadows()),
    );
  }

  /** The bundles in service by the names that swaps give them, the feed's own by none. @internal */
  get bundles(): ReadonlyMap<string | undefined, ServedBundle> {
    return this.#serving.bundles;
  }

  /** The segments that events and queries may name. */
  get segments(): Segments {
    return this.#segmentation.segments;
  }

  /** The definitions that features stand for, as {@link Feed.assemble} takes them. @internal */
  define(features: readonly unknown[]): FeatureDefinition[] {
    return features.map((feature, i) =>
      toFeatureDefinition(feature, this.#shape, `features[${i}]`),
    );
  }

  /** Names of the features that the ranker can read, in the order of the matrix. */
  get featureNames(): readonly string[] {
    return this.#serving.plan.featureNames;
  }

  /**
   * What a user tower would see of a reader: the last reads of items that the catalog holds, newest
   * first, the page that the reader is on before all.
   * @internal
   */
  recentReads(
    query: Pick<Query, 'userId' | 'currentItemId'>,
    now: number,
    most: number,
  ): { ids: ItemId[]; hours: Float32Array } {
    const { userId, currentItemId: currentItem } = query;
    return guard(() => this.#native().reads({ userId, currentItem, now, most }));
  }

  /** Distance of the instants at which pools of relative features are frozen. @internal */
  get poolGridMs(): number {
    return this.#shape.poolGridMs;
  }

  /** Readers remembered, and bytes of native memory that they and the counters take. */
  get stats(): { users: number; userBytes: number; counterBytes: number } {
    return this.#native().stats();
  }

  /** Lets go of the feed. Requests in flight still answer; later calls reject with `DISPOSED`. */
  dispose(): void {
    if (this.#engagement === undefined) return;
    this.#engagement = undefined;
    this.#serving.release();
    this.#towers?.dispose();
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- The symbol's contract.
  async [Symbol.asyncDispose](): Promise<void> {
    this.dispose();
  }

  #native(): NativeEngagement {
    if (this.#engagement !== undefined) return this.#engagement;
    throw new FeedrankError('DISPOSED', 'feed: it has been disposed of', 'feed');
  }

  async #answer(query: Query, list: readonly ItemId[] | undefined): Promise<Slate> {
    this.#native();
    return new RankRequest(this.#serving, this.catalog, this.#segmentation, query, list).answer();
  }
}
