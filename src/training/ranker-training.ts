import { binding } from '../binding';
import { FeedrankError, fromNative } from '../errors';
import type { MeanInterval } from '../evaluation/bootstrap';
import type { metricNames } from '../evaluation/metrics';
import type { FeatureDefinition } from '../features/feature';
import { runtimeStatus } from '../runtime';
import type {
  NativeRankerTrainer,
  NativeRankerTrainingOptions,
  NativeRankingLists,
} from '../training-binding';
import { fitCalibration } from './click-calibration';
import { intervalMetrics, meanMetrics } from './list-metrics';
import type { FairnessOptions, PruningOptions, RankerOptions } from './train-options';
import type { EpochProgress } from './training';
import { toNativeLists, varyingFeatures, type TrainingData } from './training-data';
import { whenThereIsRoom } from './when-there-is-room';

/** A trained ranker, ready to be written. */
export interface TrainedRanker {
  /** Of the TorchScript file. */
  readonly bytes: Buffer;
  /** Its columns, in order. */
  readonly features: readonly FeatureDefinition[];
  readonly heads: readonly { readonly name: string; readonly weight: number }[];
  /** Rows of the data and what the networks made of them, for the check at load. */
  readonly golden: { readonly inputs: number[][]; readonly outputs: number[][] };
  /** Of the held-out tail, by the networks that did not learn from it. */
  readonly validation: Readonly<Record<(typeof metricNames)[number], MeanInterval>>;
  /** Passes that were best, one a network. */
  readonly epochs: readonly number[];
  /** Rows that were learnt from in all passes. */
  readonly examples: number;
}

/** The best network of a training so far. */
export interface Checkpoint extends Pick<TrainedRanker, 'bytes' | 'features' | 'heads'> {
  /** 1 for the first. */
  readonly member: number;
  /** Passes done. */
  readonly epoch: number;
}

export interface RankerTrainingOptions {
  readonly options: RankerOptions;
  /** A teacher's score of each row. */
  readonly teacherScores?: Float32Array | undefined;
  /** Which of the data's features the ranker may read. Defaults to all. */
  readonly reads?: (feature: FeatureDefinition) => boolean;
  readonly fairness?:
    (FairnessOptions & { readonly measure: 'pairwise' | 'disparity' }) | undefined;
  readonly seed: number;
  readonly threads?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (progress: EpochProgress) => void;
  /** Called with each network that is the best of its training so far. */
  readonly onCheckpoint?: (checkpoint: Checkpoint) => Promise<void>;
}

/** Long enough to be worth a job, short enough that requests beside it hardly wait. */
const stepMs = 30;

const goldenRows = 16;

/** Networks of one shape and training, one a member. */
interface Networks {
  /** Those that did not learn from the tail, and for how many passes they learnt. */
  readonly heldOut: readonly Fit[];
  readonly final: readonly NativeRankerTrainer[];
}

interface Fit {
  readonly trainer: NativeRankerTrainer;
  readonly epochs: number;
}

/** How networks are fitted. */
interface FitOptions {
  readonly stage: 'held-out' | 'refit';
  /** List that the data which is learnt from ends before. */
  readonly endList: number;
  readonly passes: number;
  /** Pruned from another network. */
  readonly pruned?: { readonly start: NativeRankerTrainer; readonly by: Required<PruningOptions> };
}

/**
 * Trains the networks of a ranker: each without the latest lists, for as many passes as those say
 * are best, and then on everything.
 *
 * @throws {FeedrankError} `TRAINING_DIVERGED`, `ABORTED`, `INVALID_ARGUMENT`
 */
export async function trainRanker(
  data: TrainingData,
  training: RankerTrainingOptions,
): Promise<TrainedRanker> {
  const { pruning } = training.options;
  const rankers = await trainPrunedRankers(data, training, pruning ? [pruning] : []);
  return rankers.at(-1)!;
}

