import fs from 'node:fs';
import path from 'node:path';
import { Model, type ErrorCode } from '../../src';
import { expectRefusal } from '../support/errors';
import { temporaryFolder } from '../support/temporary-folder';
import { zipArchive, type ZipEntry } from '../support/zip-archive';
import { archiveOf, features, rankerBytes, rankerEntries } from './small-ranker';

const description = { formatVersion: 1, features };

async function load(bytes: Uint8Array): Promise<Model> {
  const file = path.join(temporaryFolder(), 'ranker.pt');
  fs.writeFileSync(file, bytes);
  return Model.load(file, { allowUnverified: true, description });
}

/** The entries of a real model, as a list to change. */
async function entryList(): Promise<ZipEntry[]> {
  return [...(await rankerEntries())].map(([name, data]) => ({ name: `ranker/${name}`, data }));
}

const changed = (
  entries: readonly ZipEntry[],
  name: string,
  change: Partial<ZipEntry>,
): ZipEntry[] =>
  entries.map((entry) => (entry.name === `ranker/${name}` ? { ...entry, ...change } : entry));

test('a real model that is packed anew, stored or deflated, still loads', async () => {
  const entries = await entryList();
  for (const method of [0, 8]) {
    const model = await load(zipArchive(entries.map((entry) => ({ ...entry, method }))));
    expect([...(await model.score([1, 2]))]).toEqual([5, 0]);
  }
});

const extra: ZipEntry = { name: 'ranker/extra/note', data: 'x' };

