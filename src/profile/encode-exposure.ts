import type { NativeSettings } from '../binding';
import { FeedrankError, invalidArgument } from '../errors';
import type { ExposureTarget } from './rank-profile';
import { defaultExposureTolerance } from './rank-settings';

/**
 * Exposure targets as the native core takes them. Throws `UNKNOWN_GROUP` for a group that is none
 * of the catalog's labels, and `INVALID_ARGUMENT` for targets that contradict one another. A value
 * that no item has yet is no error: items may come.
 * @internal
 */
export function encodeExposure(
  targets: readonly ExposureTarget[],
  labels: readonly string[],
): NativeSettings['exposure'] {
  const seen = new Set<string>();
  const least = new Map<string, number>();
  return targets.map(({ group, value, share, tolerance = defaultExposureTolerance }, i) => {
    const where = `profile.exposure[${i}]`;
    const label = labels.indexOf(group);
    if (label < 0) {
      throw new FeedrankError(
        'UNKNOWN_GROUP',
        `${where}.group: no label ${JSON.stringify(group)}; the catalog has: ${labels.join(', ') || 'none'}`,
        `${where}.group`,
      );
    }
    const name = JSON.stringify([group, value]);
    if (seen.has(name)) throw invalidArgument(where, 'one target a group and value', name);
    seen.add(name);
    // An item has one value of a label, so the shares of a label's values add up to at most 1.
    const sum = (least.get(group) ?? 0) + Math.max(0, share - tolerance);
    least.set(group, sum);
    if (sum > 1 + 1e-9) {
      throw invalidArgument(
        `${where}.share`,
        `shares of ${JSON.stringify(group)} that add up to at most 1, less their tolerances`,
        sum,
      );
    }
    return { label, value, share, tolerance };
  });
}
