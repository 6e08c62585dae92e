import { binding, type NativeTwoTowerProgress, type NativeTwoTowerTrainer } from '../binding';
import type { Dataset } from '../data/dataset';
import { guard, guardAsync } from '../errors';
import { encodeTowerItems } from '../models/encode-tower-items';
import { Towers, type TowersParts } from '../models/towers';
import { goldenOf, type TowersGolden } from '../models/towers-golden';
import {
  attributeCount,
  categoryCount,
  type TowersDescription,
} from '../models/towers-description';
import { gatherTowerExamples, type TowerExamples } from './two-tower-examples';
import {
  checkTwoTowerOptions,
  type TwoTowerProgress,
  type TwoTowerSettings,
  type TwoTowerTrainingOptions,
} from './two-tower-options';
import { whenThereIsRoom } from './when-there-is-room';

/** About how long one native job may take, so that requests get their turn between two. */
const jobMs = 40;

/** Two trained towers, as they are stored, and how the training went. */
export interface TrainedTowers extends TowersParts {
  readonly userTower: Buffer;
  readonly itemTower: Buffer;
  readonly golden: TowersGolden;
  readonly metrics: {
    /** Clicks that were trained on first, and those that validated. */
    readonly examples: number;
    readonly validationExamples: number;
    /** Mean loss of each epoch before any refit. */
    readonly losses: readonly number[];
    readonly validationLosses: readonly number[];
    /** Epochs that the returned towers were trained for. */
    readonly epochs: number;
  };
}

/** As `trainTwoTowers` of the public API. @internal */
export async function trainTwoTowers(options: TwoTowerTrainingOptions): Promise<TrainedTowers> {
  checkTwoTowerOptions(options);
  return fitTwoTowers(await gatherTowerExamples(options), options);
}

/** The training alone, on examples of the options' dataset, context and reads. @internal */
export async function fitTwoTowers(
  examples: TowerExamples,
  options: TwoTowerTrainingOptions,
): Promise<TrainedTowers> {
  const settings = checkTwoTowerOptions(options);
  const { dataset, signal, onProgress } = options;
  const total = examples.clicked.length;
  const validating = Math.min(total - 1, Math.floor(total * settings.validationShare));
  const description = describe(dataset, examples, settings);
  const run = { dataset, examples, settings, description, signal, onProgress };

  let fit = await Fit.start(run, total - validating);
  const losses: number[] = [];
  const validationLosses: number[] = [];
  let best = 0;
  for (let epoch = 1; epoch <= settings.epochs; epoch++) {
    losses.push(await fit.epoch());
    if (validating === 0) {
      best = epoch;
      continue;
    }
    const loss = await fit.validate();
    validationLosses.push(loss);
    if (loss < Math.min(Infinity, ...validationLosses.slice(0, -1))) {
      best = epoch;
      await fit.keep();
    }
    if (epoch - best >= settings.patience) break;
  }
  if (validating > 0 && settings.refit) {
    fit = await Fit.start(run, total);
    for (let epoch = 1; epoch <= best; epoch++) await fit.epoch();
  } else if (validating > 0) {
    await fit.restore();
  }
  const files = await fit.files();
  const trained = validating > 0 && !settings.refit ? total - validating : total;
  return {
    ...(await finish(files, run, trained)),
    metrics: {
      examples: total - validating,
      validationExamples: validating,
      losses,
      validationLosses,
      epochs: best,
    },
  };
}

interface FitRun {
  readonly dataset: Dataset;
  readonly examples: TowerExamples;
  readonly settings: TwoTowerSettings;
  readonly description: TowersDescription;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: TwoTowerTrainingOptions['onProgress'];
}

/** One native trainer and its epochs. */
class Fit {
  readonly #trainer: NativeTwoTowerTrainer;
  readonly #run: FitRun;

  private constructor(trainer: NativeTwoTowerTrainer, run: FitRun) {
    this.#trainer = trainer;
    this.#run = run;
  }