test.each<[string, ErrorCode, RegExp, (entries: ZipEntry[]) => Buffer]>([
  [
    'an entry that leaves its folder',
    'MODEL_REFUSED',
    /leaves the archive/,
    (entries) => zipArchive([...entries, { ...extra, name: 'ranker/extra/../../note' }]),
  ],
  [
    'an entry that begins with ..',
    'MODEL_REFUSED',
    /leaves the archive/,
    (entries) => zipArchive([...entries, { ...extra, name: '../note' }]),
  ],
  [
    'an absolute path',
    'MODEL_REFUSED',
    /leaves the archive/,
    (entries) => zipArchive([...entries, { ...extra, name: '/etc/note' }]),
  ],
  [
    'a backslash',
    'MODEL_REFUSED',
    /unusual name/,
    (entries) => zipArchive([...entries, { ...extra, name: 'ranker\\extra\\note' }]),
  ],
  [
    'a drive',
    'MODEL_REFUSED',
    /unusual name/,
    (entries) => zipArchive([...entries, { ...extra, name: 'C:/note' }]),
  ],
  [
    'a control character',
    'MODEL_REFUSED',
    /unusual characters/,
    (entries) => zipArchive([...entries, { ...extra, name: 'ranker/extra/a\u0000b' }]),
  ],
  [
    'a second root',
    'MODEL_REFUSED',
    /not in the root folder "ranker"/,
    (entries) => zipArchive([...entries, { ...extra, name: 'other/extra/note' }]),
  ],
  [
    'an entry beside the root',
    'MODEL_REFUSED',
    /not in the root folder/,
    (entries) => zipArchive([...entries, { ...extra, name: 'ranker' }]),
  ],
  [
    'an entry twice',
    'MODEL_REFUSED',
    /"ranker\/data\.pkl" is there twice/,
    (entries) => zipArchive([...entries, { ...extra, name: 'ranker/data.pkl' }]),
  ],
  [
    'an entry twice but for its case',
    'MODEL_REFUSED',
    /"ranker\/DATA\.pkl" is there twice/,
    (entries) => zipArchive([...entries, { ...extra, name: 'ranker/DATA.pkl' }]),
  ],
  [
    'a folder',
    'MODEL_REFUSED',
    /is a folder/,
    (entries) => zipArchive([...entries, { ...extra, name: 'ranker/extra/' }]),
  ],
  [
    'a symbolic link',
    'MODEL_REFUSED',
    /link/,
    (entries) => zipArchive([...entries, { ...extra, mode: 0o120777, data: '/etc/passwd' }]),
  ],
  [
    'a device',
    'MODEL_REFUSED',
    /device/,
    (entries) => zipArchive([...entries, { ...extra, mode: 0o020777 }]),
  ],
  [
    'an encrypted entry',
    'MODEL_REFUSED',
    /encrypted/,
    (entries) => zipArchive([...entries, { ...extra, flags: 1, method: 8 }]),
  ],
  [
    'a third method of compression',
    'MODEL_REFUSED',
    /method 12/,
    (entries) => zipArchive([...entries, { ...extra, method: 12 }]),
  ],
  [
    'a bomb that declares its size',
    'MODEL_REFUSED',
    /unpack to more than 67108864 bytes/,
    (entries) => zipArchive([...entries, { ...extra, method: 8, data: Buffer.alloc(2 ** 26 + 1) }]),
  ],
  [
    'a bomb that declares less than it has',
    'MODEL_REFUSED',
    /unpacks to more than it declares/,
    (entries) =>
      zipArchive([
        ...entries,
        { ...extra, method: 8, data: Buffer.alloc(2 ** 26), uncompressedSize: 1000 },
      ]),
  ],
  [
    'an entry that declares more than it has',
    'MODEL_REFUSED',
    /declares other sizes/,
    (entries) =>
      zipArchive([...entries, { ...extra, method: 8, data: 'abc', uncompressedSize: 4 }]),
  ],
  [
    'deflated data with more behind it',
    'MODEL_REFUSED',
    /overlaps|declares other sizes/,
    (entries) => {
      const method = 8;
      return zipArchive([{ ...extra, method, data: 'abc', compressedSize: 40 }, ...entries]);
    },
  ],
  [
    'a stored entry of two sizes',
    'MODEL_CORRUPT',
    /size mismatch/,
    (entries) => zipArchive([...entries, { ...extra, uncompressedSize: 5 }]),
  ],
  [
    'entries of gigabytes',
    'MODEL_REFUSED',
    /more than 2147483648 bytes/,
    (entries) => {
      const size = 2 ** 31 + 1;
      return zipArchive([...entries, { ...extra, uncompressedSize: size, compressedSize: size }]);
    },
  ],
  [
    'an entry that reaches beyond the end',
    'MODEL_CORRUPT',
    /"ranker\/extra\/note"|EOF|overflow/,
    (entries) =>
      zipArchive([...entries, { ...extra, uncompressedSize: 10_000, compressedSize: 10_000 }]),
  ],
  [
    'a wrong CRC-32',
    'MODEL_CORRUPT',
    /CRC-32 of "ranker\/data\/0" does not match/,
    (entries) => zipArchive(changed(entries, 'data/0', { crc: 5 })),
  ],
  [
    'a local header of another name',
    'MODEL_REFUSED',
    /"ranker\/data\.pkl" is described in two ways/,
    (entries) => zipArchive(changed(entries, 'data.pkl', { local: { name: 'ranker/else.pkl' } })),
  ],
  [
    'a local header of another method',
    'MODEL_REFUSED',
    /described in two ways/,
    (entries) => zipArchive(changed(entries, 'data.pkl', { local: { method: 8 } })),
  ],
  [
    'a local header of another CRC-32',
    'MODEL_REFUSED',
    /described in two ways/,
    (entries) => zipArchive(changed(entries, 'data.pkl', { local: { crc: 5 } })),
  ],
  [
    'a gap between entries',
    'MODEL_REFUSED',
    /leaves a gap/,
    (entries) => zipArchive(changed(entries, 'data.pkl', { gap: 3 })),
  ],
  [
    'entries that overlap',
    'MODEL_REFUSED',
    /overlaps/,
    (entries) => {
      // A whole entry within the data of another.
      const inner = zipArchive([extra]).subarray(0, 30 + extra.name.length + 1);
      const outer: ZipEntry = { name: 'ranker/extra/outer', data: inner };
      return zipArchive([...entries, outer, { ...extra, shift: -(inner.length + 0) }]);
    },
  ],
  [
    'a comment of an entry',
    'MODEL_REFUSED',
    /comment/,
    (entries) => zipArchive([...entries, { ...extra, comment: 'x' }]),
  ],
  [
    'extra fields of an entry',
    'MODEL_REFUSED',
    /extra fields/,
    (entries) => zipArchive([...entries, { ...extra, extra: Buffer.from('AB\u0000\u0000') }]),
  ],
  [
    'a comment',
    'MODEL_CORRUPT',
    /does not end as a zip/,
    (entries) => zipArchive(entries, { comment: 'comment' }),
  ],
  [
    'trailing bytes',
    'MODEL_CORRUPT',
    /does not end as a zip/,
    (entries) => zipArchive(entries, { trailing: 'x' }),
  ],
  [
    'leading bytes',
    'MODEL_REFUSED',
    /central directory/,
    (entries) => Buffer.concat([Buffer.from('MZ'), zipArchive(entries)]),
  ],
  [
    'fewer entries than it counts',
    'MODEL_CORRUPT',
    /unexpected EOF/,
    (entries) => zipArchive(entries, { entryCount: entries.length + 1 }),
  ],
  [
    'more entries than it counts',
    'MODEL_REFUSED',
    /gap|no entry/,
    (entries) => zipArchive([...entries, extra], { entryCount: entries.length }),
  ],
  ['no entries', 'MODEL_CORRUPT', /no entries/, () => zipArchive([])],
  [
    'more entries than anybody needs',
    'MODEL_REFUSED',
    /20001 entries/,
    () =>
      zipArchive(
        Array.from({ length: 20_001 }, (_, i) => ({ name: `ranker/extra/${i}`, data: '' })),
      ),
  ],
  [
    'no data',
    'MODEL_CORRUPT',
    /no data\.pkl/,
    (entries) => zipArchive(entries.filter(({ name }) => name !== 'ranker/data.pkl')),
  ],
  [
    'no constants',
    'MODEL_CORRUPT',
    /no constants\.pkl/,
    (entries) => zipArchive(entries.filter(({ name }) => name !== 'ranker/constants.pkl')),
  ],
  [
    'an entry of an unknown kind',
    'MODEL_REFUSED',
    /an entry lib\.so/,
    (entries) => zipArchive([...entries, { name: 'ranker/lib.so', data: '\u007fELF' }]),
  ],
])('a file with %s is refused', async (_, code, message, build) => {
  const bytes = build(await entryList());
  await expectRefusal(() => load(bytes), { code, argument: 'path', message });
});

test('two central directories that disagree are refused, whichever a reader goes by', async () => {
  const bytes = await rankerBytes();
  const wideEnd = bytes.length - 22 - 20 - 56;
  expect(bytes.readUInt32LE(wideEnd)).toBe(0x06064b50);
  await expect(load(bytes)).resolves.toBeDefined();
  // Count, size and offset of the 64-bit form, its own place, and how large it says it is.
  for (const at of [4, 16, 24, 32, 40, 48, 56 + 8, 56 + 16]) {
    const forged = Buffer.from(bytes);
    forged.writeUInt8(forged.readUInt8(wideEnd + at) ^ 1, wideEnd + at);
    await expectRefusal(() => load(forged), {
      code: 'MODEL_REFUSED',
      message: /two central directories/,
    });
  }
});

test('a model with files of its maker beside its code loads', async () => {
  const model = await load(archiveOf(await rankerEntries(), extra));
  expect(model.heads).toHaveLength(2);
});
