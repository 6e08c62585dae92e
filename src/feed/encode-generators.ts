import type { NativePlanSpec } from '../binding';
import { invalidArgument } from '../errors';
import { trendingCounters } from '../stages/native-generators';
import type { StageOf } from '../stages/native-stages';
import { nativeOf, type NamedStage, type PlanTarget } from './named-stage';

const hour = 3_600_000;

/**
 * Throws `UNKNOWN_SPACE`, `UNKNOWN_SEGMENT` or `INVALID_ARGUMENT` where a generator does not fit the
 * feed.
 * @internal
 */
export function encodeGenerator(
  stage: NamedStage,
  target: PlanTarget,
): NativePlanSpec['generators'][number] {
  const { name, failClosed = false } = stage;
  const native = nativeOf(stage, 'generator');
  if (native === undefined) return { name, failClosed, kind: 'external' };
  const common = { name, failClosed, kind: native.kind };
  if (native.kind === 'decayed-dot') {
    target.catalog.space(native.space, `generators.${name}.space`);
    return { ...common, space: native.space };
  }
  if (native.kind === 'trending') {
    const counter = trendingCounters.indexOf(native.counter);
    return { ...common, counter, ...encodeHalfLife(name, native, target) };
  }
  return common;
}

type Trending = Extract<StageOf<'generator'>['native'], { kind: 'trending' }>;

function encodeHalfLife(name: string, native: Trending, { shape, segmentation }: PlanTarget) {
  const segment =
    native.segment === undefined
      ? undefined
      : segmentation.index(native.segment, `generators.${name}.segment`);
  const halfLives = segment === undefined ? shape.halfLivesMs : shape.segmentHalfLivesMs;
  const wanted = native.halfLifeMs ?? (segment === undefined ? 3 * hour : halfLives[0]!);
  const halfLife = halfLives.indexOf(wanted);
  if (halfLife < 0) {
    throw invalidArgument(
      `generators.${name}.halfLifeMs`,
      `one of the feed's ${segment === undefined ? 'half-lives' : 'half-lives of segments'} (${halfLives.join(', ')})`,
      wanted,
    );
  }
  return segment === undefined ? { halfLife } : { halfLife, segment };
}
