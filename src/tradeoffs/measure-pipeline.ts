import type { Bundle } from '../bundles/bundle';
import { Catalog } from '../catalog/catalog';
import type { Dataset, DatasetImpression } from '../data/dataset';
import { FeedrankError } from '../errors';
import { queryOf } from '../evaluation/impression-query';
import { inView, publishTimesOf } from '../evaluation/ranked-impressions';
import { replay, replayCatalogOptions, replayFeedOptions } from '../evaluation/replay';
import type { RankedImpression } from '../evaluation/group-metrics';
import { unhurriedBudgetMs } from '../evaluation/unhurried';
import { Feed } from '../feed/feed';
import type { FeedStages } from '../feed/plan';
import type { Slate } from '../feed/slate';
import type { RankProfile } from '../profile/rank-profile';
import { decayedDot, fresh, trending } from '../stages/native-generators';
import { mmr, topN } from '../stages/native-selectors';
import { decayedDotRanker, torchScript, weightedSum } from '../stages/native-stages';
import { throwIfAborted } from '../training/throw-if-aborted';
import { candidateCounts, diversityWeights, tauHours } from './family';

const hourMs = 3_600_000;

/** Of the pipeline where nothing else is said. */
export const pipelineCandidates = 500;
export const pipelineDiversity = 0.3;

/** The variant that answers from an earlier ranking while the next one is computed. */
export const cachedId = 'cached';
const cachedMinutes = 10;

/** One way to run the pipeline. */
export interface PipelineVariant {
  readonly id: string;
  readonly title: string;
  readonly profile: RankProfile;
  /** Whether the ranker is left out, for which the newest come first. */
  readonly withoutRanker?: boolean;
}

/** What the replay of a part of the log gave. */
export interface PipelineMeasurement {
  /** Lists in view as the whole pipeline ordered them, by variant. */
  readonly ranked: Readonly<Record<string, RankedImpression[]>>;
  /** Milliseconds from call to answer, by variant. */
  readonly times: Readonly<Record<string, number[]>>;
  /** All lists in view as decayed dot products order them, by τ in hours. */
  readonly byTau: Readonly<Record<string, RankedImpression[]>>;
  /** Requests that were answered from an earlier ranking. */
  readonly fromCache: number;
}

/** What the pipeline runs on. */
export interface PipelineOptions {
  readonly dataset: Dataset;
  /** What ranks. */
  readonly bundle: Bundle;
  /** Whose space stands in for embeddings that the dataset lacks. */
  readonly towers: Bundle | undefined;
  readonly split: string;
  readonly lagMs: number;
  /** Readers whose lists are measured on the pipeline. */
  readonly isMeasured: (impression: DatasetImpression) => boolean;
  readonly variants: readonly PipelineVariant[];
  readonly signal: AbortSignal | undefined;
  readonly onProgress: (impressions: number) => void;
}

/** The replay's end, with a feed that knows all of it. */
export interface ReplayedFeed {
  readonly catalog: Catalog;
  readonly feed: Feed;
  readonly stages: Omit<FeedStages, 'ranker'>;
  /** Of the last impression. */
  readonly query: ReturnType<typeof queryOf>;
}

/** The embedding space that decayed dot products are taken in; undefined where there is none. */
export function spaceOf(dataset: Dataset, towers: Bundle | undefined): string | undefined {
  return Object.keys(dataset.spaces)[0] ?? towers?.towers?.space.name;
}

/** What finds candidates and chooses among them, on any dataset. */
export function pipelineStages(
  dataset: Dataset,
  towers: Bundle | undefined,
): Omit<FeedStages, 'ranker'> {
  const space = spaceOf(dataset, towers);
  const hasTopics = dataset.items.some(({ topics }) => (topics ?? []).length > 0);
  const dots = space === undefined ? [] : [decayedDot({ space })];
  const diverse = space === undefined ? topN() : mmr({ space });
  return {
    generators: [trending(), fresh(), ...dots],
    selector: hasTopics ? mmr({ by: 'topics' }) : diverse,
  };
}

/** The variant that ranks so many candidates. */
export function candidatesVariant(count: number): string {
  return `candidates-${count}`;
}

/** The variant of a weight of diversity, which is the plain one for the weight that it has. */
export function diversityVariant(weight: number): string {
  return weight === pipelineDiversity
    ? candidatesVariant(pipelineCandidates)
    : `diversity-${weight}`;
}

