import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { cacheDir, findLibTorch, readVersion } from '../../lib/find-libtorch.js';

let folder: string;

beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'feedrank-find-'));
});

afterEach(() => {
  fs.rmSync(folder, { recursive: true });
});

/** A folder that looks like LibTorch of some version. */
function fakeLibTorch(dir: string, version: string): string {
  fs.mkdirSync(path.join(dir, 'lib'), { recursive: true });
  fs.writeFileSync(path.join(dir, 'lib/libc10.so'), '');
  fs.writeFileSync(path.join(dir, 'lib/libtorch_cpu.so'), '');
  fs.writeFileSync(path.join(dir, 'version.py'), `__version__ = '${version}'\n`);
  return dir;
}

/** An environment in which nothing but what a test puts there is found. */
function environment(extra: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  return { HOME: folder, PATH: path.join(folder, 'bin'), ...extra };
}

describe('findLibTorch', () => {
  it('takes FEEDRANK_LIBTORCH first', () => {
    const dir = fakeLibTorch(path.join(folder, 'mine'), '2.13.0+cpu');
    fakeLibTorch(cacheDir(environment()), '2.13.0');
    const { found } = findLibTorch({ env: environment({ FEEDRANK_LIBTORCH: dir }) });
    expect(found).toEqual({ dir, version: '2.13.0+cpu', source: 'FEEDRANK_LIBTORCH' });
  });

  it('tries nothing else when FEEDRANK_LIBTORCH is wrong', () => {
    fakeLibTorch(cacheDir(environment()), '2.13.0');
    const { found, misses } = findLibTorch({ env: environment({ FEEDRANK_LIBTORCH: '/none' }) });
    expect(found).toBeUndefined();
    expect(misses).toEqual([
      { where: 'FEEDRANK_LIBTORCH (/none)', why: 'there is no such folder' },
    ]);
  });

  it.each([
    ['2.10.0', false],
    ['2.11.0', true],
    ['2.13.1', true],
    ['1.13.1', false],
  ])('of an explicit LibTorch %s says %s', (version, accepted) => {
    const dir = fakeLibTorch(path.join(folder, 'mine'), version);
    const { found } = findLibTorch({ env: environment({ FEEDRANK_LIBTORCH: dir }) });
    expect(found !== undefined).toBe(accepted);
  });

  it.each(['2.12.1', '2.14.0'])('refuses LibTorch %s in the cache', (version) => {
    fakeLibTorch(cacheDir(environment()), version);
    const { found, misses } = findLibTorch({ env: environment() });
    expect(found).toBeUndefined();
    expect(misses.map(({ why }) => why)).toContainEqual(
      `it is LibTorch ${version}, and 2.13 is needed`,
    );
  });

  it('finds the torch that Python would import', () => {
    const dir = fakeLibTorch(path.join(folder, 'site/torch'), '2.13.0+cu130');
    fs.mkdirSync(path.join(folder, 'bin'));
    fs.writeFileSync(path.join(folder, 'bin/python3'), `#!/bin/sh\necho ${dir}\n`, { mode: 0o755 });
    const { found } = findLibTorch({ env: environment() });
    expect(found).toEqual({ dir, version: '2.13.0+cu130', source: "Python's torch" });
  });

  it('names every place that it looked at', () => {
    const { found, misses } = findLibTorch({ env: environment() });
    expect(found).toBeUndefined();
    expect(misses.map(({ where }) => where)).toEqual([
      'FEEDRANK_LIBTORCH',
      'the package @feedrank/libtorch-linux-x64-gnu',
      `the cache (${cacheDir(environment())})`,
      "Python's torch",
    ]);
  });

  it('asks for the headers only to compile', () => {
    const dir = fakeLibTorch(path.join(folder, 'mine'), '2.13.0');
    const env = environment({ FEEDRANK_LIBTORCH: dir });
    expect(findLibTorch({ env }).found).toMatchObject({ dir });
    expect(findLibTorch({ env, headers: true }).found).toBeUndefined();
  });
});

test('the cache obeys XDG_CACHE_HOME unless it is relative', () => {
  const name = 'feedrank/libtorch-2.13.0-cpu';
  expect(cacheDir({ HOME: '/h' })).toBe(`/h/.cache/${name}`);
  expect(cacheDir({ HOME: '/h', XDG_CACHE_HOME: '/x' })).toBe(`/x/${name}`);
  expect(cacheDir({ HOME: '/h', XDG_CACHE_HOME: 'x' })).toBe(`/h/.cache/${name}`);
});

test('the version is read from the headers when nothing else tells it', () => {
  const header = path.join(folder, 'include/torch/headeronly/version.h');
  fs.mkdirSync(path.dirname(header), { recursive: true });
  const parts = Object.entries({ MAJOR: 2, MINOR: 13, PATCH: 1 });
  fs.writeFileSync(header, parts.map(([k, v]) => `#define TORCH_VERSION_${k} ${v}\n`).join(''));
  expect(readVersion(folder)).toBe('2.13.1');
});
