import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { crc32 } from 'node:zlib';

/** Some milliseconds of work at most, so that requests in flight go on while a model is loaded. */
const sliceBytes = 2 ** 22;

async function inSlices(bytes: Uint8Array, work: (slice: Uint8Array) => void): Promise<void> {
  for (let start = 0; start < bytes.length; start += sliceBytes) {
    if (start > 0) await setImmediate();
    work(bytes.subarray(start, start + sliceBytes));
  }
}

/** In hexadecimal. @internal */
export async function sha256(bytes: Uint8Array): Promise<string> {
  const hash = createHash('sha256');
  await inSlices(bytes, (slice) => hash.update(slice));
  return hash.digest('hex');
}

/** @internal */
export async function crc32Of(bytes: Uint8Array): Promise<number> {
  let crc = 0;
  await inSlices(bytes, (slice) => {
    crc = crc32(slice, crc);
  });
  return crc;
}
