import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { findLibTorch } from '../../lib/find-libtorch.js';
import { platformProblem } from '../../lib/load-addon.js';
import { temporaryFolder } from '../support/temporary-folder';

const root = path.resolve(__dirname, '../..');
const loader = JSON.stringify(path.join(root, 'lib/load-addon.js'));

/** Runs a script in a process of its own, because a library that was opened stays open. */
function run(
  script: string,
  env: NodeJS.ProcessEnv = {},
): { code: number | null; out: string; err: string } {
  const result = spawnSync(process.execPath, ['-e', script], {
    encoding: 'utf8',
    env: { ...process.env, NODE_OPTIONS: '', ...env },
  });
  return { code: result.status, out: result.stdout.trim(), err: result.stderr };
}

test('the addon is loaded once in a thread', () => {
  const { code, out, err } = run(`
    const { loadAddon, loadedLibTorch } = require(${loader});
    console.log(loadedLibTorch(), loadAddon() === loadAddon(), loadedLibTorch().version.slice(0, 2));
  `);
  expect({ code, out, err }).toEqual({ code: 0, out: 'undefined true 2.', err: '' });
});

test('the addon is loaded in worker threads, before and after the main thread', () => {
  const { code, out, err } = run(`
    const { Worker } = require('node:worker_threads');
    const script = 'require(' + ${JSON.stringify(loader)} + ').loadAddon()';
    const work = () => new Promise((resolve, reject) =>
      new Worker(script, { eval: true }).on('exit', resolve).on('error', reject));
    (async () => {
      const codes = [await work(), ...(await Promise.all([work(), work()]))];
      require(${loader}).loadAddon();
      codes.push(await work());
      console.log(codes.join(' '));
    })();
  `);
  expect({ code, out, err }).toEqual({ code: 0, out: '0 0 0 0', err: '' });
});

test('a missing LibTorch is an error that lists what was tried and what mends it', () => {
  const script = `
    try { require(${loader}).loadAddon(); } catch (e) {
      console.log(JSON.stringify([e.name, e.code, e.message, e instanceof Error]));
    }`;
  const { out } = run(script, {
    FEEDRANK_LIBTORCH: '',
    XDG_CACHE_HOME: '/nowhere',
    PATH: '/nowhere',
  });
  const [name, code, message, isError] = JSON.parse(out) as [string, string, string, boolean];
  expect([name, code, isError]).toEqual(['AddonLoadError', 'ADDON_LOAD_FAILED', true]);
  expect(message).toContain('LibTorch was not found');
  expect(message).toContain('the cache (/nowhere/feedrank/libtorch-2.13.0-cpu)');
  expect(message).toContain('To mend it: npm run setup');
});

const supported = 'feedrank runs on Linux on x64 with glibc 2.34 or later';

test.each([
  ['darwin', 'arm64', undefined, 'there is no build for darwin-arm64 yet'],
  ['linux', 'arm64', [2, 36], 'there is no build for linux-arm64 yet'],
  ['linux', 'x64', undefined, 'this system has no glibc, as Alpine has none'],
  ['linux', 'x64', [2, 31], 'this system has glibc 2.31'],
] as const)('%s-%s with glibc %p is refused in one line', (platform, arch, glibc, expected) => {
  const problem = platformProblem(platform, arch, () => (glibc ? [glibc[0], glibc[1]] : undefined));
  expect(problem).toBe(`${expected}; ${supported}`);
});

test('Linux on x64 with a new enough glibc is accepted', () => {
  expect(platformProblem('linux', 'x64', () => [2, 34])).toBeUndefined();
});

test.each([
  ['an unsupported platform', `Object.defineProperty(process, 'platform', { value: 'darwin' });`],
  ['musl', `process.report.getReport = () => ({ header: {} });`],
  [
    'an old glibc',
    `process.report.getReport = () => ({ header: { glibcVersionRuntime: '2.31' } });`,
  ],
])('on %s a call of the API rejects with one line that says what is supported', (_, before) => {
  const { code, out, err } = run(`
    ${before}
    const { Catalog } = require(${JSON.stringify(root)});
    Catalog.create({ ids: 'string' }).catch((e) => console.log(e.name, e.code, e.message));
  `);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out).toMatch(/^FeedrankError ADDON_LOAD_FAILED The native part of feedrank could not /);
  expect(out).toContain(supported);
  expect(out).not.toContain('\n');
});

