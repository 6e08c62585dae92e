import type * as LruCache from 'lru-cache';
import type { LRUCache } from 'lru-cache';
import type { NativeSlate } from '../binding';
import type { UserId } from '../identity';

/** A ranking as it was computed, from which slates are decoded. @internal */
export interface CachedAnswer {
  readonly native: NativeSlate;
  /** What it is as of, in epoch milliseconds. */
  readonly now: number;
}

/**
 * The last ranking of each reader for each place, for profiles that answer from it. What is stored
 * belongs to the bundles and profiles that computed it, so each of them has a cache of its own.
 * @internal
 */
export class AnswerCache {
  readonly #mostItems: number;
  #answers: LRUCache<string, CachedAnswer> | undefined;
  /** The keys of each reader's answers. */
  readonly #keys = new Map<UserId, Set<string>>();
  /** Readers for whom a newer ranking is being computed. */
  readonly #refreshing = new Set<UserId>();
  #cleared = 0;

  /** Slates hold at most `mostItems` items together. */
  constructor(mostItems: number) {
    this.#mostItems = mostItems;
  }

  /** To be taken when a ranking begins and handed in with it: what is dropped meanwhile stays so. */
  get ticket(): number {
    return this.#cleared;
  }

  /** The last ranking, if at `now` it is no older than `maxAgeMs`, nor of a later instant. */
  find(key: string, now: number, maxAgeMs: number): CachedAnswer | undefined {
    const answer = this.#answers?.get(key);
    if (answer === undefined || answer.now > now || now - answer.now > maxAgeMs) return undefined;
    return answer;
  }

  store(ticket: number, userId: UserId, key: string, answer: CachedAnswer): void {
    if (ticket !== this.#cleared) return;
    this.#answers ??= this.#make();
    if ((this.#answers.peek(key)?.now ?? -Infinity) > answer.now) return;
    this.#answers.set(key, answer, { size: answer.native.ids.length + 1 });
    // One larger than all that may be kept is not.
    if (!this.#answers.has(key)) return;
    const keys = this.#keys.get(userId);
    if (keys === undefined) this.#keys.set(userId, new Set([key]));
    else keys.add(key);
  }

  /** Whether a newer ranking is to be computed now; the caller then says when it has been. */
  startRefresh(userId: UserId): boolean {
    if (this.#refreshing.has(userId)) return false;
    this.#refreshing.add(userId);
    return true;
  }

  endRefresh(userId: UserId): void {
    this.#refreshing.delete(userId);
  }

  forget(userId: UserId): void {
    this.#cleared += 1;
    for (const key of this.#keys.get(userId) ?? []) this.#answers?.delete(key);
  }

  clear(): void {
    this.#cleared += 1;
    this.#answers?.clear();
  }

  #make(): LRUCache<string, CachedAnswer> {
    // Most feeds do without.
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- An import could not wait.
    const { LRUCache } = require('lru-cache') as typeof LruCache;
    return new LRUCache<string, CachedAnswer>({
      maxSize: this.#mostItems,
      dispose: (_, key, reason) => {
        if (reason !== 'set') this.#dropped(key);
      },
    });
  }

  #dropped(key: string): void {
    const [userId] = JSON.parse(key) as [UserId];
    const keys = this.#keys.get(userId);
    keys?.delete(key);
    if (keys?.size === 0) this.#keys.delete(userId);
  }
}
