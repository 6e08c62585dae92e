import fs from 'node:fs';
import path from 'node:path';
import { Bundle } from '../../src';
import { writeBundle } from '../../src/bundles/write-bundle';
import { refusal } from '../support/errors';
import { Lcg } from '../support/random';
import { temporaryFolder } from '../support/temporary-folder';
import { towerParts } from './small-ranker';

async function written(): Promise<string> {
  const folder = path.join(temporaryFolder(), 'bundle');
  await writeBundle(folder, await towerParts());
  return folder;
}

/** Opens the bundle with one byte of a file changed in place, and puts it back. */
async function refusedWith(file: string, at: number, was: number, change: number): Promise<string> {
  const handle = fs.openSync(file, 'r+');
  try {
    fs.writeSync(handle, Uint8Array.of(was ^ change), 0, 1, at);
    const { code, message } = await refusal(() => Bundle.open(path.dirname(file)));
    return `${code}: ${message}`;
  } finally {
    fs.writeSync(handle, Uint8Array.of(was), 0, 1, at);
    fs.closeSync(handle);
  }
}

test('a bundle with any one byte of its manifest changed is refused', async () => {
  const folder = await written();
  const file = path.join(folder, 'manifest.json');
  const bytes = fs.readFileSync(file);
  const random = new Lcg(1);
  expect(bytes.length).toBeGreaterThan(1000);
  for (const [at, was] of bytes.entries()) {
    const change = 1 + random.below(255);
    expect({ at, change, told: await refusedWith(file, at, was, change) }).toEqual({
      at,
      change,
      told: expect.stringMatching(/^BUNDLE_CORRUPT: path: manifest\.json of bundle /) as string,
    });
  }
  expect((await Bundle.open(folder)).ranker).toBeDefined();
});

test('10,000 changes of one byte, anywhere in a bundle, are refused with the file named', async () => {
  const folder = await written();
  const files = fs.readdirSync(folder).map((name) => ({
    name,
    file: path.join(folder, name),
    bytes: fs.readFileSync(path.join(folder, name)),
  }));
  expect(files.map(({ name }) => name).sort()).toEqual([
    ...['item-ids.json', 'item-tower.pt', 'item-vectors.f32'],
    ...['manifest.json', 'ranker.pt', 'user-tower.pt'],
  ]);
  const random = new Lcg(2);
  const changed = new Map<string, number>();
  for (let i = 0; i < 10_000; i++) {
    const { name, file, bytes } = files[i % files.length]!;
    const at = random.below(bytes.length);
    const change = 1 + random.below(255);
    const told = await refusedWith(file, at, bytes[at]!, change);
    if (!told.startsWith(`BUNDLE_CORRUPT: path: ${name} of bundle `)) {
      throw new Error(`${name}, byte ${at} ^ ${change}: ${told}`);
    }
    changed.set(name, (changed.get(name) ?? 0) + 1);
  }
  expect([...changed.values()].every((count) => count >= 1666)).toBe(true);
  expect((await Bundle.open(folder)).ranker).toBeDefined();
});

test('a bundle with a file that is shorter, longer, missing or no file is refused with it named', async () => {
  for (const name of ['ranker.pt', 'item-vectors.f32', 'item-ids.json']) {
    const folder = await written();
    const file = path.join(folder, name);
    const bytes = fs.readFileSync(file);
    const changes = [
      () => fs.writeFileSync(file, bytes.subarray(0, -1)),
      () => fs.writeFileSync(file, Buffer.concat([bytes, Buffer.alloc(1)])),
      () => fs.writeFileSync(file, ''),
      () => fs.rmSync(file),
      () => fs.mkdirSync(file),
    ];
    for (const change of changes) {
      change();
      const { code, message } = await refusal(() => Bundle.open(folder));
      expect(code).toBe('BUNDLE_CORRUPT');
      expect(message).toContain(name);
    }
  }
});

test('a manifest cut anywhere is refused', async () => {
  const folder = await written();
  const file = path.join(folder, 'manifest.json');
  const bytes = fs.readFileSync(file);
  for (let length = 0; length < bytes.length; length += length < bytes.length - 200 ? 97 : 1) {
    fs.writeFileSync(file, bytes.subarray(0, length));
    expect((await refusal(() => Bundle.open(folder))).code).toBe('BUNDLE_CORRUPT');
  }
});
