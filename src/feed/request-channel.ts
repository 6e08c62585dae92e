import { channel } from 'node:diagnostics_channel';
import type { Feed } from './feed';
import type { Slate } from './slate';

/** What a feed was asked for. */
export type RequestKind = 'rank' | 'rerank';

/**
 * One request to a feed, told twice to whoever listens in this thread: when it begins, and, as the
 * same object, when it has ended with one of `slate` and `error`.
 * @internal
 */
export interface RequestMessage {
  readonly feed: Feed;
  readonly kind: RequestKind;
  /** Milliseconds from the call to its end; 0 until then. */
  ms: number;
  slate?: Slate;
  error?: unknown;
}

/** Published when a request begins, in the caller's own asynchronous context. @internal */
export const requestBegan = channel('feedrank.request.began');

/** Published when a request has been answered or has failed. @internal */
export const requestEnded = channel('feedrank.request.ended');

/** Runs a request and tells of it; where nobody listens that costs nothing. @internal */
export async function told(
  feed: Feed,
  kind: RequestKind,
  request: () => Promise<Slate>,
): Promise<Slate> {
  if (!requestBegan.hasSubscribers && !requestEnded.hasSubscribers) return request();
  const message: RequestMessage = { feed, kind, ms: 0 };
  requestBegan.publish(message);
  const begin = performance.now();
  try {
    return (message.slate = await request());
  } catch (error) {
    message.error = error;
    throw error;
  } finally {
    message.ms = performance.now() - begin;
    requestEnded.publish(message);
  }
}
