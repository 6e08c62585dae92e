import { createHash, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';
import { FeedrankError } from '../errors';

/**
 * A function that says whether an `Authorization` header bears the token. Hashes are compared, in
 * constant time, so that neither the token's content nor its length shows in how long that takes.
 * Throws `INVALID_ARGUMENT` for a token that no header can bear.
 */
export function bearerCheck(token: string): (header: string | undefined) => boolean {
  if (typeof token !== 'string' || !/^[\x21-\x7e]{1,4096}$/.test(token)) {
    // What came is not told: it may be the secret with a line break at its end.
    const expected = 'expected 1 to 4,096 visible ASCII characters';
    throw new FeedrankError('INVALID_ARGUMENT', `token: ${expected}`, 'token');
  }
  const expected = hash(token);
  return (header) => {
    const given = /^bearer +(\S+) *$/i.exec(header ?? '')?.[1];
    return timingSafeEqual(hash(given ?? ''), expected);
  };
}

function hash(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** Whether an address, or a host name, can be reached from this machine alone. */
export function isLoopback(host: string): boolean {
  const address = host.replace(/^::ffff:/i, '');
  if (isIP(address) === 4) return address.startsWith('127.');
  return address === '::1' || address.toLowerCase() === 'localhost';
}
