import { createHash } from 'node:crypto';
import { prettyJson } from './pretty-json';

/**
 * A manifest as text whose last entry is the SHA-256 of every byte before it, so that it vouches
 * for itself.
 * @internal
 */
export function sealManifest(manifest: object): Buffer {
  const text = prettyJson(manifest);
  // Without the line break and the brace at its end, to which the checksum is added.
  const sealed = Buffer.from(`${text.slice(0, -2)},\n`);
  return Buffer.concat([sealed, sealOf(sealed)]);
}

/** Whether a sealed manifest is what was written, to the last byte. @internal */
export function isSealed(bytes: Buffer): boolean {
  const end = bytes.length - sealBytes;
  return end > 0 && bytes.subarray(end).equals(sealOf(bytes.subarray(0, end)));
}

function sealOf(sealed: Buffer): Buffer {
  const checksum = createHash('sha256').update(sealed).digest('hex');
  return Buffer.from(`  "checksum": "${checksum}"\n}\n`);
}

const sealBytes = sealOf(Buffer.alloc(0)).length;
