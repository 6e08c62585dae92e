/**
 * feedrank ranks news feeds inside a Node process.
 * @packageDocumentation
 */
export { Bundle, type BundleOpenOptions } from './bundles/bundle';
export type {
  BundleManifest,
  GoldenVectors,
  RankerManifest,
  TensorSchema,
  TowersManifest,
} from './bundles/manifest';
export {
  Catalog,
  type CatalogHandle,
  type CatalogOptions,
  type MeasuredRecall,
  type MeasureRecallOptions,
  type RetrievedItems,
  type RetrieveOptions,
  type SpaceOptions,
} from './catalog/catalog';
export type { Item } from './catalog/item';
export type {
  Dataset,
  DatasetImpression,
  DatasetItem,
  HistoryRead,
  ImpressionOutcome,
  MalformedRows,
  ReaderHistory,
} from './data/dataset';
export { openDataset, type DatasetSource } from './data/open-dataset';
export { errorCodes, FeedrankError, type ErrorCode } from './errors';
export type { MeanInterval } from './evaluation/bootstrap';
export type { Calibration as MeasuredCalibration } from './evaluation/calibration';
export {
  measureDiversityTradeoff,
  type DiversityTradeoff,
  type DiversityTradeoffOptions,
} from './evaluation/diversity-tradeoff';
export { evaluate, type Evaluation } from './evaluation/evaluate';
export type { EvaluateOptions, EvaluationMode } from './evaluation/evaluate-options';
export type { ChanceLevel } from './evaluation/disparity-by-chance';
export type { GroupMetrics, GroupValueMetrics } from './evaluation/group-metrics';
export type { Machine } from './evaluation/machine';
export { measureRecall, type Recall, type RecallOptions } from './evaluation/recall';
export {
  replay,
  replayCatalogOptions,
  replayFeedOptions,
  replayLatenessMs,
  type ReplayOptions,
  type ReplaySummary,
} from './evaluation/replay';
export { builtInFeatures, type FeatureSegments } from './features/built-in-features';
export type { FeatureDefinition, FeatureSource, ReferenceSet } from './features/feature';
export type { BundleSwap, SwapOptions } from './feed/bundle-swap';
export type { CoReadOptions, EngagementOptions } from './feed/engagement-options';
export type { FeedEvent, RecordResult } from './feed/event';
export type { Explanation, SourcePosition, StagePosition } from './feed/explanation';
export { Feed } from './feed/feed';
export type {
  AssembledFeatures,
  FeedHandle,
  FeedOptions,
  FeedRanking,
  FeedSettings,
} from './feed/feed-options';
export type { FeedStages } from './feed/plan';
export type { AuthorsAndTopics, Query } from './feed/query';
export { renderExplanation } from './feed/render-explanation';
export { renderTrace } from './feed/render-trace';
export type { Segments } from './feed/segmentation';
export {
  Slate,
  type CandidateSource,
  type Degradation,
  type SlateBundle,
  type SlateItem,
  type SlateJson,
  type Trace,
} from './feed/slate';
export type { LatencyPercentiles, ShadowReport } from './feed/shadows';
export type {
  GroupComparison,
  SliceComparison,
  SliceFigures,
  SliceGaps,
  Slices,
} from './feed/slices';
export type { ItemId, UserId } from './identity';
export type { Instant } from './instant';
export type { TowerItem } from './models/encode-tower-items';
export { Model, type ModelLoadOptions } from './models/model';
export type { ModelDescription } from './models/model-description';
export type { Precision } from './models/precision';
export { saveScriptedNetwork, type ScriptedNetwork } from './models/scripted-network';
export { Towers, type TowerSpace, type TowersLoadOptions, type TowersParts } from './models/towers';
export type { TowersDescription } from './models/towers-description';
export type { ExposureTarget, RankProfile } from './profile/rank-profile';
export { tauOfHalfLife, type RankSettings } from './profile/rank-settings';
export { setDefaults, type ProcessDefaults } from './process-defaults';
export { configure, runtimeStatus, type RuntimeOptions, type RuntimeStatus } from './runtime';
export type { BudgetTrace, StageTrace } from './stage-trace';
export type { CandidateBatch } from './stages/candidate-batch';
export type { ColumnCondition, Condition, NameCondition } from './stages/condition';
export {
  blocked,
  eligible,
  maximumAge,
  muted,
  seen,
  where,
  type EligibleOptions,
} from './stages/native-filters';
export {
  coRead,
  decayedDot,
  followed,
  fresh,
  trending,
  type TrendingCounter,
  type TrendingOptions,
} from './stages/native-generators';
export { dpp, mmr, topN, type DiversityOptions } from './stages/native-selectors';
export {
  decayedDotRanker,
  nativeFeatures,
  torchScript,
  weightedSum,
  type NativeStage,
  type NativeStageOptions,
  type RankerOptions,
  type StageOf,
} from './stages/native-stages';
export type {
  CandidateGenerator,
  FeatureEnricher,
  Filter,
  GeneratedCandidates,
  RankedCandidates,
  Ranker,
  Selector,
  StageContext,
} from './stages/stage';
export { train, type TrainingResult } from './training/train';
export type {
  Calibration,
  FairnessMeasure,
  FairnessOptions,
  NetworkOptions,
  PruningMethod,
  PruningOptions,
  RankingLoss,
  TowerOptions,
  TrainOptions,
} from './training/train-options';
export type { EpochProgress, Training, TrainingProgress } from './training/training';
export { trainTwoTowers } from './training/train-two-towers';
export type { TowersGolden } from './models/towers-golden';
export type { TwoTowerProgress, TwoTowerTrainingOptions } from './training/two-tower-options';
export type { TrainedTowers } from './training/two-tower-training';
export { chooseRow, type ChosenRow } from './tradeoffs/choose-row';
export type {
  AblationRow,
  Curve,
  CurvePoint,
  Latency,
  LoadRow,
  Price,
  TradeoffKind,
  TradeoffReport,
  TradeoffRow,
} from './tradeoffs/report';
export { measureTradeoffs } from './tradeoffs/tradeoffs';
export type { TradeoffsOptions } from './tradeoffs/tradeoffs-options';
export type { UserVector } from './user-vector';
