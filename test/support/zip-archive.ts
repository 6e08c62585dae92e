import { crc32, deflateRawSync } from 'node:zlib';

/** An entry of an archive to build; what is given overrides what would be right. */
export interface ZipEntry {
  readonly name: string;
  readonly data: Uint8Array | string;
  readonly method?: number;
  readonly flags?: number;
  readonly crc?: number;
  readonly uncompressedSize?: number;
  readonly compressedSize?: number;
  /** Of a Unix file: its kind and rights. */
  readonly mode?: number;
  readonly extra?: Uint8Array;
  readonly comment?: string;
  /** What the local header says instead. */
  readonly local?: { readonly name?: string; readonly method?: number; readonly crc?: number };
  /** Bytes between this entry and the next. */
  readonly gap?: number;
  /** Where the central directory says the entry is, relative to where it is. */
  readonly shift?: number;
}

/** A zip archive as it was ordered, however wrong. */
export function zipArchive(
  entries: readonly ZipEntry[],
  { comment = '', trailing = '', entryCount = entries.length } = {},
): Buffer {
  const locals: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const entry of entries) {
    const data = Buffer.from(entry.data as string);
    const method = entry.method ?? 0;
    const packed = method === 8 ? deflateRawSync(data) : data;
    const name = Buffer.from(entry.name);
    const extra = Buffer.from(entry.extra ?? []);
    const entryComment = Buffer.from(entry.comment ?? '');
    const crc = entry.crc ?? crc32(data);
    const sizes = [entry.compressedSize ?? packed.length, entry.uncompressedSize ?? data.length];
    const localName = Buffer.from(entry.local?.name ?? entry.name);
    const flags = entry.flags ?? 0;
    const local = Buffer.concat([
      uint32(0x04034b50),
      uint16(20, flags, entry.local?.method ?? method, 0, 0),
      uint32(entry.local?.crc ?? crc, ...sizes),
      uint16(localName.length, 0),
      localName,
      packed,
      Buffer.alloc(entry.gap ?? 0),
    ]);
    directory.push(
      uint32(0x02014b50),
      uint16((3 << 8) | 20, 20, flags, method, 0, 0),
      uint32(crc, ...sizes),
      uint16(name.length, extra.length, entryComment.length, 0, 0),
      uint32(((entry.mode ?? 0) << 16) >>> 0, offset + (entry.shift ?? 0)),
      name,
      extra,
      entryComment,
    );
    locals.push(local);
    offset += local.length;
  }
  const central = Buffer.concat(directory);
  return Buffer.concat([
    ...locals,
    central,
    uint32(0x06054b50),
    uint16(0, 0, entryCount, entryCount),
    uint32(central.length, offset),
    uint16(Buffer.byteLength(comment)),
    Buffer.from(comment + trailing),
  ]);
}

function uint16(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 2);
  values.forEach((value, i) => bytes.writeUInt16LE(value, i * 2));
  return bytes;
}

function uint32(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, i) => bytes.writeUInt32LE(value, i * 4));
  return bytes;
}
