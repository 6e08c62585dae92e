import type { Bundle } from '../bundles/bundle';
import { binding, type NativeAnswer, type NativeEngagement } from '../binding';
import type { Catalog } from '../catalog/catalog';
import { FeedrankError, guard, guardAsync, invalidArgument } from '../errors';
import type { ItemId, UserId } from '../identity';
import { encodeFeatures } from '../features/encode-features';
import { toFeatureDefinition } from '../features/check-feature';
import { told } from './request-channel';
import type { FeatureDefinition } from '../features/feature';
import { toMilliseconds, type Instant } from '../instant';
import { Towers } from '../models/towers';
import { ProfileSet } from '../profile/profile-set';
import type { RankProfile } from '../profile/rank-profile';
import { checkHandle, checkObject, checkUserId } from '../validation';
import { takeBundles } from './bundle-stages';
import { decodeSlate } from './decode-slate';
import { encodeEvents } from './encode-events';
import { checkList, checkQueryFields, encodeQuery, requestSettings } from './encode-query';
import {
  checkEngagementOptions,
  engagementShape,
  type EngagementShape,
} from './engagement-options';
import type { FeedEvent, RecordResult } from './event';
import type { AssembledFeatures, FeedHandle, FeedOptions, FeedSettings } from './feed-options';
import { contextKeysOf, Plan, type FeedStages } from './plan';
import type { SmallerBundle } from './named-stage';
import type { Query } from './query';
import { Segmentation, type Segments } from './segmentation';
import type { Slate } from './slate';
import { decodeSlices, type Slices } from './slices';
import { StageRunner } from './stage-runner';

const hour = 3_600_000;

/**
 * Ranks items of a catalog for readers, and learns from what they do. Compiled once into a plan;
 * where every stage is native, a request crosses into native code once and never blocks the event
 * loop.
 */
export class Feed {
  readonly catalog: Catalog;
  readonly #plan: Plan;
  readonly #profiles: ProfileSet;
  readonly #shape: EngagementShape;
  readonly #segmentation: Segmentation;
  readonly #towers: Towers | undefined;
  #engagement: NativeEngagement | undefined;
  /** Opened by this feed. */
  #opened: readonly Bundle[] = [];

  private constructor(
    options: FeedSettings & FeedStages,
    smaller: readonly SmallerBundle[],
    engagement: NativeEngagement,
  ) {
    this.catalog = options.catalog;
    this.#engagement = engagement;
    const shape = engagementShape(engagement);
    this.#shape = shape;
    this.#segmentation = new Segmentation(shape.segments, 'segments');
    if (options.towers !== undefined && !(options.towers instanceof Towers)) {
      throw invalidArgument('towers', 'what Towers.load resolved to', options.towers);
    }
    this.#towers = options.towers;
    this.#plan = new Plan(options, {
      engagement,
      shape,
      segmentation: this.#segmentation,
      catalog: options.catalog,
      device: options.device ?? 'cpu',
      towers: this.#towers,
      smaller,
    });
    this.#profiles = new ProfileSet(options.profiles ?? [], options.profile ?? {}, (settings) =>
      this.#plan.encodeSettings(settings),
    );
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
    const { stages, towers, smaller, opened } = await takeBundles(options, options.catalog);
    try {
      const encoding = options.towers ?? towers;
      const feed = new Feed(
        { ...options, ...stages, ...(encoding ? { towers: encoding } : {}) },
        smaller,
        guard(engage),
      );
      feed.#opened = opened;
      return feed;
    } catch (error) {
      for (const bundle of opened) bundle.dispose();
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
   * Forgets what a reader was shown and has read; says whether anything was known. A record that has
   * not resolved yet may bring the reader back: await it first.
   */
  forget(userId: UserId): boolean {
    const checked = checkUserId(userId, 'userId');
    return guard(() => this.#native().forget(checked));
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
    const definitions = features ? this.define(features) : this.#plan.definitions;
    const towers = definitions.some(({ space }) => space === this.#towers?.space.name)
      ? this.#towers
      : undefined;
    const keys = contextKeysOf(definitions, towers);
    const settings = requestSettings(this.#profiles.settings(query.profile), query);
    this.#plan.encodeSettings(settings);
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
    this.#profiles.set(profile);
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
    return this.#plan.featureNames;
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
    this.#engagement = undefined;
    for (const bundle of this.#opened) bundle.dispose();
    this.#opened = [];
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
    const start = performance.now();
    this.#native();
    checkQueryFields(query);
    const settings = requestSettings(this.#profiles.settings(query.profile), query);
    const { native, stage } = encodeQuery(
      query,
      this.catalog,
      this.#segmentation,
      settings,
      this.#plan.contextKeys,
      list,
    );
    const encoded = this.#plan.encodeSettings(settings);
    const { signal } = query;
    if (signal !== undefined && !(signal instanceof AbortSignal)) {
      throw invalidArgument('query.signal', 'an AbortSignal', signal);
    }
    const done = (answer: NativeAnswer, nativeCalls: number) =>
      decodeSlate(answer.slate!, this.#plan, {
        now: native.now,
        seed: stage.seed,
        profile: settings.profile,
        nativeCalls,
        start,
      });
    return withSignal(signal, async (cancel) => {
      if (this.#plan.isNative(list !== undefined)) {
        return done(await this.#plan.native.rank(native, encoded, cancel), 1);
      }
      const runner = new StageRunner(this.#plan, stage, this.catalog.schema.ids, start, signal);
      const request = this.#plan.native.begin(native, encoded);
      try {
        if (list === undefined) runner.startGenerators();
        let answer = await request.run(undefined, cancel);
        let calls = 2;
        while (answer.slate === undefined) {
          answer = await request.run(await runner.answer(answer), cancel);
          calls++;
        }
        return done(answer, calls);
      } finally {
        request.end();
      }
    });
  }
}

/**
 * Rejects as soon as the caller gives up, and tells the native threads through a flag in shared
 * memory, so that giving up costs no crossing either.
 */
async function withSignal<T>(
  signal: AbortSignal | undefined,
  body: (cancel: Int32Array | undefined) => Promise<T>,
): Promise<T> {
  if (signal === undefined) return guardAsync(() => body(undefined));
  const aborted = () =>
    new FeedrankError('ABORTED', 'signal: the request was aborted', 'signal', {
      cause: signal.reason,
    });
  if (signal.aborted) throw aborted();
  const cancel = new Int32Array(1);
  let giveUp: () => void = () => undefined;
  const given = new Promise<never>((_, reject) => {
    giveUp = () => {
      cancel[0] = 1;
      reject(aborted());
    };
  });
  signal.addEventListener('abort', giveUp, { once: true });
  try {
    return await guardAsync(() => Promise.race([body(cancel), given]));
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
}
