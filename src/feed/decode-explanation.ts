import type { NativeExplanations, NativeSlate } from '../binding';
import type { Explanation, SourcePosition, StagePosition } from './explanation';
import type { Plan } from './plan';

/** @internal */
export function decodeExplanation(
  { generators, sourceScores, termNames }: NativeSlate,
  native: NativeExplanations,
  plan: Plan,
  item: number,
): Explanation {
  const sources: SourcePosition[] = [];
  for (let g = 0; g < generators; g++) {
    const score = sourceScores[item * generators + g]!;
    if (Number.isNaN(score)) continue;
    const position = native.sourcePositions[item * generators + g]!;
    sources.push({ generator: plan.generatorNames[g]!, score, position });
  }
  const ready = new Set(native.readyColumns);
  const features = namedRow(plan.featureNames, native.features, item).filter(
    (_, column) => ready.has(column) || column >= plan.nativeColumns,
  );
  return {
    sources,
    features: Object.fromEntries(features),
    outputs: Object.fromEntries(namedRow(termNames, native.outputs, item)),
    penalties: Object.fromEntries(namedRow(native.penaltyNames, native.penalties, item)),
    positions: native.stages.map(({ name, positions }, i): StagePosition => {
      const after = positions[item]!;
      if (i === 0) return { stage: name, after };
      return { stage: name, before: native.stages[i - 1]!.positions[item]!, after };
    }),
  };
}

/** Row `item` of a matrix with a name a column; no entries where the matrix is empty. */
function namedRow(names: readonly string[], matrix: Float64Array, item: number) {
  if (matrix.length === 0) return [];
  return names.map((name, c): [string, number] => [name, matrix[item * names.length + c]!]);
}
