import { inflateRawSync } from 'node:zlib';
import type { Entry, LocalFileHeader, ZipFile } from 'yauzl';
import type * as Yauzl from 'yauzl';
import { describeValue } from '../errors';
import { corruptArchive, refusedArchive, type ArchiveName } from './archive-error';
import { crc32Of } from './in-slices';
import { checkArchiveEnd } from './archive-end';

/** Two GiB of float32 are far beyond what a ranking model needs. */
const mostBytes = 2 ** 31;
const mostEntries = 20_000;
/** What is compressed is code and its debug information, never weights. */
const mostInflatedBytes = 2 ** 26;

const methods = { stored: 0, deflated: 8 } as const;
/** Sizes that follow the data, and names in UTF-8. */
const allowedFlags = 0x0808;
const sizesFollow = 0x0008;
const localHeaderBytes = 30;
const descriptorBytes = 16;
const descriptorSignature = 0x0807_4b50;
/** The extra field with which LibTorch pads a local header, so that tensors are aligned. */
const paddingField = 0x4246;

/** The entries of a zip archive by their names below its one root folder. */
export type ArchiveEntries = ReadonlyMap<string, Buffer>;

/**
 * Reads a whole archive, and trusts none of it: entries lie end to end from the first byte, local
 * headers say what the central directory says, sizes are the actual ones, and every CRC-32 holds.
 * LibTorch's own reader checks none of this. Throws `MODEL_CORRUPT` or `MODEL_REFUSED`.
 * @internal
 */
export async function readArchive(bytes: Buffer, name: ArchiveName): Promise<ArchiveEntries> {
  const directory = checkArchiveEnd(bytes, name);
  if (directory.entries === 0) throw corruptArchive(name, 'it has no entries');
  if (directory.entries > mostEntries) {
    throw refusedArchive(name, `it has ${directory.entries} entries; ${mostEntries} are allowed`);
  }
  // Loaded here, because a process that loads no model needs no reader of archives.
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- An import could not wait.
  const { fromBufferPromise } = require('yauzl') as typeof Yauzl;
  const reader = new ArchiveReader(bytes, name);
  try {
    const zip = await fromBufferPromise(bytes, { lazyEntries: true, decodeStrings: false });
    for await (const entry of zip.eachEntry()) await reader.add(zip, entry);
  } catch (error) {
    if (error instanceof Error && 'code' in error && String(error.code).startsWith('MODEL_')) {
      throw error;
    }
    const message = error instanceof Error ? error.message : String(error);
    throw corruptArchive(name, describeText(message), error);
  }
  return reader.finish(directory.offset);
}

interface Extent {
  readonly entry: string;
  readonly start: number;
  readonly end: number;
}

class ArchiveReader {
  readonly #entries = new Map<string, Buffer>();
  readonly #lowerCaseNames = new Set<string>();
  readonly #extents: Extent[] = [];
  #root: string | undefined;
  #bytes = 0;
  #inflated = 0;

  constructor(
    readonly archive: Buffer,
    readonly name: ArchiveName,
  ) {}