/** Settings whose curves and absence the report shows. */
export function pipelineVariants(stages: Omit<FeedStages, 'ranker'>): PipelineVariant[] {
  const settings = {
    ...{ budgetMs: unhurriedBudgetMs, diversity: pipelineDiversity },
    ...{ maxCandidates: pipelineCandidates, limit: pipelineCandidates },
  };
  const names = (stages.generators ?? []).map(({ name }) => name);
  return [
    ...candidateCounts.map((count) => ({
      id: candidatesVariant(count),
      title: `${count} candidates`,
      profile: { ...settings, maxCandidates: count, limit: count },
    })),
    ...diversityWeights
      .filter((diversity) => diversity !== pipelineDiversity)
      .map((diversity) => ({
        id: diversityVariant(diversity),
        title: `diversity ${diversity}`,
        profile: { ...settings, diversity },
      })),
    ...names.map((name) => ({
      id: `without-${name}`,
      title: `without ${name}`,
      profile: { ...settings, quotas: { [name]: 0 } },
    })),
    {
      id: cachedId,
      title: `answers up to ${cachedMinutes} min old`,
      profile: { ...settings, maxAnswerAgeMs: cachedMinutes * 60_000 },
    },
    {
      id: 'without-ranker',
      title: 'newest first',
      profile: settings,
      withoutRanker: true,
    },
  ];
}

/**
 * Replays the log once and gives every variant the same requests at the same states; then hands the
 * feed as it is at the end to `atEnd`, before it is disposed of.
 */
export async function measurePipeline<T>(
  options: PipelineOptions,
  atEnd: (replayed: ReplayedFeed) => Promise<T>,
): Promise<PipelineMeasurement & { readonly end: T }> {
  const { dataset, bundle, towers, split, lagMs, variants, signal } = options;
  const catalog = await Catalog.create(replayCatalogOptions(dataset, towers?.towers));
  const stages = pipelineStages(dataset, towers);
  const shared = { catalog, ...stages, ...(towers?.towers ? { towers: towers.towers } : {}) };
  const feed = await Feed.create({
    ...shared,
    ...replayFeedOptions(dataset),
    ranker: torchScript(bundle.ranker!, { failClosed: true }),
  });
  const space = spaceOf(dataset, towers);
  const others: Feed[] = [];
  const attach = async (ranker: FeedStages['ranker']): Promise<Feed> => {
    const other = await Feed.attach(feed.handle(), { ...shared, ranker });
    others.push(other);
    return other;
  };
  const publishTimes = publishTimesOf(dataset);
  const ranked = Object.fromEntries(variants.map(({ id }) => [id, [] as RankedImpression[]]));
  const times = Object.fromEntries(variants.map(({ id }) => [id, [] as number[]]));
  const byTau: Record<string, RankedImpression[]> = {};
  let fromCache = 0;
  try {
    const newest = await attach(weightedSum({ age: -1 }, { failClosed: true }));
    const dots =
      space === undefined ? undefined : await attach(decayedDotRanker({ space, failClosed: true }));
    if (dots) for (const hours of tauHours) byTau[hours] = [];
    let last: DatasetImpression | undefined;
    await replay({
      ...{ dataset, catalog, feed, split, lagMs },
      ...(towers?.towers ? { towers: towers.towers } : {}),
      async onImpression(impression) {
        throwIfAborted(signal);
        const { itemIds, clickedIds } = impression;
        if (impression.split !== split) return;
        last = impression;
        if (clickedIds.length === 0 || clickedIds.length === itemIds.length) return;
        const query = queryOf(feed, impression);
        const take = (to: RankedImpression[], slate: Slate): void => {
          to.push(inView(dataset, impression, slate.items, publishTimes));
        };
        if (dots) {
          for (const hours of tauHours) {
            const profile = { budgetMs: unhurriedBudgetMs, tauMs: hours * hourMs };
            take(byTau[hours]!, whole(await dots.rerank({ ...query, profile }, itemIds)));
          }
        }
        if (!options.isMeasured(impression)) return;
        for (const { id, profile, withoutRanker } of variants) {
          const slate = whole(await (withoutRanker ? newest : feed).rank({ ...query, profile }));
          take(ranked[id]!, slate);
          times[id]!.push(slate.trace.totalMs);
          if (slate.answerAgeMs !== undefined) fromCache += 1;
        }
      },
      onProgress: options.onProgress,
    });
    const query = queryOf(feed, last!);
    return { ranked, times, byTau, fromCache, end: await atEnd({ catalog, feed, stages, query }) };
  } finally {
    for (const other of others) other.dispose();
    feed.dispose();
    catalog.dispose();
  }
}

/** A reader without a vector goes without dot products; anything else that is missing is a fault. */
function whole(slate: Slate): Slate {
  const fault = slate.degraded.find(({ reason }) => reason !== 'no user vector');
  if (fault === undefined) return slate;
  throw new FeedrankError('STAGE_FAILED', `${fault.stage} took no part: ${fault.reason}`);
}
