import type { NativeTexts } from '../binding';

/** So many of the longest ids are far from the longest string that JavaScript can hold. */
const joinedAtOnce = 4096;

/**
 * Lays well-formed texts end to end in UTF-8, so that many cross into the native core at the price
 * of one.
 * @internal
 */
export function encodeTexts(texts: readonly string[]): NativeTexts {
  const ends = new Uint32Array(texts.length);
  const parts: Buffer[] = [];
  let end = 0;
  for (let begin = 0; begin < texts.length; begin += joinedAtOnce) {
    const some = texts.length <= joinedAtOnce ? texts : texts.slice(begin, begin + joinedAtOnce);
    const joined = some.join('');
    const bytes = Buffer.from(joined, 'utf8');
    // Where each character takes one byte, the lengths are known.
    const plain = bytes.length === joined.length;
    for (let i = 0; i < some.length; i++) {
      const text = some[i]!;
      end += plain ? text.length : Buffer.byteLength(text, 'utf8');
      ends[begin + i] = end;
    }
    parts.push(bytes);
  }
  return { bytes: parts.length === 1 ? parts[0]! : Buffer.concat(parts), ends };
}
