import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { platformProblem } from '../../lib/load-addon.js';

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

test.each([
  ['darwin', 'arm64', undefined, /no build for darwin-arm64/],
  ['linux', 'arm64', [2, 36], /no build for linux-arm64/],
  ['linux', 'x64', undefined, /musl/],
  ['linux', 'x64', [2, 31], /glibc 2\.31, and 2\.34 or later/],
] as const)('%s-%s with glibc %p is refused in one line', (platform, arch, glibc, expected) => {
  const problem = platformProblem(platform, arch, () => (glibc ? [glibc[0], glibc[1]] : undefined));
  expect(problem).toMatch(expected);
  expect(problem).not.toContain('\n');
});

test('Linux on x64 with a new enough glibc is accepted', () => {
  expect(platformProblem('linux', 'x64', () => [2, 34])).toBeUndefined();
});
