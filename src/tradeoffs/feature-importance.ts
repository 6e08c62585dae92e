import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { uniformInt } from 'pure-rand/distribution/uniformInt';

import { impressionMetrics } from '../evaluation/metrics';
import type { Model } from '../models/model';
import { scoreLists } from '../training/score-lists';
import type { TrainingData } from '../training/training-data';

/** The latest lists, enough that the most important features are the same from draw to draw. */
const lists = 500;

/**
 * Names of what a ranker reads, what matters most first: by how much AUC is lost on the latest
 * lists where a feature's values are shuffled among their rows (permutation importance: Breiman
 * 2001, "Random forests"). Rejects as {@link scoreLists}.
 */
export async function featuresByImportance(
  model: Model,
  data: TrainingData,
  options: { readonly seed: number; readonly signal: AbortSignal | undefined },
): Promise<string[]> {
  const latest: TrainingData = {
    ...data,
    lists: data.lists.slice(-lists),
    rows: data.rows.slice(-lists),
  };
  const aucOf = async (of: TrainingData): Promise<number> =>
    meanAuc(of, await scoreLists(model, of, 'ranker', options.signal));
  const whole = await aucOf(latest);
  const lost: { readonly name: string; readonly auc: number }[] = [];
  for (const { name } of model.description.features) {
    const column = data.features.findIndex((feature) => feature.name === name);
    lost.push({ name, auc: whole - (await aucOf(shuffled(latest, column, options.seed))) });
  }
  return lost.sort((a, b) => b.auc - a.auc).map(({ name }) => name);
}

/** The same rows, with the values of one column in another order. */
function shuffled(data: TrainingData, column: number, seed: number): TrainingData {
  const width = data.features.length;
  const random = xoroshiro128plus(seed);
  const rows = data.rows.map((values) => values.slice());
  const places = rows.flatMap((values, list) =>
    Array.from({ length: values.length / width }, (_, row) => ({ list, at: row * width + column })),
  );
  for (let i = places.length - 1; i > 0; i -= 1) {
    const [a, b] = [places[i]!, places[uniformInt(random, 0, i)]!];
    const kept = rows[a.list]![a.at]!;
    rows[a.list]![a.at] = rows[b.list]![b.at]!;
    rows[b.list]![b.at] = kept;
  }
  return { ...data, rows };
}

function meanAuc(data: TrainingData, scores: Float64Array): number {
  let first = 0;
  let sum = 0;
  for (const { clicked } of data.lists) {
    const own = [...scores.subarray(first, (first += clicked.length))];
    sum += impressionMetrics(own, clicked).auc;
  }
  return sum / data.lists.length;
}
