import type { NativeTexts } from '../binding';

/**
 * Lays well-formed texts end to end in UTF-8, so that many cross into the native core at the price
 * of one.
 * @internal
 */
export function encodeTexts(texts: readonly string[]): NativeTexts {
  const joined = texts.join('');
  const bytes = Buffer.from(joined, 'utf8');
  const ends = new Uint32Array(texts.length);
  // Where each character takes one byte, the lengths are known.
  const plain = bytes.length === joined.length;
  let end = 0;
  for (let i = 0; i < texts.length; i++) {
    const text = texts[i]!;
    end += plain ? text.length : Buffer.byteLength(text, 'utf8');
    ends[i] = end;
  }
  return { bytes, ends };
}
