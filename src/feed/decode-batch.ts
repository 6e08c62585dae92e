import type { NativeBatch } from '../binding';
import type { CandidateBatch } from '../stages/candidate-batch';
import type { Plan } from './plan';

/** What a stage of the user's sees of the candidates. @internal */
export function decodeBatch(native: NativeBatch | undefined, plan: Plan): CandidateBatch {
  const { columns, labels } = plan.schema;
  return {
    size: 0,
    ids: [],
    publishTimes: new Float64Array(0),
    authors: [],
    topics: [],
    sourceScores: new Float64Array(0),
    features: new Float32Array(0),
    scores: new Float64Array(0),
    ...native,
    // Unlike an assignment, this takes a name such as `__proto__` for what it is.
    columns: Object.fromEntries(
      columns.map((name, c) => [name, native?.columns[c] ?? new Float64Array(0)]),
    ),
    labels: Object.fromEntries(
      labels.map((name, l) => {
        const { texts = [], places = [] } = native?.labels[l] ?? {};
        return [name, Array.from(places, (place): string | undefined => texts[place])];
      }),
    ),
    generators: plan.generatorNames,
    featureNames: native?.features.length === 0 ? [] : plan.featureNames,
  };
}
