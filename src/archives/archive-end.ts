import { corruptArchive, refusedArchive, type ArchiveName } from './archive-error';

const endBytes = 22;
const endSignature = 0x0605_4b50;
const locatorBytes = 20;
const locatorSignature = 0x0706_4b50;
const wideEndBytes = 56;
const wideEndSignature = 0x0606_4b50;

/** Where an archive says that its central directory is. */
interface CentralDirectory {
  readonly entries: number;
  readonly offset: number;
}

/**
 * Checks how an archive ends: a local header at the first byte, and at the last ones the end of the
 * central directory without a comment. LibTorch always writes the 64-bit form beside it, and its
 * reader goes by that one where other readers go by the short one, so the two must agree.
 * @internal
 */
export function checkArchiveEnd(bytes: Buffer, name: ArchiveName): CentralDirectory {
  const at = bytes.length - endBytes;
  if (at < 0 || bytes.readUInt32LE(at) !== endSignature) {
    throw corruptArchive(name, 'it does not end as a zip archive does');
  }
  const disks = bytes.readUInt32LE(at + 4);
  const entries = bytes.readUInt16LE(at + 10);
  const size = bytes.readUInt32LE(at + 12);
  const offset = bytes.readUInt32LE(at + 16);
  if (disks !== 0 || bytes.readUInt16LE(at + 8) !== entries) {
    throw refusedArchive(name, 'it is a part of several archives');
  }
  if (bytes.readUInt16LE(at + 20) !== 0) throw refusedArchive(name, 'it ends with a comment');
  const wideEnd = wideEndOf(bytes, at);
  if (wideEnd !== undefined && !agrees(bytes, wideEnd, { entries, size, offset })) {
    throw refusedArchive(name, 'it has two central directories');
  }
  if (offset + size !== (wideEnd ?? at)) {
    throw refusedArchive(name, 'its central directory does not end where it should');
  }
  return { entries, offset };
}

/** Where the 64-bit end is, if the archive has one. */
function wideEndOf(bytes: Buffer, end: number): number | undefined {
  const locator = end - locatorBytes;
  if (locator < 0 || bytes.readUInt32LE(locator) !== locatorSignature) return undefined;
  return locator - wideEndBytes;
}

function agrees(
  bytes: Buffer,
  at: number,
  short: { readonly entries: number; readonly size: number; readonly offset: number },
): boolean {
  if (at < 0 || bytes.readUInt32LE(at) !== wideEndSignature) return false;
  const locator = at + wideEndBytes;
  const wide = (position: number) => bytes.readBigUInt64LE(position);
  return (
    wide(at + 4) === BigInt(wideEndBytes - 12) &&
    wide(at + 16) === 0n &&
    wide(at + 24) === BigInt(short.entries) &&
    wide(at + 32) === BigInt(short.entries) &&
    wide(at + 40) === BigInt(short.size) &&
    wide(at + 48) === BigInt(short.offset) &&
    bytes.readUInt32LE(locator + 4) === 0 &&
    wide(locator + 8) === BigInt(at) &&
    bytes.readUInt32LE(locator + 16) === 1
  );
}
