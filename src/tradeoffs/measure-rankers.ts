import { Bundle } from '../bundles/bundle';
import type { Dataset } from '../data/dataset';
import type { FeedrankError } from '../errors';
import type { FeedStages } from '../feed/plan';
import { decayedDotRanker, torchScript, weightedSum } from '../stages/native-stages';
import type { Precision } from '../models/precision';
import { scoreLists } from '../training/score-lists';
import type { TrainingData } from '../training/training-data';
import { roundedMembers } from './family';
import type { TrainedMember } from './family';
import { measureLatency } from './measure-latency';
import type { Latencies } from './measure-latency';
import type { ReplayedFeed } from './measure-pipeline';
import type { Quality, ReplayedLists } from './replayed-lists';
import type { TradeoffKind } from './report';
import { bundleFolder } from './train-family';

/** A ranker, what it is worth and what it takes. */
export interface MeasuredRanker extends Latencies {
  readonly kind: TradeoffKind;
  readonly title: string;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly quality: Quality;
  /** Of each item of each list, list after list. */
  readonly scores: Float64Array;
  readonly flops: number | null;
  readonly bytes: number;
}

/** What rankers are measured on. */
export interface RankersOptions {
  readonly replayed: ReplayedFeed;
  readonly dataset: Dataset;
  readonly data: TrainingData;
  readonly lists: ReplayedLists;
  readonly bundles: string;
  readonly members: readonly TrainedMember[];
  readonly space: string | undefined;
  /** Requests of each number of candidates that each ranker answers. */
  readonly rounds: number;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: (share: number) => void;
}

type Untimed = Omit<MeasuredRanker, keyof Latencies>;

/** Every ranker but for decayed dot products' worth, by id; and why some could not be measured. */
export async function measureRankers(options: RankersOptions): Promise<{
  readonly rankers: Record<string, MeasuredRanker>;
  /** Of decayed dot products, where there is a space. */
  readonly decayedDot: Latencies | undefined;
  readonly unavailable: Record<string, string>;
}> {
  const { replayed, dataset, data, lists, space, rounds, signal } = options;
  const untimed: Record<string, Untimed> = {};
  const stages: Record<string, FeedStages['ranker']> = {};
  const unavailable: Record<string, string> = {};
  const timedAs = new Map<string, string>();
  const twins: Record<string, string> = {};
  const opened: Bundle[] = [];
  try {
    for (const { id, of, ...ranker } of trainedRankers(options)) {
      const folder = bundleFolder(options.bundles, of);
      let bundle: Bundle;
      try {
        bundle = await Bundle.open(folder, { precision: ranker.precision });
      } catch (error) {
        if ((error as FeedrankError).code !== 'PRECISION_UNAVAILABLE') throw error;
        unavailable[id] = (error as Error).message;
        continue;
      }
      opened.push(bundle);
      const model = bundle.ranker!;
      if (ranker.kind !== 'ablation') {
        // Networks of one shape take the same time, which is measured once.
        const shape = JSON.stringify([ranker.hidden, ranker.precision, model.description.features]);
        const like = timedAs.get(shape) ?? id;
        timedAs.set(shape, like);
        twins[id] = like;
        if (like === id) stages[id] = torchScript(model, { failClosed: true });
      }
      const scores = await scoreLists(model, data, id, signal);
      untimed[id] = {
        kind: ranker.kind,
        title: ranker.title,
        settings: { ...ranker.settings, bundle: of, precision: ranker.precision },
        quality: lists.quality(scores),
        scores,
        flops: ranker.hidden && flopsOf(model.description.features.length, ranker.hidden, model),
        bytes: bundle.manifest.files[bundle.manifest.ranker!.file]!.bytes,
      };
    }
    for (const [id, { feature, weight }] of Object.entries(baselines)) {
      const scores = columnOf(data, feature, weight);
      if (scores === undefined) continue;
      stages[id] = weightedSum({ [feature]: weight }, { failClosed: true });
      untimed[id] = {
        ...{ kind: id as TradeoffKind, title: id, settings: { weights: { [feature]: weight } } },
        ...{ quality: lists.quality(scores), scores, flops: null, bytes: 0 },
      };
    }
    if (space !== undefined) stages['decayed-dot'] = decayedDotRanker({ space, failClosed: true });
    const latencies = await measureLatency(replayed, stages, dataset, {
      ...{ rounds, signal },
      onProgress: (done) => options.onProgress(done / rounds),
    });
    return {
      rankers: Object.fromEntries(
        Object.entries(untimed).map(([id, ranker]) => [
          id,
          { latencyMs: {}, rankerMs: {}, ...ranker, ...latencies[twins[id] ?? id] },
        ]),
      ),
      decayedDot: latencies['decayed-dot'],
      unavailable,
    };
  } finally {
    for (const bundle of opened) bundle.dispose();
  }
}

/** Rankers that are one feature each. */
const baselines = {
  popularity: { feature: 'clicks_12h', weight: 1 },
  fresh: { feature: 'age', weight: -1 },
} as const;

interface RankerOfBundle extends Pick<Untimed, 'kind' | 'title' | 'settings'> {
  readonly id: string;
  /** The bundle. */
  readonly of: string;
  readonly precision: Precision;
  readonly hidden: readonly number[] | null;
}

function trainedRankers({ members }: RankersOptions): RankerOfBundle[] {
  const trained = members.flatMap(({ id, kind, title, settings, teacher, prunings = [] }) => {
    const hidden = settings.network?.hidden ?? [128, 64];
    const common = { precision: 'float32' as const };
    const own = { ...settings, ...(teacher === undefined ? {} : { teacher }) };
    return [
      { ...common, id, of: id, kind, title, settings: own, hidden },
      ...prunings.map(({ id: prunedId, title: prunedTitle, pruning }) => ({
        ...{ ...common, id: prunedId, of: prunedId, kind: 'pruned' as const, title: prunedTitle },
        settings: { ...own, pruning },
        hidden:
          pruning.method === 'structured'
            ? hidden.map((width) => Math.max(1, Math.round(width * pruning.keep)))
            : hidden,
      })),
    ];
  });
  const byId = new Map(trained.map((ranker) => [ranker.id, ranker]));
  const rounded = roundedMembers.map(({ id, kind, title, of, precision }) => ({
    ...{ ...byId.get(of)!, id, kind, title, precision },
  }));
  return [...trained, ...rounded];
}

/** Multiplications and additions of the linear layers, for one row. */
function flopsOf(
  features: number,
  hidden: readonly number[],
  { heads }: { readonly heads: readonly string[] },
): number {
  // A head that is a calibration of the first is looked up, not multiplied.
  const outputs = heads.filter((name) => name !== 'click_probability').length;
  const widths = [features, ...hidden, outputs];
  return widths.slice(1).reduce((sum, width, i) => sum + 2 * width * widths[i]!, 0);
}

function columnOf(data: TrainingData, feature: string, weight: number): Float64Array | undefined {
  const column = data.features.findIndex(({ name }) => name === feature);
  if (column < 0) return undefined;
  const width = data.features.length;
  return Float64Array.from(
    data.rows.flatMap((values) =>
      Array.from(
        { length: values.length / width },
        (_, row) => weight * values[row * width + column]!,
      ),
    ),
  );
}