/** The ranker as {@link trainRanker} trains it without pruning, and one for each way to prune it. */
export async function trainPrunedRankers(
  data: TrainingData,
  training: RankerTrainingOptions,
  prunings: readonly Required<PruningOptions>[],
): Promise<TrainedRanker[]> {
  const { reads = () => true } = training;
  const columns = varyingFeatures(data).filter((column) => reads(data.features[column]!));
  const native = await toNativeLists(data, columns);
  return new RankerTraining(data, columns, native, training).run(prunings);
}

class RankerTraining {
  readonly #data: TrainingData;
  readonly #training: RankerTrainingOptions;
  readonly #columns: readonly number[];
  readonly #heads: readonly string[];
  readonly #native: NativeRankingLists;
  /** Number of lists before the tail. */
  readonly #head: number;
  #examples = 0;

  constructor(
    data: TrainingData,
    columns: readonly number[],
    native: NativeRankingLists,
    training: RankerTrainingOptions,
  ) {
    this.#data = data;
    this.#training = training;
    this.#columns = columns;
    this.#native = native;
    const { dwellLossWeight, tailShare } = training.options;
    const reads = data.lists.some(({ dwellSeconds }) => !Number.isNaN(dwellSeconds));
    this.#heads = dwellLossWeight > 0 && reads ? ['click', 'dwell'] : ['click'];
    // One list alone is both what is learnt from and what is looked at.
    const count = data.lists.length;
    this.#head = Math.max(1, Math.min(count - 1, Math.round(count * (1 - tailShare))));
  }

