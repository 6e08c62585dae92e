import type { Item } from '../catalog/item';
import type { Dataset } from '../data/dataset';
import { unhurriedBudgetMs } from '../evaluation/unhurried';
import { Feed } from '../feed/feed';
import type { FeedStages } from '../feed/plan';
import type { ItemId } from '../identity';
import { throwIfAborted } from '../training/throw-if-aborted';
import type { ReplayedFeed } from './measure-pipeline';
import type { Latency } from './report';

/** Candidates that a request brings. */
export const timedCandidates = [500, 2000] as const;

const warmUps = 5;

/** Milliseconds by number of candidates. */
export interface Latencies {
  /** From the call to the answer: features and ranker. */
  readonly latencyMs: Readonly<Record<string, Latency>>;
  /** The ranker's stage alone. */
  readonly rankerMs: Readonly<Record<string, Latency>>;
}

/**
 * Times requests that order given items, one after another, the rankers by turns: each round asks
 * every ranker once for each number of candidates, so that whatever else the machine does meets all
 * of them alike.
 */
export async function measureLatency(
  { catalog, feed, query }: Pick<ReplayedFeed, 'catalog' | 'feed' | 'query'>,
  rankers: Readonly<Record<string, FeedStages['ranker']>>,
  dataset: Dataset,
  options: {
    readonly rounds: number;
    readonly signal: AbortSignal | undefined;
    readonly onProgress: (rounds: number) => void;
  },
): Promise<Record<string, Latencies>> {
  const ids = await someItems({ catalog, query }, dataset, Math.max(...timedCandidates));
  const feeds = new Map<string, Feed>();
  const samples = new Map<string, { total: number[]; ranker: number[] }>();
  const keyOf = (id: string, count: number): string => `${id} ${count}`;
  try {
    for (const [id, ranker] of Object.entries(rankers)) {
      feeds.set(id, await Feed.attach(feed.handle(), { catalog, ranker }));
      for (const count of timedCandidates) samples.set(keyOf(id, count), { total: [], ranker: [] });
    }
    for (let round = -warmUps; round < options.rounds; round += 1) {
      throwIfAborted(options.signal);
      for (const count of timedCandidates) {
        for (const [id, timed] of feeds) {
          const { trace } = await timed.rerank(
            { ...query, profile: { budgetMs: unhurriedBudgetMs } },
            ids.slice(0, count),
          );
          if (round < 0) continue;
          const sample = samples.get(keyOf(id, count))!;
          sample.total.push(trace.totalMs);
          sample.ranker.push(trace.stages.find(({ kind }) => kind === 'ranker')?.ms ?? 0);
        }
      }
      options.onProgress(Math.max(0, round + 1));
    }
  } finally {
    for (const timed of feeds.values()) timed.dispose();
  }
  const summary = (id: string, what: 'total' | 'ranker'): Record<string, Latency> =>
    Object.fromEntries(
      timedCandidates.map((count) => [count, latencyOf(samples.get(keyOf(id, count))![what])]),
    );
  return Object.fromEntries(
    [...feeds.keys()].map((id) => [
      id,
      { latencyMs: summary(id, 'total'), rankerMs: summary(id, 'ranker') },
    ]),
  );
}

/** Quantiles by the nearest rank. */
export function latencyOf(ms: readonly number[]): Latency {
  const sorted = [...ms].sort((a, b) => a - b);
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)]!;
  return { p50: at(0.5), p99: at(0.99) };
}

/** Ids of the newest items, topped up with copies where the catalog holds fewer. */
async function someItems(
  { catalog, query }: Pick<ReplayedFeed, 'catalog' | 'query'>,
  dataset: Dataset,
  count: number,
): Promise<ItemId[]> {
  const ids = dataset.items
    .filter(({ id }) => catalog.has(id))
    .map(({ id }) => id)
    .reverse()
    .slice(0, count);
  const missing = count - ids.length;
  if (missing <= 0) return ids;
  const copies = Array.from({ length: missing }, (_, i): Item => {
    const { id, publishTime = Number(query.now) } = dataset.items[i % dataset.items.length]!;
    const { columns, labels } = dataset.items[i % dataset.items.length]!;
    const copy = typeof id === 'string' ? `copy ${i} of ${id}` : Number.MAX_SAFE_INTEGER - i;
    return {
      ...{ id: copy, publishTime },
      ...(columns ? { columns } : {}),
      ...(labels ? { labels } : {}),
    };
  });
  await catalog.upsert(copies);
  return [...ids, ...copies.map(({ id }) => id)];
}