  async add(zip: ZipFile, entry: Entry): Promise<void> {
    const inside = this.#checkName(nameOf(entry));
    this.#checkKind(entry);
    this.#bytes += entry.uncompressedSize;
    if (this.#bytes > mostBytes) {
      throw refusedArchive(this.name, `its entries unpack to more than ${mostBytes} bytes`);
    }
    const header = await zip.readLocalFileHeaderPromise(entry);
    const end = this.#checkLocalHeader(entry, header);
    this.#extents.push({
      entry: nameOf(entry),
      start: entry.relativeOffsetOfLocalHeader,
      end,
    });
    const data = this.#unpack(entry, header);
    if ((await crc32Of(data)) !== entry.crc32) {
      throw corruptArchive(this.name, `CRC-32 of ${describeText(nameOf(entry))} does not match`);
    }
    this.#entries.set(inside, data);
  }

  /** Every byte before the central directory belongs to one entry. */
  finish(directoryOffset: number): ArchiveEntries {
    let expected = 0;
    for (const { entry, start, end } of this.#extents.sort((a, b) => a.start - b.start)) {
      if (start !== expected) {
        throw refusedArchive(
          this.name,
          `${describeText(entry)} ${start < expected ? 'overlaps with' : 'leaves a gap behind'} the entry before it`,
        );
      }
      expected = end;
    }
    if (expected !== directoryOffset) {
      throw refusedArchive(this.name, 'bytes before its central directory belong to no entry');
    }
    return this.#entries;
  }

  #checkName(fileName: string): string {
    const refuse = (what: string) =>
      refusedArchive(this.name, `entry ${describeText(fileName)} ${what}`);
    if (!/^[\x20-\x7e]+$/.test(fileName)) throw refuse('has unusual characters in its name');
    if (fileName.includes('\\') || fileName.includes(':')) throw refuse('has an unusual name');
    const steps = fileName.split('/');
    if (steps.some((step) => step === '' || step === '.' || step === '..')) {
      throw refuse('has a path that leaves the archive, or is a folder');
    }
    const [root, ...rest] = steps;
    this.#root ??= root;
    if (root !== this.#root || rest.length === 0) {
      throw refuse(`is not in the root folder ${describeText(this.#root!)}`);
    }
    // LibTorch looks names up without regard to case.
    const lowerCase = fileName.toLowerCase();
    if (this.#lowerCaseNames.has(lowerCase)) throw refuse('is there twice');
    this.#lowerCaseNames.add(lowerCase);
    return rest.join('/');
  }

  #checkKind(entry: Entry): void {
    const refuse = (what: string) =>
      refusedArchive(this.name, `entry ${describeText(nameOf(entry))} ${what}`);
    const kind = (entry.externalFileAttributes >>> 16) & 0xf000;
    if (kind !== 0 && kind !== 0x8000) throw refuse('is a link, a folder or a device');
    if ((entry.generalPurposeBitFlag & ~allowedFlags) !== 0)
      throw refuse('is encrypted or patched');
    if (entry.extraFieldLength > 0 || entry.fileCommentLength > 0) {
      throw refuse('has a comment or extra fields');
    }
    if (entry.compressionMethod === methods.deflated) {
      this.#inflated += entry.uncompressedSize;
      if (this.#inflated > mostInflatedBytes) {
        throw refuse(`and those before it unpack to more than ${mostInflatedBytes} bytes`);
      }
    } else if (entry.compressionMethod !== methods.stored) {
      throw refuse(`is compressed by method ${entry.compressionMethod}`);
    } else if (entry.compressedSize !== entry.uncompressedSize) {
      throw refuse('is stored with two sizes');
    }
  }

  /** Where the entry ends. */
  #checkLocalHeader(entry: Entry, header: LocalFileHeader): number {
    const refuse = (what: string) =>
      refusedArchive(this.name, `entry ${describeText(nameOf(entry))} ${what}`);
    const differs = (crc: number, compressed: number, uncompressed: number) =>
      crc !== entry.crc32 ||
      compressed !== entry.compressedSize ||
      uncompressed !== entry.uncompressedSize;
    const follows = (entry.generalPurposeBitFlag & sizesFollow) !== 0;
    const { crc32, compressedSize, uncompressedSize } = header;
    const deferred = follows && crc32 === 0 && compressedSize === 0 && uncompressedSize === 0;
    if (
      !header.fileName.equals(entry.fileNameRaw) ||
      header.generalPurposeBitFlag !== entry.generalPurposeBitFlag ||
      header.compressionMethod !== entry.compressionMethod ||
      (!deferred && differs(crc32, compressedSize, uncompressedSize))
    ) {
      throw refuse('is described in two ways');
    }
    const { extraField } = header;
    if (
      extraField.length > 0 &&
      (extraField.length < 4 ||
        extraField.readUInt16LE(0) !== paddingField ||
        extraField.readUInt16LE(2) !== extraField.length - 4)
    ) {
      throw refuse('has extra fields that are not padding');
    }
    const expectedStart =
      entry.relativeOffsetOfLocalHeader +
      localHeaderBytes +
      header.fileNameLength +
      header.extraFieldLength;
    const end = expectedStart + entry.compressedSize;
    if (header.fileDataStart !== expectedStart || end > this.archive.length) {
      throw corruptArchive(this.name, `${describeText(nameOf(entry))} reaches beyond the end`);
    }
    if (!follows) return end;
    if (
      end + descriptorBytes > this.archive.length ||
      this.archive.readUInt32LE(end) !== descriptorSignature ||
      differs(
        this.archive.readUInt32LE(end + 4),
        this.archive.readUInt32LE(end + 8),
        this.archive.readUInt32LE(end + 12),
      )
    ) {
      throw refuse('is described in two ways');
    }
    return end + descriptorBytes;
  }

  #unpack(entry: Entry, header: LocalFileHeader): Buffer {
    const packed = this.archive.subarray(
      header.fileDataStart,
      header.fileDataStart + entry.compressedSize,
    );
    if (entry.compressionMethod === methods.stored) return packed;
    const shown = describeText(nameOf(entry));
    let result: { buffer: Buffer; engine: { bytesWritten: number } };
    try {
      result = inflateRawSync(packed, {
        info: true,
        // One more than declared, so that more can be told from just enough.
        maxOutputLength: entry.uncompressedSize + 1,
      }) as unknown as typeof result;
    } catch (error) {
      if ((error as { code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE') {
        throw refusedArchive(this.name, `entry ${shown} unpacks to more than it declares`);
      }
      throw corruptArchive(this.name, `${shown} cannot be unpacked`, error);
    }
    if (
      result.buffer.length !== entry.uncompressedSize ||
      result.engine.bytesWritten !== packed.length
    ) {
      throw refusedArchive(this.name, `entry ${shown} declares other sizes than it has`);
    }
    return result.buffer;
  }
}

/** One character a byte: names with other characters are refused. */
function nameOf(entry: Entry): string {
  return entry.fileNameRaw.toString('latin1');
}

/** Whatever an archive says, on one line and short. */
function describeText(text: string): string {
  return describeValue(text.replace(/[^\x20-\x7e]/g, '?'));
}
