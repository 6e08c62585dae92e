import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { cacheDir } from '../../lib/find-libtorch.js';
import { PLATFORM_PACKAGE, PLATFORM_PACKAGE_VERSION } from '../../lib/libtorch-release.js';
import { packLibTorch, packRelease, packRoot } from '../../scripts/release/pack.js';
import { newestVersions, versionProblems } from '../../scripts/release/symbol-versions.js';
import { writeTarball } from '../../scripts/release/tarball.js';
import { stagePrebuild } from '../install/stage-prebuild.js';
import { temporaryFolder } from '../support/temporary-folder';

const root = path.resolve(__dirname, '../..');
const folder = temporaryFolder();
const prebuilds = stagePrebuild(path.join(folder, 'prebuilds'));
const release = path.join(root, 'release');

// A clone that was set up with another LibTorch has none to pack.
const hasLibTorch = fs.existsSync(path.join(cacheDir(), 'feedrank-libtorch.json'));
const [described, tested] = hasLibTorch ? [describe, test] : [describe.skip, test.skip];

type Manifest = Record<string, unknown>;

function hash(file: string): string {
  return createHash('sha256').update(fs.readFileSync(file)).digest('hex');
}

/** Unpacks a tarball. */
function unpack(file: string): string {
  const target = fs.mkdtempSync(path.join(folder, 'unpacked-'));
  execFileSync('tar', ['-xzf', file, '--strip-components=1', '-C', target]);
  return target;
}

function filesIn(dir: string): string[] {
  return fs
    .readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .filter((name) => fs.statSync(path.join(dir, name)).isFile());
}

function manifestIn(dir: string): Manifest {
  return JSON.parse(fs.readFileSync(path.join(dir, 'package.json'), 'utf8')) as Manifest;
}

describe('the root package', () => {
  let tarball: string;
  let packed: string;

  beforeAll(async () => {
    tarball = await packRoot({ prebuilds, out: path.join(folder, 'first') });
    packed = unpack(tarball);
  });

  test('packed twice it is the same bytes, whenever its files were written', async () => {
    const again = path.join(folder, 'prebuilds-again');
    fs.cpSync(prebuilds, again, { recursive: true });
    for (const name of filesIn(again)) {
      fs.utimesSync(path.join(again, name), 1_000_000, 1_000_000);
      fs.chmodSync(path.join(again, name), 0o600);
    }
    const second = await packRoot({ prebuilds: again, out: path.join(folder, 'second') });
    expect(hash(second)).toBe(hash(tarball));
  });

  test('it has no script, and asks for the platform package by its exact version', () => {
    const manifest = manifestIn(packed);
    expect(manifest).not.toHaveProperty('scripts');
    expect(manifest).not.toHaveProperty('devDependencies');
    expect(manifest['gypfile']).toBe(false);
    expect(manifest['optionalDependencies']).toEqual({
      [PLATFORM_PACKAGE]: PLATFORM_PACKAGE_VERSION,
    });
    // In a clone npm would look for a package that is not published.
    expect(manifestIn(root)).not.toHaveProperty('optionalDependencies');
  });

  test('it holds the addon, the facade and the sources, and none of our tests or tools', () => {
    const names = filesIn(packed);
    expect(names).toEqual(
      expect.arrayContaining([
        'prebuilds/linux-x64/feedrank.glibc.node',
        'prebuilds/linux-x64/feedrank_native.so',
        'dist/index.js',
        'dist/esm.mjs',
        'lib/load-addon.js',
        'lib/build-native.js',
        'CMakeLists.txt',
        'native/loader/loader.cc',
        'LICENSE',
      ]),
    );
    expect(
      names.filter((name) => /^(test|bench|src|build|scripts|binding\.gyp)|setup/.test(name)),
    ).toEqual([]);
  });

  test('one that is too large is refused', async () => {
    await expect(
      packRoot({ prebuilds, out: path.join(folder, 'large'), limit: 1_000_000 }),
    ).rejects.toThrow(/^feedrank-.*\.tgz has \d+ bytes, and 1000000 are the limit$/);
  });

  test('one without an addon is refused', async () => {
    const out = path.join(folder, 'none');
    await expect(packRoot({ prebuilds: out, out })).rejects.toThrow(
      /holds no loader tagged with its C library\nfeedrank_native\.so is missing/,
    );
  });
});

