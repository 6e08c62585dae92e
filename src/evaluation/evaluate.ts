import { Catalog } from '../catalog/catalog';
import { splitsUpTo } from '../data/dataset';
import type { Dataset, DatasetImpression } from '../data/dataset';
import { openDataset } from '../data/open-dataset';
import { FeedrankError } from '../errors';
import { Feed } from '../feed/feed';
import type { Slate } from '../feed/slate';
import { decayedDot, fresh, trending } from '../stages/native-generators';
import { checkAgainst, resolveOptions } from './evaluate-options';
import type { EvaluateOptions, EvaluationMode, ResolvedOptions } from './evaluate-options';
import type { GroupMetrics, RankedImpression } from './group-metrics';
import { queryOf } from './impression-query';
import { compareGroups, inView, publishTimesOf } from './ranked-impressions';
import { describeMachine } from './machine';
import type { Machine } from './machine';
import { createRanker } from './rankers';
import type { EvaluatedRanker } from './rankers';
import { summarise } from './ranking-metrics';
import type { RankingMetrics } from './ranking-metrics';
import { replay, replayCatalogOptions, replayFeedOptions } from './replay';
import { unhurriedBudgetMs } from './unhurried';

/** How well a ranker orders what readers had in view. */
export interface Evaluation extends RankingMetrics {
  readonly dataset: string;
  readonly split: string;
  readonly ranker: string;
  readonly mode: EvaluationMode;
  /** ISO 8601; `null` for the start of the split. */
  readonly from: string | null;
  /** ISO 8601; `null` for the end of the split. */
  readonly to: string | null;
  /** Impressions that were measured: those with a clicked and an unclicked item. */
  readonly impressions: number;
  /** Different items that were shown in the replay although the dataset does not list them. */
  readonly unknownItems: number;
  /** Rows that were left out; there only where malformed rows are skipped. */
  readonly malformedRows?: number;
  /** Share of clicked items that the pipeline found; there only in mode `rank`. */
  readonly clickedItemsFound?: number;
  readonly groups: Readonly<Record<string, GroupMetrics>>;
  /** Wall-clock time of the whole evaluation. */
  readonly seconds: number;
  readonly machine: Machine;
}

/** Candidates of a whole-pipeline ranking, as many as a default profile keeps. */
const rankLimit = 500;

/**
 * Replays a dataset causally through one feed and measures a ranker on it: AUC, MRR, nDCG@5 and
 * nDCG@10 per impression, averaged, with intervals of 1,000 bootstrap resamples of impressions
 * (seed 1). Beside them stand the diversity of the slates' first 10 items, nDCG@10 weighted with
 * reading time and, on simulated data, against the true utilities. Impressions in which nothing or everything was clicked are replayed but not measured.
 *
 * @throws {FeedrankError} `INVALID_ARGUMENT`, `DATA_MISSING`, `DATA_MALFORMED`,
 * `EMBEDDINGS_MISSING`, `STAGE_FAILED` where the ranker fails, and what loading a model throws.
 */
export async function evaluate(options: EvaluateOptions): Promise<Evaluation> {
  const started = performance.now();
  const resolved = resolveOptions(options);
  const dataset = await open(options);
  checkAgainst(dataset, resolved);
  const ranker = await createRanker(options.ranker, dataset, resolved.seed);
  try {
    const { measured, found, unknownItems } = await rankAll(dataset, ranker, resolved, options);
    if (measured.length === 0) throw nothingMeasured(dataset, resolved);
    return {
      dataset: dataset.name,
      split: resolved.split,
      ranker: ranker.name,
      mode: resolved.mode,
      from: toIso(resolved.from),
      to: toIso(resolved.to),
      impressions: measured.length,
      unknownItems,
      ...(options.malformed === 'skip' ? { malformedRows: dataset.malformedRows } : {}),
      ...(resolved.mode === 'rank' ? { clickedItemsFound: found } : {}),
      ...summarise(dataset, measured),
      groups: compareGroups(dataset, measured, resolved.groups),
      seconds: (performance.now() - started) / 1000,
      machine: describeMachine(),
    };
  } finally {
    ranker.dispose();
  }
}

async function open({ dataset, ...source }: EvaluateOptions): Promise<Dataset> {
  if (typeof dataset === 'object' && dataset !== null) return dataset;
  return openDataset({ ...source, dataset });
}

async function rankAll(
  dataset: Dataset,
  ranker: EvaluatedRanker,
  { split, from, to, lagMs, mode }: ResolvedOptions,
  { onProgress }: EvaluateOptions,
): Promise<{ measured: RankedImpression[]; found: number; unknownItems: number }> {
  const catalog = await Catalog.create(replayCatalogOptions(dataset));
  const feed = await Feed.create({
    catalog,
    generators: [trending(), fresh(), ...Object.keys(dataset.spaces).map(decayedDotIn)],
    ranker: ranker.ranker,
    profile: { maxCandidates: rankLimit, limit: rankLimit, budgetMs: unhurriedBudgetMs },
    ...replayFeedOptions(dataset),
  });
  const publishTimes = publishTimesOf(dataset);
  const measured: RankedImpression[] = [];
  let clicks = 0;
  let found = 0;
  const isMeasured = ({ at, itemIds, clickedIds, ...impression }: DatasetImpression): boolean =>
    impression.split === split &&
    at >= from &&
    at < to &&
    clickedIds.length > 0 &&
    clickedIds.length < itemIds.length;
  try {
    const total = splitsUpTo(dataset, split).reduce((sum, part) => sum + part.impressions, 0);
    const { unknownItems } = await replay({
      dataset,
      catalog,
      feed,
      split,
      lagMs,
      async onImpression(impression) {
        if (!isMeasured(impression)) return;
        const slate = await rank(feed, impression, mode, ranker.saysProbabilities);
        const ranked = inView(dataset, impression, slate.items, publishTimes);
        measured.push(ranked);
        ranked.clicked.forEach((isClicked, position) => {
          clicks += Number(isClicked);
          found += Number(isClicked && ranked.scores[position] !== -Infinity);
        });
      },
      onProgress: (impressions) => onProgress?.(impressions, total),
    });
    return { measured, found: found / clicks, unknownItems };
  } finally {
    feed.dispose();
    catalog.dispose();
  }
}

function decayedDotIn(space: string): ReturnType<typeof decayedDot> {
  return decayedDot({ space, name: `decayed-dot ${space}` });
}

async function rank(
  feed: Feed,
  impression: DatasetImpression,
  mode: EvaluationMode,
  explain: boolean,
): Promise<Slate> {
  const { itemIds } = impression;
  const query = { ...queryOf(feed, impression), explain };
  const slate = await (mode === 'rerank' ? feed.rerank(query, itemIds) : feed.rank(query));
  const [degraded] = slate.degraded;
  if (degraded) {
    throw new FeedrankError('STAGE_FAILED', `${degraded.stage} took no part: ${degraded.reason}`);
  }
  return slate;
}

function toIso(at: number): string | null {
  return Number.isFinite(at) ? new Date(at).toISOString() : null;
}

function nothingMeasured(dataset: Dataset, { split, from, to }: ResolvedOptions): FeedrankError {
  const what = `split ${split} of ${dataset.name} has no impression with clicked and unclicked items`;
  if (toIso(from) === null && toIso(to) === null) {
    return new FeedrankError('DATA_MALFORMED', what, 'split');
  }
  const range = `from ${toIso(from) ?? 'its start'} to ${toIso(to) ?? 'its end'}`;
  return new FeedrankError('INVALID_ARGUMENT', `from: ${what} ${range}`, 'from');
}