  async run(prunings: readonly Required<PruningOptions>[]): Promise<TrainedRanker[]> {
    const whole = await this.#networks();
    const rankers = [await this.#finish(whole)];
    for (const pruning of prunings) {
      rankers.push(await this.#finish(await this.#networks({ from: whole, by: pruning })));
    }
    return rankers;
  }

  /** New networks, or such as are pruned from others and learn on. */
  async #networks(pruned?: {
    readonly from: Networks;
    readonly by: Required<PruningOptions>;
  }): Promise<Networks> {
    const { options } = this.#training;
    const passes = pruned?.by.epochs ?? options.epochs;
    const startOf = (start: NativeRankerTrainer | undefined): Pick<FitOptions, 'pruned'> =>
      pruned === undefined ? {} : { pruned: { start: start!, by: pruned.by } };
    const heldOut = await this.#members((member) =>
      this.#fit(member, {
        stage: 'held-out',
        endList: this.#head,
        passes,
        ...startOf(pruned?.from.heldOut[member]?.trainer),
      }),
    );
    if (!options.refit) return { heldOut, final: heldOut.map(({ trainer }) => trainer) };
    const final = await this.#members((member) =>
      this.#fit(member, {
        stage: 'refit',
        endList: this.#data.lists.length,
        passes: heldOut[member]!.epochs,
        ...startOf(pruned?.from.final[member]),
      }),
    );
    return { heldOut, final: final.map(({ trainer }) => trainer) };
  }

  get #tail(): { readonly first: number; readonly end: number } {
    const end = this.#data.lists.length;
    return { first: Math.min(this.#head, end - 1), end };
  }

  async #finish({ heldOut, final: trainers }: Networks): Promise<TrainedRanker> {
    const { options } = this.#training;
    const tail = this.#tail;
    const scored = await Promise.all(heldOut.map(({ trainer }) => this.#score(trainer, tail)));
    const tailScores = this.#composed(average(scored));
    const calibration = fitCalibration(options.calibration, {
      // The probability goes by what the head `click` says, whatever else the score is made of.
      scores: column(average(scored), 0, this.#heads.length),
      clicked: this.#data.lists.slice(tail.first).flatMap(({ clicked }) => clicked),
    });
    const bytes = await this.#job(() => binding().exportRanker({ trainers, calibration }));
    return {
      bytes,
      ...this.#description(calibration.kind !== 'none'),
      golden: await this.#golden(trainers),
      validation: intervalMetrics(this.#data.lists.slice(tail.first), tailScores),
      epochs: heldOut.map(({ epochs }) => epochs),
      examples: this.#examples,
    };
  }

  #description(calibrated: boolean): Pick<TrainedRanker, 'features' | 'heads'> {
    const { dwellWeight } = this.#training.options;
    return {
      features: this.#columns.map((column) => this.#data.features[column]!),
      heads: [
        ...this.#heads.map((name) => ({ name, weight: name === 'dwell' ? dwellWeight : 1 })),
        ...(calibrated ? [{ name: 'click_probability', weight: 0 }] : []),
      ],
    };
  }

  /** Runs `fit` for every network, as many at a time as there are threads for. */
  async #members<T>(fit: (member: number) => Promise<T>): Promise<T[]> {
    const { options, threads = runtimeStatus().threads } = this.#training;
    const results: T[] = [];
    let next = 0;
    let failed = false;
    const work = async (): Promise<void> => {
      while (next < options.members && !failed) {
        const member = next++;
        try {
          results[member] = await fit(member);
        } catch (error) {
          failed = true;
          throw error;
        }
      }
    };
    const workers = Array.from({ length: Math.min(threads, options.members) }, work);
    // Every worker has ended before the first failure is told: nothing goes on behind it.
    const ends = await Promise.allSettled(workers);
    const failure = ends.find((end) => end.status === 'rejected');
    if (failure) throw fromNative(failure.reason);
    return results;
  }

  async #fit(member: number, fit: FitOptions): Promise<Fit> {
    const { options, fairness, onProgress } = this.#training;
    const { stage, passes } = fit;
    const tail = stage === 'held-out' ? this.#tail : undefined;
    const trainer = await this.#createTrainer(member, fit);
    let best = { auc: -Infinity, epoch: 0 };
    for (let epoch = 1; epoch <= passes; epoch += 1) {
      const started = performance.now();
      const step = await this.#pass(trainer);
      const metrics =
        tail &&
        meanMetrics(
          this.#data.lists.slice(tail.first),
          this.#composed(await this.#score(trainer, tail)),
        );
      onProgress?.({
        phase: 'train',
        stage,
        member: member + 1,
        members: options.members,
        epoch,
        epochs: passes,
        loss: step.loss,
        ...(fairness ? { penalty: step.penalty } : {}),
        ...(metrics ? { metrics } : {}),
        examplesPerSecond: step.rows / ((performance.now() - started) / 1000),
      });
      if (!metrics) continue;
      // A regularizer lowers the very metric that would be watched, so the last pass stands then.
      if (metrics.auc > best.auc || fairness) {
        best = { auc: metrics.auc, epoch };
        trainer.keep();
        await this.#checkpoint(trainer, member, epoch);
      } else if (epoch - best.epoch >= options.patience) {
        break;
      }
    }
    if (!tail) return { trainer, epochs: passes };
    trainer.restore();
    return { trainer, epochs: best.epoch };
  }

  async #checkpoint(trainer: NativeRankerTrainer, member: number, epoch: number): Promise<void> {
    const { onCheckpoint } = this.#training;
    if (!onCheckpoint) return;
    const calibration = fitCalibration('none', { scores: [], clicked: [] });
    const bytes = await this.#job(() =>
      binding().exportRanker({ trainers: [trainer], calibration }),
    );
    const { features, heads } = this.#description(false);
    await onCheckpoint({ member: member + 1, epoch, bytes, features, heads });
  }

  async #createTrainer(
    member: number,
    { endList, pruned }: FitOptions,
  ): Promise<NativeRankerTrainer> {
    const { options, fairness, seed } = this.#training;
    const teacherScores = pruned
      ? await this.#wholeScores(pruned.start)
      : (this.#training.teacherScores ?? new Float32Array());
    const structured = pruned?.by.method === 'structured' ? pruned.by.keep : 1;
    const native: NativeRankerTrainingOptions = {
      features: this.#columns.length,
      hidden: Uint32Array.from(options.hidden, (width) =>
        Math.max(1, Math.round(width * structured)),
      ),
      crossLayers: options.crossLayers,
      heads: this.#heads,
      loss: options.loss,
      negatives: options.negatives,
      dwellWeight: options.dwellLossWeight,
      scoreDwell: options.dwellWeight,
      dropout: options.dropout,
      learningRate: options.learningRate * (pruned ? 0.5 : 1),
      weightDecay: options.weightDecay,
      batchLists: options.batchLists,
      // The schedule of a refit is cut where the best pass was, as it was then.
      epochs: pruned?.by.epochs ?? options.epochs,
      // Seeds of two runs' networks must not be each other's neighbours.
      seed: seed * 1009 + member,
      positions: options.positions,
      fairness: fairness?.measure ?? 'pairwise',
      fairnessWeight: fairness?.weight ?? 0,
      teacherScores,
      distillationWeight: teacherScores.length === 0 ? 0 : options.distillationWeight,
      sparsity: pruned?.by.method === 'magnitude' ? 1 - pruned.by.keep : 0,
      firstList: 0,
      endList,
    };
    return this.#job(() => binding().createRankerTrainer(this.#native, native, pruned?.start));
  }

  /** A pruned network's teacher is the one that it was pruned from. */
  async #wholeScores(whole: NativeRankerTrainer): Promise<Float32Array> {
    const scores = await this.#score(whole, { first: 0, end: this.#data.lists.length });
    return Float32Array.from(this.#composed(scores));
  }

  /** One pass over the data, in short jobs. */
  async #pass(trainer: NativeRankerTrainer): ReturnType<NativeRankerTrainer['step']> {
    for (;;) {
      const step = await this.#job(() => trainer.step(stepMs));
      if (!step.epochEnded) continue;
      this.#examples += step.rows;
      return step;
    }
  }

  #job<T>(job: () => Promise<T>): Promise<T> {
    return whenThereIsRoom(job, this.#training.signal);
  }

  /** What the heads say for the rows of some lists. */
  async #score(
    trainer: NativeRankerTrainer,
    { first, end }: { readonly first: number; readonly end: number },
  ): Promise<Float32Array> {
    const outputs = await this.#job(() => trainer.score(first, end));
    if (outputs.every((value) => Number.isFinite(value))) return outputs;
    throw new FeedrankError(
      'TRAINING_DIVERGED',
      'training: a network answers NaN or infinity at the end of an epoch; a lower learning rate may help',
    );
  }

  /** The score of each row: what its heads say, weighted. */
  #composed(outputs: Float32Array): Float64Array {
    const width = this.#heads.length;
    const weight = width > 1 ? this.#training.options.dwellWeight : 0;
    return Float64Array.from({ length: outputs.length / width }, (_, row) => {
      const click = outputs[row * width]!;
      return weight === 0 ? click : click + weight * outputs[row * width + 1]!;
    });
  }

  /** The first rows of the data, one a list, as the averaged networks score them. */
  async #golden(trainers: readonly NativeRankerTrainer[]): Promise<TrainedRanker['golden']> {
    const lists = Math.min(goldenRows, this.#data.lists.length);
    const outputs = average(
      await Promise.all(trainers.map((trainer) => this.#score(trainer, { first: 0, end: lists }))),
    );
    const width = this.#heads.length;
    let row = 0;
    const golden: TrainedRanker['golden'] = { inputs: [], outputs: [] };
    for (let list = 0; list < lists; list += 1) {
      const values = this.#data.rows[list]!;
      golden.inputs.push(this.#columns.map((column) => values[column]!));
      golden.outputs.push([...outputs.subarray(row * width, (row + 1) * width)]);
      row += this.#data.lists[list]!.clicked.length;
    }
    return golden;
  }
}

function average(outputs: readonly Float32Array[]): Float32Array {
  const sum = Float64Array.from(outputs[0]!, () => 0);
  for (const output of outputs) output.forEach((value, i) => (sum[i]! += value));
  return Float32Array.from(sum, (value) => value / outputs.length);
}

function column(outputs: Float32Array, index: number, width: number): Float32Array {
  return outputs.filter((_, i) => i % width === index);
}