described('the platform package', () => {
  let packed: string;

  beforeAll(async () => {
    packed = unpack(await packLibTorch({ out: release }));
  });

  test('it says where it may be installed, and holds the three libraries alone', () => {
    expect(manifestIn(packed)).toMatchObject({
      name: PLATFORM_PACKAGE,
      version: PLATFORM_PACKAGE_VERSION,
      os: ['linux'],
      cpu: ['x64'],
      libc: ['glibc'],
    });
    expect(manifestIn(packed)).not.toHaveProperty('scripts');
    expect(fs.readdirSync(path.join(packed, 'lib')).sort()).toEqual([
      'libc10.so',
      'libgomp.so.1',
      'libtorch_cpu.so',
    ]);
    for (const name of fs.readdirSync(path.join(packed, 'lib'))) {
      const sections = execFileSync('readelf', ['-SW', path.join(packed, 'lib', name)], {
        encoding: 'utf8',
      });
      expect(sections).toContain('.dynsym');
      expect(sections).not.toMatch(/\.symtab|\.debug_/);
    }
  });

  test('it holds every licence that the wheel names, and those of MKL and of GCC', () => {
    const metadata = fs.readFileSync(path.join(cacheDir(), 'METADATA'), 'utf8');
    const named = [...metadata.matchAll(/^License-File: (.+)$/gm)].map(([, name]) => name!);
    expect(named.length).toBeGreaterThan(50);
    const texts = filesIn(path.join(packed, 'licenses/torch'));
    expect(texts).toEqual(expect.arrayContaining(named));

    const first = (name: string) =>
      fs
        .readFileSync(path.join(packed, 'licenses', name), 'utf8')
        .trim()
        .split('\n')[0]
        ?.trim();
    expect(first('intel-mkl.txt')).toBe('Intel Simplified Software License (Version October 2022)');
    expect(first('intel-mkl-third-party.txt')).toMatch(/oneMKL\) Third Party Programs File$/);
    expect(first('gcc-gpl-3.0.txt')).toBe('GNU GENERAL PUBLIC LICENSE');
    expect(first('gcc-runtime-library-exception-3.1.txt')).toBe('GCC RUNTIME LIBRARY EXCEPTION');
  });

  test('its notice covers what is linked into the libraries, and names texts that are there', () => {
    const notice = fs.readFileSync(path.join(packed, 'NOTICE'), 'utf8');
    expect(notice).not.toContain('@');
    for (const [text] of notice.matchAll(/licenses\/[a-z0-9.-]+/g)) {
      expect(fs.existsSync(path.join(packed, text.replace(/\.$/, '')))).toBe(true);
    }
    // The libraries say themselves what they hold of others.
    const library = fs.readFileSync(path.join(packed, 'lib/libtorch_cpu.so'));
    expect(library.includes('oneAPI Math Kernel Library')).toBe(true);
    expect(notice).toContain('Intel oneAPI Math Kernel Library');
    expect(notice).toContain('libstdc++');
    expect(notice).toContain('libgomp.so.1');
  });
});

