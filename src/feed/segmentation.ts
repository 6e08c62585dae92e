import { FeedrankError, invalidArgument } from '../errors';
import { checkName, checkObject } from '../validation';

/** As the native core lays them out: a code for each segment that there may be. @internal */
export const segmentCodes = 4;
/** The code of a segment without a value. @internal */
export const noSegment = 255;
const mostValues = 32;

/** Names of segments and their values, such as `{ device: ['desktop', 'mobile'] }`. */
export type Segments = Readonly<Record<string, readonly string[]>>;

/**
 * The ways in which a feed divides its readers or the places where it shows items. Each value has a
 * code that counts through all of them.
 * @internal
 */
export class Segmentation {
  readonly segments: Segments;
  readonly names: readonly string[];
  readonly #codes: readonly ReadonlyMap<string, number>[];

  /** Throws `INVALID_ARGUMENT`. */
  constructor(segments: unknown, argument: string) {
    const entries = Object.entries(checkObject(segments ?? {}, argument));
    let next = 0;
    this.#codes = entries.map(([name, values]) => {
      const path = `${argument}.${name}`;
      checkName(name, argument);
      if (!Array.isArray(values) || values.length === 0) {
        throw invalidArgument(path, 'an array of at least one value', values);
      }
      const codes = new Map<string, number>();
      values.forEach((value, i) => {
        if (codes.has(checkName(value, `${path}[${i}]`))) {
          throw invalidArgument(path, 'distinct values', value);
        }
        codes.set(value as string, next++);
      });
      return codes;
    });
    if (entries.length > segmentCodes || next > mostValues) {
      throw invalidArgument(
        argument,
        `at most ${segmentCodes} names with ${mostValues} values in all`,
        `${entries.length} names with ${next} values`,
      );
    }
    this.names = entries.map(([name]) => name);
    this.segments = Object.fromEntries(
      this.names.map((name, i) => [name, [...this.#codes[i]!.keys()]]),
    );
  }

  /** Codes of one event's or query's values. Throws `UNKNOWN_SEGMENT`. */
  encode(value: unknown, argument: string): Uint8Array {
    const codes = new Uint8Array(segmentCodes).fill(noSegment);
    if (value === undefined) return codes;
    for (const [name, segment] of Object.entries(checkObject(value, argument))) {
      if (segment === undefined) continue;
      const index = this.index(name, `${argument}.${name}`);
      const code = this.#codes[index]!.get(segment as string);
      if (code === undefined) {
        throw new FeedrankError(
          'UNKNOWN_SEGMENT',
          `${argument}.${name}: no value ${JSON.stringify(segment)} of this segment; it has: ` +
            [...this.#codes[index]!.keys()].join(', '),
          `${argument}.${name}`,
        );
      }
      codes[index] = code;
    }
    return codes;
  }

  /** Position of a segment among the names. Throws `UNKNOWN_SEGMENT`. */
  index(name: unknown, argument: string): number {
    const index = this.names.indexOf(name as string);
    if (index >= 0) return index;
    throw new FeedrankError(
      'UNKNOWN_SEGMENT',
      `${argument}: the feed has no segment ${JSON.stringify(name)}; it has: ${this.names.join(', ') || 'none'}`,
      argument,
    );
  }
}
