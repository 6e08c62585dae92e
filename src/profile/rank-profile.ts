import { Type, type Static } from '@sinclair/typebox';
import { largestWeight } from './rank-settings';

const closed = { additionalProperties: false } as const;

const exposureTargetSchema = Type.Object(
  {
    group: Type.String({
      minLength: 1,
      maxLength: 200,
      description: "One of the catalog's labels, such as `creator`.",
    }),
    value: Type.String({
      minLength: 1,
      maxLength: 200,
      description: 'The value of that label that makes an item one of the group.',
    }),
    share: Type.Number({
      minimum: 0,
      maximum: 1,
      description:
        "The group's share of Σ 1 / log2(position + 2) over the slate, position 0 for the first item.",
    }),
    tolerance: Type.Optional(
      Type.Number({
        minimum: 0,
        maximum: 1,
        description: 'How far the share may lie from `share`, either way. Defaults to 0.02.',
      }),
    ),
  },
  {
    ...closed,
    description:
      'The share of exposure that a group of items is to have. Moves creator exposure, against click-through; a share that cannot be had is given as nearly as can be, and `degraded` says so.',
  },
);

/** The share of a slate's exposure that a group of items is to have. */
export type ExposureTarget = Static<typeof exposureTargetSchema>;

/** The JSON schema of {@link RankProfile}: files, HTTP and types alike come from it. */
export const rankProfileSchema = Type.Object(
  {
    name: Type.Optional(
      Type.String({ minLength: 1, maxLength: 100, description: 'How queries name the profile.' }),
    ),
    extends: Type.Optional(
      Type.String({ description: 'The name of a profile whose settings this one starts from.' }),
    ),
    tauMs: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        description:
          'τ of the decay exp(−age/τ), in milliseconds; τ = half-life / ln 2. Defaults to 124654938 (a half-life of 24 h).',
      }),
    ),
    negativeDots: Type.Optional(
      Type.Union([Type.Literal('decay'), Type.Literal('keep'), Type.Literal('drop')], {
        description:
          'What decay does to a negative dot product: `decay` as the formula says (an old bad item then outranks a new bad one), `keep` leaves it undecayed, `drop` makes it no candidate. Defaults to `decay`.',
      }),
    ),
    retrieval: Type.Optional(
      Type.Union([Type.Literal('exact'), Type.Literal('approximate')], {
        description:
          "How decayed-dot generators search: `approximate` leaves out what is unlikely to hold any of the best, for spaces of `index: 'approximate'` alone. Moves latency, at the price of a few of the best items. Defaults to `exact`.",
      }),
    ),
    retrievalEffort: Type.Optional(
      Type.Number({
        minimum: 0,
        maximum: 1,
        description:
          'How much approximate retrieval looks at: at 1 it finds what the exact one finds, and the less the faster and the fewer. Defaults to 0.35.',
      }),
    ),
    maxCandidates: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 100_000,
        description: 'Candidates kept after the generators are merged. Defaults to 500.',
      }),
    ),
    quotas: Type.Optional(
      Type.Record(Type.String(), Type.Integer({ minimum: 0, maximum: 100_000 }), {
        description:
          'Most candidates by generator name. Generators take turns in proportion to them, so twice the quota is twice the share where `maxCandidates` cuts. Defaults to `maxCandidates` for each.',
      }),
    ),
    maxAgeMs: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        description: 'Oldest age that the maximum-age filter lets pass. Defaults to no limit.',
      }),
    ),
    maxReports: Type.Optional(
      Type.Number({
        minimum: 0,
        description:
          "Decayed reports, at the feed's longest half-life, up to which the eligible filter lets an item pass. Defaults to no limit.",
      }),
    ),
    maxReportRate: Type.Optional(
      Type.Number({
        minimum: 0,
        description:
          "Reports an impression, reports / (impressions + 100) at the feed's longest half-life, up to which the eligible filter lets an item pass. Defaults to no limit.",
      }),
    ),
    maxHideRate: Type.Optional(
      Type.Number({
        minimum: 0,
        description:
          "Hides an impression, hides / (impressions + 100) at the feed's longest half-life, up to which the eligible filter lets an item pass. Defaults to no limit.",
      }),
    ),
    seenAfterImpressions: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 65_535,
        description:
          'Impressions after which an item counts as seen by a reader; 0 means only items that were read. Defaults to 0.',
      }),
    ),
    limit: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 10_000,
        description: 'Items in a slate. Defaults to 50.',
      }),
    ),
    perAuthor: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 2_147_483_647,
        description: 'Most items of one author in a slate; 0 for no cap. Defaults to 0.',
      }),
    ),
    perTopic: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 2_147_483_647,
        description: 'Most items of one topic in a slate; 0 for no cap. Defaults to 0.',
      }),
    ),
    authorSpacing: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 10_000,
        description:
          'Least number of other items between two of one author, where that leaves anything to take; 0 for no spacing. Defaults to 0.',
      }),
    ),
    topicSpacing: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 10_000,
        description:
          'Least number of other items between two of one topic, where that leaves anything to take; 0 for no spacing. Defaults to 0.',
      }),
    ),
    diversity: Type.Optional(
      Type.Number({
        minimum: 0,
        maximum: 1,
        description:
          'Weight w of diversity against score in the selectors `mmr` and `dpp`: 0 is the order of scores, 1 disregards scores. Defaults to 0.3.',
      }),
    ),
    exposure: Type.Optional(
      Type.Array(exposureTargetSchema, {
        maxItems: 8,
        description:
          "Shares of a slate's exposure for groups of items, kept by every native selector of `rank` at the least loss of score. Defaults to none.",
      }),
    ),
    headWeights: Type.Optional(
      Type.Record(Type.String(), Type.Number({ minimum: -largestWeight, maximum: largestWeight }), {
        description:
          "Weights that compose a model's heads into one score. Defaults to the model's own.",
      }),
    ),
    budgetMs: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        description:
          'Milliseconds for a request; what does not fit is left out and named in `degraded`. Defaults to 30, or to what `setDefaults` says.',
      }),
    ),
    budgetPercentile: Type.Optional(
      Type.Number({
        minimum: 50,
        maximum: 99.9,
        description:
          'Percentage of requests that are to be answered within `budgetMs`. Defaults to 99, or to what `setDefaults` says.',
      }),
    ),
    smallerBundle: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 200,
        description:
          "One of the feed's `bundles`, whose ranker takes over where the budget does not fit the feed's own. Defaults to none.",
      }),
    ),
    shadowBundle: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 200,
        description:
          "One of the feed's `bundles`, whose ranker scores the same candidates once the answer is on its way, to be compared in `feed.shadows()`. Changes no answer. Defaults to none.",
      }),
    ),
    maxAnswerAgeMs: Type.Optional(
      Type.Number({
        minimum: 0,
        description:
          "Up to which age, by the query's `now`, the last ranking for the same reader answers `rank` at once while a new one is computed; 0 for never. Moves latency, against freshness. Filters of your own are not asked again for such an answer; with one that fails closed every answer is computed. Defaults to 0.",
      }),
    ),
    stageBudgetMs: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        description:
          "Milliseconds for one of the user's own stages, at most what is left of `budgetMs`. Defaults to `budgetMs`.",
      }),
    ),
  },
  { ...closed, $id: 'RankProfile', description: 'A named, inheritable set of tunables.' },
);

/** A named, inheritable set of tunables; see {@link rankProfileSchema} for each of them. */
export type RankProfile = Static<typeof rankProfileSchema>;