tested('docs/installing.md names the package, the size and the floors that hold', async () => {
  const page = fs.readFileSync(path.join(root, 'docs/installing.md'), 'utf8');
  const { size } = fs.statSync(await packLibTorch({ out: release }));
  // Versions of Node.js compress a little differently.
  const told = Number(/libtorch-linux-x64-gnu` \| (\d+) MB/.exec(page)?.[1]);
  expect(Math.abs(size / 1e6 - told)).toBeLessThan(3);
  expect(page).toContain(`npm install ${PLATFORM_PACKAGE}@${PLATFORM_PACKAGE_VERSION}`);
  expect(page).toContain('GLIBC_2.34, GLIBCXX_3.4.29 and CXXABI_1.3.13');
  expect(versionProblems('Version References: GLIBC_2.35')[0]).toContain('2.34 is the floor');
  // What the errors' table quotes is what the loader says.
  const loader = fs.readFileSync(path.join(root, 'lib/load-addon.js'), 'utf8');
  const quoted = [...page.matchAll(/^\| ((?:`[^`]+`(?:, )?)+) +\|/gm)].flatMap(([, cell]) =>
    [...cell!.matchAll(/`([^`]+)`/g)].map(([, text]) => text!.replaceAll('…', '').trim()),
  );
  const messages = quoted.filter((text) => !/^(feedrank|@feedrank.*|BUILD_FAILED)$/.test(text));
  expect(messages.length).toBeGreaterThanOrEqual(7);
  for (const text of messages) expect(loader).toContain(text);
});

tested('the checksums are those of the tarballs, in the form that sha256sum reads', async () => {
  // The large one is taken as it lies there, where it is packed already.
  await packLibTorch({ out: release });
  const out = path.join(folder, 'release');
  fs.mkdirSync(out);
  for (const name of fs.readdirSync(release)) {
    if (name.includes('libtorch')) fs.linkSync(path.join(release, name), path.join(out, name));
  }
  const files = await packRelease({ prebuilds, out });
  expect(files.map((file) => path.basename(file))).toEqual([
    `feedrank-libtorch-linux-x64-gnu-${PLATFORM_PACKAGE_VERSION}.tgz`,
    expect.stringMatching(/^feedrank-\d+\.\d+\.\d+\.tgz$/),
  ]);
  const { status } = spawnSync('sha256sum', ['--check', '--strict', 'SHA256SUMS'], { cwd: out });
  expect(status).toBe(0);
});

test('names of files are packed in one order, whatever order they were made in', async () => {
  const names = ['package.json', 'b.js', 'a/z.js', 'a.js', '@odd.js'];
  const made = [names, [...names].reverse()].map((order, i) => {
    const dir = path.join(folder, `order-${i}`);
    for (const name of order) {
      fs.mkdirSync(path.dirname(path.join(dir, name)), { recursive: true });
      fs.writeFileSync(path.join(dir, name), name);
    }
    return dir;
  });
  for (const dir of made) await writeTarball(dir, `${dir}.tgz`);
  expect(hash(`${made[0]}.tgz`)).toBe(hash(`${made[1]}.tgz`));
  expect(filesIn(unpack(`${made[0]}.tgz`)).sort()).toEqual([...names].sort());
});

describe('the gate of symbol versions', () => {
  const listing = (...needed: string[]) =>
    [
      'Version definitions:\n1 0x00 0x0 GLIBC_9.9\n\nVersion References:',
      '  required from libc.so.6:',
      ...needed.map((name) => `    0x06969197 0x00 09 ${name}`),
    ].join('\n');

  test('finds the newest of each library, by number and not by text', () => {
    expect(newestVersions(listing('GLIBC_2.4', 'GLIBC_2.34', 'GLIBCXX_3.4.9'))).toEqual({
      GLIBC: [2, 34],
      GLIBCXX: [3, 4, 9],
    });
  });

  test.each([
    ['GLIBC_2.35', 'it needs GLIBC_2.35, and 2.34 is the floor'],
    ['GLIBC_3', 'it needs GLIBC_3, and 2.34 is the floor'],
    ['GLIBCXX_3.4.30', 'it needs GLIBCXX_3.4.30, and 3.4.29 is the floor'],
    ['CXXABI_1.3.13.1', 'it needs CXXABI_1.3.13.1, and 1.3.13 is the floor'],
  ])('refuses %s', (needed, problem) => {
    expect(versionProblems(listing('GLIBC_2.2.5', needed))).toEqual([problem]);
  });

  test('accepts the floor itself', () => {
    const floor = ['GLIBC_2.34', 'GLIBCXX_3.4.29', 'CXXABI_1.3.13'];
    expect(versionProblems(listing(...floor))).toEqual([]);
  });
});
