import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { Bundle } from '../../src';
import { writeBundle } from '../../src/bundles/write-bundle';
import { expectRefusal } from '../support/errors';
import { temporaryFolder } from '../support/temporary-folder';
import { rankerParts, towerParts } from './small-ranker';

const root = path.resolve(__dirname, '../..');

/** Everything in a folder, with what it holds. */
function contents(folder: string): Record<string, string> {
  const names = fs.readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const files = names.filter((name) => fs.statSync(path.join(folder, name)).isFile());
  return Object.fromEntries(
    files.map((name) => [name, fs.readFileSync(path.join(folder, name), 'base64')]),
  );
}

/** Writes a copy of a bundle in a process whose files may not grow beyond some kilobytes. */
function writeWithin(kilobytes: number, from: string, to: string, force: boolean): string {
  const script = `
    const { Bundle } = require(${JSON.stringify(root)});
    const { writeBundle } = require(${JSON.stringify(path.join(root, 'dist/bundles/write-bundle.js'))});
    const { readFileSync } = require('node:fs');
    const [from, to, force] = process.argv.slice(1);
    (async () => {
      const { manifest: { ranker, training, data, metrics } } = await Bundle.open(from);
      const bytes = readFileSync(from + '/ranker.pt');
      // Longer than the limit, by something that a manifest may hold.
      const parts = { ranker: { ...ranker, bytes }, training, data: { note: 'x'.repeat(40000) }, metrics };
      await writeBundle(to, parts, { force: force === 'true' });
      console.log('written');
    })().catch((error) => console.log([error.code, error.argument, error.cause?.code].join(' ')));`;
  const command = `ulimit -f ${kilobytes}; exec "$@"`;
  const { status, signal, stdout, stderr } = spawnSync(
    'bash',
    ['-c', command, 'bash', process.execPath, '-e', script, from, to, String(force)],
    { encoding: 'utf8', env: { ...process.env, NODE_OPTIONS: '' } },
  );
  return status === 0 ? stdout.trim() : `${status} ${signal} ${stderr}`;
}

test.each([
  ['a file of the bundle', 1],
  ['its manifest', 16],
])(
  'where the disk ends within %s, nothing is left, and an older bundle is as it was',
  async (_, kilobytes) => {
    const folder = temporaryFolder();
    const older = path.join(folder, 'older');
    await writeBundle(older, await rankerParts());
    const before = contents(folder);
    expect(Object.keys(before).sort()).toEqual(['older/manifest.json', 'older/ranker.pt']);
    const refused = 'FILE_NOT_WRITTEN path EFBIG';
    expect(writeWithin(kilobytes, older, path.join(folder, 'newer'), false)).toBe(refused);
    expect(contents(folder)).toEqual(before);
    expect(fs.readdirSync(folder)).toEqual(['older']);
    expect(writeWithin(kilobytes, older, older, true)).toBe(refused);
    expect(contents(folder)).toEqual(before);
    expect(fs.readdirSync(folder)).toEqual(['older']);
    expect(writeWithin(1000, older, older, true)).toBe('written');
    expect(fs.readdirSync(folder)).toEqual(['older']);
    expect((await Bundle.open(older)).manifest.data).toEqual({ note: 'x'.repeat(40_000) });
  },
);

test('an existing target is refused, unless force replaces a bundle by a bundle', async () => {
  const folder = temporaryFolder();
  const target = path.join(folder, 'bundle');
  await writeBundle(target, await rankerParts());
  const before = contents(folder);
  const parts = await towerParts();
  await expectRefusal(() => writeBundle(target, parts), {
    code: 'OUTPUT_EXISTS',
    argument: 'path',
    message: /only force replaces/,
  });
  expect(contents(folder)).toEqual(before);
  await writeBundle(target, parts, { force: true });
  expect(fs.readdirSync(folder)).toEqual(['bundle']);
  expect((await Bundle.open(target)).towers).toBeDefined();
  await writeBundle(path.join(folder, 'fresh'), parts, { force: true });
  expect(fs.readdirSync(folder).sort()).toEqual(['bundle', 'fresh']);
});

test('force replaces nothing but bundles and empty folders', async () => {
  const folder = temporaryFolder();
  const file = path.join(folder, 'file');
  const full = path.join(folder, 'full');
  const empty = path.join(folder, 'empty');
  fs.writeFileSync(file, 'precious');
  fs.mkdirSync(full);
  fs.writeFileSync(path.join(full, 'notes'), 'precious');
  fs.mkdirSync(empty);
  const before = contents(folder);
  const parts = await rankerParts();
  for (const target of [file, full]) {
    for (const force of [false, true]) {
      await expectRefusal(() => writeBundle(target, parts, { force }), { code: 'OUTPUT_EXISTS' });
    }
  }
  expect(contents(folder)).toEqual(before);
  await writeBundle(empty, parts, { force: true });
  expect((await Bundle.open(empty)).ranker).toBeDefined();
});

test('a target in no folder, or below a file, is not written', async () => {
  const folder = temporaryFolder();
  fs.writeFileSync(path.join(folder, 'file'), 'x');
  const parts = await rankerParts();
  for (const target of ['nowhere/bundle', 'file/bundle', `${'x'.repeat(5000)}`]) {
    await expectRefusal(() => writeBundle(path.join(folder, target), parts), {
      code: 'FILE_NOT_WRITTEN',
      argument: 'path',
    });
  }
  expect(fs.readdirSync(folder)).toEqual(['file']);
});
