import type { DatasetImpression } from '../data/dataset';
import type { Feed } from '../feed/feed';
import type { Query } from '../feed/query';

/** What a feed would have been asked when the list was shown. */
export function queryOf(
  feed: Feed,
  { userId, userVectors, at: now, context, segments = {}, currentItemId }: DatasetImpression,
): Query {
  return {
    userId,
    now,
    context,
    segments: knownSegments(segments, feed),
    ...(currentItemId === undefined ? {} : { currentItemId }),
    ...(userVectors ? { userVector: userVectors } : {}),
  };
}

/**
 * An impression's segments without those that the feed does not have, in the form that its events
 * and queries take.
 */
export function knownSegments(
  segments: Readonly<Record<string, string>>,
  feed: Feed,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(segments).filter(([name, value]) => feed.segments[name]?.includes(value)),
  );
}
