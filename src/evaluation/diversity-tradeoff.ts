import { Catalog } from '../catalog/catalog';
import type { Dataset, DatasetImpression } from '../data/dataset';
import { FeedrankError, invalidArgument } from '../errors';
import { Feed } from '../feed/feed';
import type { FeedStages } from '../feed/plan';
import type { ItemId } from '../identity';
import type { RankProfile } from '../profile/rank-profile';
import { Bootstrap } from './bootstrap';
import type { MeanInterval } from './bootstrap';
import { SlateDiversity } from './diversity';
import { queryOf } from './impression-query';
import { gradedNdcg } from './metrics';
import { replay, replayCatalogOptions, replayFeedOptions } from './replay';
import { unhurriedBudgetMs } from './unhurried';

const depth = 10;

/** What to compare. */
export interface DiversityTradeoffOptions {
  /** One that knows its true utilities and has embeddings and topics. */
  readonly dataset: Dataset;
  readonly generators: NonNullable<FeedStages['generators']>;
  readonly ranker: FeedStages['ranker'];
  readonly selector: NonNullable<FeedStages['selector']>;
  /** Settings of a request, the first being what the others are compared with. */
  readonly profiles: readonly RankProfile[];
  /** The part of the log whose readers are asked for. Defaults to `validation`. */
  readonly split?: string;
  /** Every how manieth impression's reader is given slates. Defaults to `1`. */
  readonly every?: number;
}

/** What slates of 10 are like under one profile. */
export interface DiversityTradeoff {
  readonly profile: RankProfile;
  /** Mean of 1 − cosine over the pairs of a slate's items. */
  readonly intraList10: MeanInterval;
  /** How many different topics a slate has. */
  readonly topicCoverage10: MeanInterval;
  /** nDCG@10 with true utilities as gains; the ideal takes the best of all published items. */
  readonly utilityNdcg10: MeanInterval;
  /** The same minus those of the first profile, resampled as pairs. */
  readonly change: Readonly<
    Record<'intraList10' | 'topicCoverage10' | 'utilityNdcg10', MeanInterval>
  >;
}

/**
 * Replays a simulated world and gives the readers slates of 10 under several profiles, such as rising
 * weights of diversity: what is gained in diversity, and what it costs in true utility. Intervals
 * are 95% of 1,000 bootstrap resamples of slates (seed 1).
 *
 * @throws {FeedrankError} `INVALID_ARGUMENT` where the dataset does not know its true utilities, has
 * no embeddings or no topics, `STAGE_FAILED` where a stage takes no part, and what {@link Feed.create} and
 * {@link Feed.rank} reject with.
 */
export async function measureDiversityTradeoff(
  options: DiversityTradeoffOptions,
): Promise<DiversityTradeoff[]> {
  const { dataset, generators, ranker, selector, profiles } = options;
  const { split = 'validation', every = 1 } = options;
  const { utility } = dataset;
  const slates = new SlateDiversity(dataset);
  if (!utility) throw lacks(dataset, 'true utilities');
  if (slates.reasons.intraList !== null) throw lacks(dataset, 'embeddings');
  if (slates.reasons.topics !== null) throw lacks(dataset, 'topics');
  if (profiles.length === 0) throw invalidArgument('profiles', 'at least one profile', profiles);
  if (!Number.isSafeInteger(every) || every < 1) {
    throw invalidArgument('every', 'a whole number of at least 1', every);
  }

  const catalog = await Catalog.create(replayCatalogOptions(dataset));
  const feed = await Feed.create({
    ...replayFeedOptions(dataset),
    ...{ catalog, generators, ranker, selector },
  });
  const rows: number[][] = [];
  let asked = 0;
  try {
    await replay({
      ...{ dataset, catalog, feed, split },
      async onImpression(impression) {
        if (impression.split !== split) return;
        asked += 1;
        if ((asked - 1) % every !== 0) return;
        const { userId, at } = impression;
        const pool = dataset.items
          .filter(({ id }) => catalog.has(id))
          .map(({ id }) => utility(userId, id, at));
        const answers = await Promise.all(
          profiles.map((profile) => slateOf(feed, impression, profile)),
        );
        rows.push(
          answers.flatMap((ids) => [
            slates.intraList(ids),
            slates.topicCoverage(ids),
            gradedNdcg(
              ids.map((id) => utility(userId, id, at)),
              pool,
              depth,
            ),
          ]),
        );
      },
    });
  } finally {
    feed.dispose();
    catalog.dispose();
  }
  return summarise(rows, profiles);
}

function lacks(dataset: Dataset, what: string): FeedrankError {
  return new FeedrankError(
    'INVALID_ARGUMENT',
    `dataset: ${dataset.name} has no ${what}`,
    'dataset',
  );
}

async function slateOf(
  feed: Feed,
  impression: DatasetImpression,
  profile: RankProfile,
): Promise<readonly ItemId[]> {
  const slate = await feed.rank({
    ...queryOf(feed, impression),
    limit: depth,
    profile: { budgetMs: unhurriedBudgetMs, ...profile },
  });
  const [degraded] = slate.degraded;
  if (degraded) {
    throw new FeedrankError('STAGE_FAILED', `${degraded.stage} took no part: ${degraded.reason}`);
  }
  return slate.items.map(({ id }) => id);
}

const measures = ['intraList10', 'topicCoverage10', 'utilityNdcg10'] as const;

function summarise(
  rows: readonly (readonly number[])[],
  profiles: readonly RankProfile[],
): DiversityTradeoff[] {
  const bootstrap = new Bootstrap(
    profiles.flatMap((_, index) =>
      measures.map((__, measure) =>
        Float64Array.from(rows, (row) => row[index * measures.length + measure] as number),
      ),
    ),
  );
  return profiles.map((profile, index) => {
    const of = (measure: number): MeanInterval =>
      bootstrap.interval(index * measures.length + measure);
    const change = (measure: number): MeanInterval =>
      bootstrap.difference(index * measures.length + measure, measure);
    return {
      profile,
      intraList10: of(0),
      topicCoverage10: of(1),
      utilityNdcg10: of(2),
      change: {
        intraList10: change(0),
        topicCoverage10: change(1),
        utilityNdcg10: change(2),
      },
    };
  });
}
