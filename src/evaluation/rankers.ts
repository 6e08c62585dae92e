import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { Bundle } from '../bundles/bundle';
import { manifestName } from '../bundles/manifest';
import type { Dataset } from '../data/dataset';
import { FeedrankError, invalidArgument } from '../errors';
import type { FeedStages } from '../feed/plan';
import { Model } from '../models/model';
import { decayedDotRanker, torchScript, weightedSum } from '../stages/native-stages';
import type { Ranker } from '../stages/stage';
import { clickProbabilityHead } from './calibration';
import { RandomRanker } from './random-ranker';

/** Rankers that need no model. */
export const baselineNames = ['random', 'fresh', 'popularity', 'decayed-dot'] as const;

/** A ranker to evaluate, and what it is called in the report. */
export interface EvaluatedRanker {
  readonly name: string;
  readonly ranker: FeedStages['ranker'];
  /** Whether it says how likely a click on each item is. */
  readonly saysProbabilities: boolean;
  dispose(): void;
}

/**
 * Makes the ranker that a name, a bundle or a file stands for. Every one of them fails closed: a ranking
 * without its scores must not be measured.
 *
 * @throws {FeedrankError} `INVALID_ARGUMENT`, `EMBEDDINGS_MISSING`, and what {@link Model.load} and
 * {@link Bundle.open} throw.
 */
export async function createRanker(
  ranker: string | Ranker,
  dataset: Dataset,
  seed: number,
): Promise<EvaluatedRanker> {
  if (typeof ranker !== 'string') return ownRanker(ranker);
  const failClosed = true;
  switch (ranker) {
    case 'random':
      return named(ranker, new RandomRanker(seed));
    case 'fresh':
      return named(ranker, weightedSum({ age: -1 }, { failClosed }));
    case 'popularity':
      return named(ranker, weightedSum({ clicks_12h: 1 }, { failClosed }));
    case 'decayed-dot':
      return named(ranker, decayedDotRanker({ space: embeddingSpace(dataset), failClosed }));
    default:
      return modelRanker(ranker);
  }
}

function named(name: string, ranker: EvaluatedRanker['ranker']): EvaluatedRanker {
  return { name, ranker, saysProbabilities: false, dispose: () => undefined };
}

function ownRanker(ranker: Ranker): EvaluatedRanker {
  if (typeof ranker !== 'object' || ranker === null || typeof ranker.rank !== 'function') {
    throw invalidArgument('ranker', `${expected} or a Ranker`, ranker);
  }
  const rank: Ranker['rank'] = (batch, context) => ranker.rank(batch, context);
  // Its own name might be that of a generator.
  return named(ranker.name, { name: 'ranker', failClosed: true, rank });
}

const expected = `${baselineNames.join(', ')}, the folder of a bundle, or the path of a TorchScript file (.pt)`;

async function modelRanker(path: string): Promise<EvaluatedRanker> {
  if (existsSync(join(path, manifestName))) return bundleRanker(path);
  if (!path.endsWith('.pt') || (existsSync(path) && statSync(path).isDirectory())) {
    throw invalidArgument('ranker', expected, path);
  }
  // Whoever names a file as the ranker asks for it to be run.
  return ofModel(path, await Model.load(path, { allowUnverified: true }));
}

async function bundleRanker(path: string): Promise<EvaluatedRanker> {
  const { ranker } = await Bundle.open(path);
  if (ranker === undefined) throw invalidArgument('ranker', 'a bundle with a ranker', path);
  return ofModel(path, ranker);
}

function ofModel(name: string, model: Model): EvaluatedRanker {
  return {
    name,
    ranker: torchScript(model, { failClosed: true }),
    saysProbabilities: model.heads.includes(clickProbabilityHead),
    dispose: () => model.dispose(),
  };
}

/** The space that decayed dot products are taken in: the dataset's first. */
function embeddingSpace(dataset: Dataset): string {
  const [space] = Object.keys(dataset.spaces);
  if (space === undefined) {
    throw new FeedrankError(
      'EMBEDDINGS_MISSING',
      `ranker: decayed-dot needs embeddings, and dataset ${dataset.name} has none`,
      'ranker',
    );
  }
  return space;
}
