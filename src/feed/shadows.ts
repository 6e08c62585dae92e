import type { NativeShadow } from '../binding';
import type { SmallerBundle } from './named-stage';
import type { SlateBundle } from './slate';

/** Milliseconds of the latest 1,024 requests at most. */
export interface LatencyPercentiles {
  readonly p50: number;
  readonly p99: number;
}

/** What one of a feed's bundles came to where profiles named it as `shadowBundle`. */
export interface ShadowReport {
  readonly bundle: SlateBundle;
  /** Requests that both rankers scored. */
  readonly scored: number;
  /** Requests that it left out: no thread was idle, or the feed's own ranker took no part. */
  readonly skipped: number;
  /** Requests on which it failed. */
  readonly failed: number;
  /** Why, the last time; undefined where it never failed. */
  readonly lastFailure: string | undefined;
  /** Means over the requests that both scored; undefined before the first. */
  readonly agreement:
    | {
        /** Share of the live ranker's best `limit` candidates that are among the shadow's, 0 to 1. */
        readonly topOverlap: number;
        /**
         * Kendall's τ-b of all candidates' scores, −1 to 1 (Kendall 1945); `NaN` where one ranker
         * tied all candidates of every request.
         */
        readonly kendallTau: number;
      }
    | undefined;
  /**
   * What the rankers took on the same requests, without assembling features: the live one, part of
   * whose work idle threads may have done, and the shadow on one thread. Undefined before the first.
   */
  readonly rankerMs:
    { readonly live: LatencyPercentiles; readonly shadow: LatencyPercentiles } | undefined;
}

/** By the bundles' names. @internal */
export function decodeShadows(
  bundles: readonly SmallerBundle[],
  shadows: readonly NativeShadow[],
): Record<string, ShadowReport> {
  // Unlike an assignment, this takes a name such as `__proto__` for what it is.
  return Object.fromEntries(
    bundles.map(({ name, identity }, i) => [name, { bundle: identity, ...decode(shadows[i]!) }]),
  );
}

function decode(native: NativeShadow): Omit<ShadowReport, 'bundle'> {
  const { scored, skipped, failed, lastFailure, topOverlap, kendallTau } = native;
  return {
    scored,
    skipped,
    failed,
    lastFailure: failed === 0 ? undefined : lastFailure,
    agreement: scored === 0 ? undefined : { topOverlap, kendallTau },
    rankerMs:
      scored === 0
        ? undefined
        : {
            live: { p50: native.liveP50Ms, p99: native.liveP99Ms },
            shadow: { p50: native.shadowP50Ms, p99: native.shadowP99Ms },
          },
  };
}
