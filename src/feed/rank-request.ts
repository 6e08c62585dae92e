import { binding, type NativeAnswer, type NativeSettings, type NativeSlate } from '../binding';
import type { Catalog } from '../catalog/catalog';
import { guard, invalidArgument } from '../errors';
import type { ItemId, UserId } from '../identity';
import type { RankSettings } from '../profile/rank-settings';
import { decodeSlate } from './decode-slate';
import { checkQueryFields, encodeQuery, requestSettings, type CheckedQuery } from './encode-query';
import type { Query } from './query';
import type { Segmentation } from './segmentation';
import type { Serving } from './serving';
import type { Slate } from './slate';
import { StageRunner } from './stage-runner';
import { withSignal } from './with-signal';

/** A ranking, and what it took to get it. */
interface Computed {
  readonly native: NativeSlate;
  readonly nativeCalls: number;
}

/**
 * One request, checked against what the feed serves when it begins; it ends on that, whatever is
 * swapped meanwhile.
 * @internal
 */
export class RankRequest {
  readonly #start = performance.now();
  readonly #serving: Serving;
  readonly #catalog: Catalog;
  readonly #query: Query;
  readonly #settings: RankSettings;
  readonly #encoded: NativeSettings;
  readonly #checked: CheckedQuery;
  readonly #reranks: boolean;

  /** Throws as `Feed.rank` rejects. */
  constructor(
    serving: Serving,
    catalog: Catalog,
    segmentation: Segmentation,
    query: Query,
    list: readonly ItemId[] | undefined,
  ) {
    this.#query = checkQueryFields(query);
    this.#serving = serving;
    this.#catalog = catalog;
    const { plan, profiles } = serving;
    this.#settings = requestSettings(profiles.settings(query.profile), query);
    this.#checked = encodeQuery(
      query,
      catalog,
      segmentation,
      this.#settings,
      plan.contextKeys,
      list,
    );
    this.#encoded = plan.encodeSettings(this.#settings);
    this.#reranks = list !== undefined;
    if (query.signal !== undefined && !(query.signal instanceof AbortSignal)) {
      throw invalidArgument('query.signal', 'an AbortSignal', query.signal);
    }
  }

  /** The reader's last ranking where the profile lets it answer, and otherwise a new one. */
  async answer(): Promise<Slate> {
    return withSignal(this.#query.signal, async (cancel) => {
      const { userId } = this.#checked.stage;
      if (this.#reranks || userId === undefined || !this.#mayRepeat()) {
        return this.#decode(await this.#compute(cancel));
      }
      const key = this.#key(userId);
      const repeated = this.#repeat(userId, key);
      if (repeated !== undefined) return repeated;
      const ticket = this.#serving.answers.ticket;
      const computed = await this.#compute(cancel);
      this.#store(ticket, userId, key, computed);
      return this.#decode(computed);
    });
  }

  /** Filters of the user's own are not asked again; one that fails closed must be. */
  #mayRepeat(): boolean {
    return (
      this.#settings.maxAnswerAgeMs > 0 &&
      !this.#serving.plan.filters.some((filter) => filter?.failClosed === true)
    );
  }

  /** Reader, profile, limit and context: requests that may be answered by each other's rankings. */
  #key(userId: UserId): string {
    const { profile, segments, explain } = this.#query;
    const { limit, context, currentItemId, seed } = this.#checked.stage;
    const sorted = (values: object) => Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1));
    return JSON.stringify([
      userId,
      typeof profile === 'object' ? profile : this.#settings.profile,
      limit,
      sorted(context),
      sorted(segments ?? {}),
      currentItemId ?? null,
      seed,
      explain === true,
    ]);
  }

  #repeat(userId: UserId, key: string): Slate | undefined {
    const { plan, answers } = this.#serving;
    const { now } = this.#checked.native;
    const last = answers.find(key, now, this.#settings.maxAnswerAgeMs);
    if (last === undefined) return undefined;
    const { ids, scores, budget } = last.native;
    const compared = budget.tier === 'full' ? scores : new Float64Array(0);
    const repeats = guard(() =>
      plan.native.repeats(this.#checked.native, this.#encoded, ids, compared),
    );
    if (!repeats) return undefined;
    this.#refresh(userId, key);
    return this.#decode({ native: last.native, nativeCalls: 1 }, last.now);
  }

  /**
   * Computes the reader's next answer, unless one is on its way or requests wait for a thread: the
   * reader's next request then tries again.
   */
  #refresh(userId: UserId, key: string): void {
    const { answers } = this.#serving;
    if (binding().runtime().queued > 0 || !answers.startRefresh(userId)) return;
    const { ticket } = answers;
    // Nobody is told of a failure: at last the ranking in the cache is too old, and a request that
    // computes its own says what is wrong.
    const refresh = () =>
      this.#compute(undefined, true)
        .then((computed) => this.#store(ticket, userId, key, computed))
        .catch(() => undefined)
        .finally(() => answers.endRefresh(userId));
    // Once this request has its answer: stages of the user's own may take the thread for long.
    setImmediate(() => void refresh());
  }

  #store(ticket: number, userId: UserId, key: string, { native }: Computed): void {
    const { now } = this.#checked.native;
    this.#serving.answers.store(ticket, userId, key, { native, now });
  }

  /** Of one computed `ahead` nobody is shown anything yet. */
  async #compute(cancel: Int32Array | undefined, ahead = false): Promise<Computed> {
    const { plan } = this.#serving;
    const { stage } = this.#checked;
    const native = ahead ? { ...this.#checked.native, ahead } : this.#checked.native;
    if (plan.isNative(this.#reranks)) {
      const { slate } = await plan.native.rank(native, this.#encoded, cancel);
      return { native: slate!, nativeCalls: 1 };
    }
    const { ids } = this.#catalog.schema;
    const [start, signal] = ahead
      ? [performance.now(), undefined]
      : [this.#start, this.#query.signal];
    const runner = new StageRunner(plan, stage, ids, start, signal);
    const request = plan.native.begin(native, this.#encoded);
    try {
      if (!this.#reranks) runner.startGenerators();
      let answer: NativeAnswer = await request.run(undefined, cancel);
      let nativeCalls = 2;
      while (answer.slate === undefined) {
        answer = await request.run(await runner.answer(answer), cancel);
        nativeCalls++;
      }
      return { native: answer.slate, nativeCalls };
    } finally {
      request.end();
    }
  }

  /** `asOf` where the ranking was computed for an earlier request. */
  #decode({ native, nativeCalls }: Computed, asOf?: number): Slate {
    const { now } = this.#checked.native;
    return decodeSlate(native, this.#serving.plan, {
      now: asOf ?? now,
      answerAgeMs: asOf === undefined ? undefined : now - asOf,
      seed: this.#checked.stage.seed,
      profile: this.#settings.profile,
      bundle: this.#serving.answeredBy(native.budget.tier, this.#settings),
      nativeCalls,
      start: this.#start,
    });
  }
}