describe('a LibTorch that FEEDRANK_LIBTORCH names', () => {
  const folder = temporaryFolder();

  /** The message of loading the addon with a folder whose libc10.so holds these bytes. */
  function refusal(name: string, version: string, base: Buffer): string {
    const dir = path.join(folder, name);
    fs.mkdirSync(path.join(dir, 'lib'), { recursive: true });
    fs.writeFileSync(path.join(dir, 'lib/libc10.so'), base);
    fs.writeFileSync(path.join(dir, 'lib/libtorch_cpu.so'), '');
    fs.writeFileSync(path.join(dir, 'build-version'), version);
    const { code, out, err } = run(
      `try { require(${loader}).loadAddon(); } catch (e) { console.log(e.code, e.message); }`,
      { FEEDRANK_LIBTORCH: dir },
    );
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(/^ADDON_LOAD_FAILED /);
    expect(out).toContain('To mend it: ');
    return out;
  }

  /** The start of a shared library for a machine, and a name of the C++ interface. */
  function library(machine: number, symbol: string): Buffer {
    const header = Buffer.alloc(64);
    header.write('\x7fELF', 'latin1');
    header.writeUInt16LE(machine, 18);
    return Buffer.concat([header, Buffer.from(symbol)]);
  }

  test('is refused where it is another version than the addon was built for', () => {
    const message = refusal('other', '2.12.0', library(62, '__cxx11'));
    expect(message).toMatch(/it is LibTorch 2\.12\.0, and the addon was built for 2\.13\./);
  });

  test.each([
    ['text', Buffer.alloc(100, 'a'), 'its libc10.so is not a shared library of Linux'],
    ['short', Buffer.from('\x7fELF', 'latin1'), 'its libc10.so is not a shared library of Linux'],
    ['arm', library(183, '__cxx11'), 'its libc10.so is for arm64, and x64 is needed'],
    ['old', library(62, 'NSs'), 'the C++ interface from before C++11'],
  ])('is refused unopened where its base library is wrong: %s', (name, bytes, expected) => {
    expect(refusal(name, '2.13.0', bytes)).toContain(expected);
  });

  /** A folder with the libraries that the addon was tried with before, and one of CUDA's. */
  function withCuda(name: string): string {
    const { found } = findLibTorch();
    const dir = path.join(folder, name);
    fs.mkdirSync(path.join(dir, 'lib'), { recursive: true });
    for (const library of fs.readdirSync(path.join(found!.dir, 'lib'))) {
      fs.symlinkSync(path.join(found!.dir, 'lib', library), path.join(dir, 'lib', library));
    }
    fs.writeFileSync(path.join(dir, 'build-version'), found!.version);
    return dir;
  }

  test('has its libraries of CUDA opened as well', () => {
    const dir = withCuda('cuda');
    const library = path.join(dir, 'lib/libtorch_cuda.so');
    fs.writeFileSync(path.join(folder, 'cuda.cc'), 'int feedrank_test_cuda = 1;');
    execFileSync('c++', ['-shared', '-fPIC', '-o', library, path.join(folder, 'cuda.cc')]);
    const { code, out, err } = run(
      `require(${loader}).loadAddon();
       console.log(require('fs').readFileSync('/proc/self/maps', 'utf8').includes('libtorch_cuda.so'));`,
      { FEEDRANK_LIBTORCH: dir },
    );
    expect({ code, out, err }).toEqual({ code: 0, out: 'true', err: '' });
  });

  test('is refused by name where its libraries of CUDA cannot be opened', () => {
    const dir = withCuda('no-cuda');
    fs.writeFileSync(path.join(dir, 'lib/libtorch_cuda.so'), 'not a library');
    const { out } = run(
      `try { require(${loader}).loadAddon(); } catch (e) { console.log(e.code, e.message); }`,
      { FEEDRANK_LIBTORCH: dir },
    );
    expect(out).toMatch(/^ADDON_LOAD_FAILED .*: libtorch_cuda\.so was refused\n/);
  });
});