  static async start(run: FitRun, trainingExamples: number): Promise<Fit> {
    const { dataset, examples, settings, description } = run;
    const encoded = encodeTowerItems(examples.items, description, dataset.ids, () => true, 'items');
    const trainer = guard(
      () =>
        new (binding().TwoTowerTrainer)({
          ...settings,
          attributes: attributeCount(description),
          categories: categoryCount(description),
          context: settings.context.length,
        }),
    );
    const { clicked, at, context, reads, readHours, readEnds, publishTimes } = examples;
    await guardAsync(async () => {
      await trainer.addItems({ ...encoded, publishTimes });
      await trainer.addExamples({ clicked, at, context, reads, readHours, readEnds });
      await trainer.begin(trainingExamples);
    });
    return new Fit(trainer, run);
  }

  /** Mean loss of one pass. */
  async epoch(): Promise<number> {
    return this.#pass(
      () => this.#trainer.step(jobMs),
      (progress) => this.#run.onProgress?.(progress),
    );
  }

  /** Mean loss of the clicks that validate. */
  async validate(): Promise<number> {
    let last: TwoTowerProgress | undefined;
    const loss = await this.#pass(
      () => this.#trainer.validate(jobMs),
      (progress) => (last = progress),
    );
    if (last !== undefined) this.#run.onProgress?.({ ...last, validationLoss: loss });
    return loss;
  }

  async #pass(
    job: () => Promise<NativeTwoTowerProgress>,
    tell: (progress: TwoTowerProgress) => void,
  ): Promise<number> {
    const start = performance.now();
    let sum = 0;
    let examples = 0;
    for (;;) {
      const done = await guardAsync(() => whenThereIsRoom(job, this.#run.signal));
      sum += done.lossSum;
      examples += done.examples;
      const { epoch, batch, batches } = done;
      const seconds = (performance.now() - start) / 1000;
      tell({ epoch, batch, batches, loss: sum / examples, examplesPerSecond: examples / seconds });
      if (done.ended) return sum / examples;
    }
  }

  keep(): Promise<void> {
    return guardAsync(() => this.#trainer.keep());
  }

  restore(): Promise<void> {
    return guardAsync(() => this.#trainer.restore());
  }

  files(): Promise<{ itemTower: Buffer; userTower: Buffer }> {
    return guardAsync(() => this.#trainer.files());
  }
}

function describe(
  dataset: Dataset,
  { items }: TowerExamples,
  settings: TwoTowerSettings,
): TowersDescription {
  const mostTopics = items.reduce((most, { topics = [] }) => Math.max(most, topics.length), 0);
  return {
    formatVersion: 1,
    dimensions: settings.dimensions,
    maxReads: settings.maxReads,
    context: settings.context,
    columns: dataset.columns,
    spaces: Object.entries(dataset.spaces).map(([name, { dimensions }]) => ({ name, dimensions })),
    author: items.some(({ author }) => author !== undefined),
    labels: dataset.labels,
    topics: Math.min(settings.topics, mostTopics),
    idBuckets: settings.idBuckets,
    categoryBuckets: settings.categoryBuckets,
    unitVectors: settings.unitVectors,
    tauMs: Number.isFinite(settings.tauMs) ? settings.tauMs : null,
  };
}

/** Vectors of the items that were trained on, by the tower as it will be served, and its answers. */
async function finish(
  files: { itemTower: Buffer; userTower: Buffer },
  { dataset, examples, settings, description }: FitRun,
  trainingExamples: number,
): Promise<Omit<TrainedTowers, 'metrics'>> {
  const { space: name, version, dimensions } = settings;
  const kind = dataset.ids;
  const places = trainedPlaces(examples, trainingExamples);
  const items = places.map((place) => examples.items[place]!);
  const ids = items.map(({ id }) => id);
  const parts = {
    ...files,
    space: { name, version, dimensions },
    description,
    items: { ids, kind, vectors: new Float32Array(ids.length * dimensions) },
  };
  const towers = await Towers.load(parts, { allowUnverified: true });
  try {
    const embedded = await towers.embed(items);
    embedded.forEach(({ embeddings }, i) =>
      parts.items.vectors.set(embeddings[name]!, i * dimensions),
    );
    return { ...parts, golden: await goldenOf(towers, kind, items.slice(0, 8)) };
  } finally {
    towers.dispose();
  }
}

function trainedPlaces(examples: TowerExamples, count: number): number[] {
  const reads = examples.reads.subarray(0, examples.readEnds[count - 1]);
  return [...new Set([...examples.clicked.subarray(0, count), ...reads])].sort((a, b) => a - b);
}
