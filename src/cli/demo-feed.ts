import { Catalog } from '../catalog/catalog';
import type { UserId } from '../identity';
import type { Dataset, DatasetImpression } from '../data/dataset';
import { queryOf } from '../evaluation/impression-query';
import { replay, replayCatalogOptions, replayFeedOptions } from '../evaluation/replay';
import type { ReplaySummary } from '../evaluation/replay';
import { Feed } from '../feed/feed';
import type { Query } from '../feed/query';
import { eligible, maximumAge, seen } from '../stages/native-filters';
import { coRead, decayedDot, fresh, trending } from '../stages/native-generators';
import { mmr, topN } from '../stages/native-selectors';

/** What the log tells of one reader. */
export interface Reader {
  readonly id: UserId;
  readonly slices: Readonly<Record<string, string>>;
  /** What the feed would have been asked when the reader was last seen. */
  readonly query: Query;
  readonly clicks: number;
  /** Topics of what the reader clicked, with how often, most often first. */
  readonly topics: readonly (readonly [topic: string, clicks: number])[];
}

/** A feed that has lived through a log, and the readers that it met. */
export interface DemoFeed {
  readonly feed: Feed;
  readonly catalogSize: number;
  readonly summary: ReplaySummary;
  /** Most clicks first. */
  readonly readers: readonly Reader[];
  /** The instant at which the log ends. */
  readonly now: number;
  dispose(): void;
}

export const demoProfile = {
  name: 'demo',
  limit: 8,
  perAuthor: 2,
  maxAgeMs: 3 * 86_400_000,
  seenAfterImpressions: 3,
} as const;

/** Builds a feed for a dataset with a trained ranker, and plays the whole log through it. */
export async function createDemoFeed(
  dataset: Dataset,
  bundle: string,
  onProgress: (done: number, total: number) => void,
): Promise<DemoFeed> {
  const [space] = Object.keys(dataset.spaces);
  const catalog = await Catalog.create(replayCatalogOptions(dataset));
  const feed = await Feed.create({
    catalog,
    ...replayFeedOptions(dataset),
    generators: [
      ...(space === undefined ? [] : [decayedDot({ space })]),
      trending(),
      ...Object.keys(dataset.segments).map((segment) =>
        trending({ segment, halfLifeMs: 12 * 3_600_000, name: `trending by ${segment}` }),
      ),
      coRead(),
      fresh(),
    ],
    filters: [seen(), eligible(), maximumAge()],
    bundle,
    selector: space === undefined ? topN() : mmr({ space }),
    profile: demoProfile,
  });
  const readers = new ReaderDirectory(dataset, feed);
  const total = dataset.splits.reduce((sum, { impressions }) => sum + impressions, 0);
  const summary = await replay({
    dataset,
    catalog,
    feed,
    split: dataset.splits.at(-1)?.name ?? '',
    onImpression: (impression) => readers.meet(impression),
    onProgress: (done) => onProgress(done, total),
  });
  return {
    feed,
    catalogSize: catalog.size,
    summary,
    readers: readers.list(),
    now: summary.endedAt,
    dispose() {
      feed.dispose();
      catalog.dispose();
    },
  };
}

/** Remembers what impressions say of their readers. */
class ReaderDirectory {
  readonly #dataset: Dataset;
  readonly #feed: Feed;
  readonly #latest = new Map<UserId, DatasetImpression>();
  readonly #clicked = new Map<UserId, Set<DatasetImpression['itemIds'][number]>>();

  constructor(dataset: Dataset, feed: Feed) {
    this.#dataset = dataset;
    this.#feed = feed;
  }

  meet(impression: DatasetImpression): void {
    const clicked = this.#clicked.get(impression.userId) ?? new Set();
    impression.clickedIds.forEach((id) => clicked.add(id));
    this.#clicked.set(impression.userId, clicked);
    this.#latest.set(impression.userId, impression);
  }

  list(): Reader[] {
    const topicsOf = new Map(this.#dataset.items.map(({ id, topics }) => [id, topics ?? []]));
    const readers = [...this.#latest.values()].map((impression) => {
      const clicked = [...(this.#clicked.get(impression.userId) ?? [])];
      const counts = new Map<string, number>();
      for (const topic of clicked.flatMap((id) => topicsOf.get(id) ?? [])) {
        counts.set(topic, (counts.get(topic) ?? 0) + 1);
      }
      return {
        id: impression.userId,
        slices: impression.userSlices,
        query: queryOf(this.#feed, impression),
        clicks: clicked.length,
        topics: [...counts].sort((a, b) => b[1] - a[1]),
      };
    });
    return readers.sort((a, b) => b.clicks - a.clicks);
  }
}
