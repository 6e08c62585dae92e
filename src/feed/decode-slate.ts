import type { NativeSlate } from '../binding';
import { decodeExplanation } from './decode-explanation';
import type { Plan } from './plan';
import { Slate, type Degradation, type SlateBundle, type SlateItem, type Trace } from './slate';

/** Skips that are no shortcoming of the answer: there was nothing for the stage to do. */
const harmless = new Set([
  'no user vector',
  'no segment value',
  'nothing followed',
  'nothing read',
]);

/** @internal */
export function decodeSlate(
  native: NativeSlate,
  plan: Plan,
  request: {
    now: number;
    answerAgeMs: number | undefined;
    seed: number;
    profile: string;
    bundle: SlateBundle | undefined;
    nativeCalls: number;
    start: number;
  },
): Slate {
  const { generators, termNames } = native;
  const items = native.ids.map((id, position): SlateItem => {
    const sources = [];
    for (let g = 0; g < generators; g++) {
      const score = native.sourceScores[position * generators + g]!;
      if (!Number.isNaN(score)) sources.push({ generator: plan.generatorNames[g]!, score });
    }
    // Unlike an assignment, this takes a name such as `__proto__` for what it is.
    const terms = Object.fromEntries(
      termNames.map((name, t) => [name, native.terms[position * termNames.length + t]!]),
    );
    const item = { id, position, score: native.scores[position]!, sources, terms };
    if (native.explanations === undefined) return item;
    return { ...item, explanation: decodeExplanation(native, native.explanations, plan, position) };
  });
  const trace: Trace = {
    totalMs: performance.now() - request.start,
    queueMs: native.queueMs,
    nativeMs: native.nativeMs,
    nativeCalls: request.nativeCalls,
    stages: native.stages,
    budget: native.budget,
    unknownIds: native.unknownIds,
    removedMeanwhile: native.removedMeanwhile,
  };
  const degraded = native.stages.flatMap(({ name, skipped, shortfalls }): Degradation[] => [
    ...(skipped === undefined || harmless.has(skipped) ? [] : [{ stage: name, reason: skipped }]),
    ...shortfalls.map((reason) => ({ stage: name, reason })),
  ]);
  return Slate.of({
    items,
    now: request.now,
    answerAgeMs: request.answerAgeMs,
    seed: request.seed,
    profile: request.profile,
    bundle: request.bundle,
    epoch: native.epoch,
    degraded,
    trace,
  });
}
