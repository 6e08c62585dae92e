'use strict';

/**
 * Brings a clone to where it runs: npm packages, LibTorch, the addon, the compiled TypeScript.
 * Each step is left out when nothing it depends on has changed. Runs before anything is installed,
 * so it needs Node.js alone.
 *
 *     node lib/setup.js [--only packages|libtorch|native|typescript]
 */

const fs = require('node:fs');
const path = require('node:path');
const {
  compileTools,
  fetchProblems,
  nodeProblems,
  npmCommand,
  npmProblems,
} = require('./check-tools.js');
const { contentHash, readStamp, writeStamp } = require('./content-stamp.js');
const { withDirectoryLock } = require('./directory-lock.js');
const { findLibTorch } = require('./find-libtorch.js');
const { runCommand } = require('./run-command.js');

const ROOT = path.resolve(__dirname, '..');
const MODULES = path.join(ROOT, 'node_modules');
/** @type {readonly string[]} */
const STEPS = ['packages', 'libtorch', 'native', 'typescript'];

/** A problem that is told in lines of its own, without a stack. */
class SetupError extends Error {
  /** @param {readonly string[]} lines */
  constructor(lines) {
    super(lines.join('\n'));
    this.lines = lines;
  }
}

/** @param {string} line */
function log(line) {
  process.stdout.write(`setup: ${line}\n`);
}

/** @param {string} name */
function inRoot(name) {
  return path.join(ROOT, name);
}

// --- what is to be done ------------------------------------------------------------------------

/**
 * Whether node_modules holds what package-lock.json asks for. npm leaves its own list of what it
 * installed there, which also tells when somebody ran npm by hand.
 */
function packagesAreCurrent() {
  /** @type {Record<string, { version?: string, integrity?: string, optional?: boolean }>} */
  let wanted;
  /** @type {typeof wanted} */
  let installed;
  try {
    wanted = JSON.parse(fs.readFileSync(inRoot('package-lock.json'), 'utf8')).packages;
    installed = JSON.parse(
      fs.readFileSync(path.join(MODULES, '.package-lock.json'), 'utf8'),
    ).packages;
  } catch {
    return false;
  }
  return Object.entries(wanted).every(([name, entry]) => {
    if (name === '') return true;
    const present = installed[name];
    if (!present) return entry.optional === true;
    return present.version === entry.version && fs.existsSync(inRoot(name));
  });
}

function nativeHash(/** @type {import('./find-libtorch.js').LibTorch} */ libtorch) {
  const inputs = ['CMakeLists.txt', 'cmake', 'native', 'test/native'];
  const headers = ['node-addon-api', 'node-api-headers'].map((name) =>
    path.join('node_modules', name, 'package.json'),
  );
  // Of package.json, only the version is compiled in.
  const { version } = JSON.parse(fs.readFileSync(inRoot('package.json'), 'utf8'));
  return contentHash(ROOT, [...inputs, ...headers], [version, libtorch.dir, libtorch.version]);
}

function nativeIsCurrent(/** @type {string} */ hash) {
  const outputs = ['build/Release/feedrank.node'];
  if (hasSources('native/binding', '.cc')) outputs.push('build/Release/feedrank_native.so');
  if (hasSources('test/native', '.cc')) outputs.push('build/feedrank_core_tests');
  return (
    readStamp(inRoot('build/.setup-native')) === hash &&
    outputs.every((name) => fs.existsSync(inRoot(name)))
  );
}

function typescriptHash() {
  return contentHash(ROOT, [
    'src',
    'tsconfig.json',
    'lib/load-addon.d.ts',
    'node_modules/typescript/package.json',
    'package-lock.json',
  ]);
}

function typescriptIsCurrent(/** @type {string} */ hash) {
  return (
    readStamp(inRoot('dist/.setup-typescript')) === hash &&
    (!fs.existsSync(inRoot('src/index.ts')) || fs.existsSync(inRoot('dist/index.js')))
  );
}

/**
 * @param {string} dir
 * @param {string} extension
 */
function hasSources(dir, extension) {
  if (!fs.existsSync(inRoot(dir))) return false;
  return fs
    .readdirSync(inRoot(dir), { recursive: true, encoding: 'utf8' })
    .some((name) => name.endsWith(extension));
}

// --- the steps ---------------------------------------------------------------------------------

async function installPackages() {
  log('installing npm packages (npm ci --ignore-scripts)');
  const [npm, ...args] = npmCommand() ?? ['npm'];
  const result = await runCommand(
    npm,
    [...args, 'ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel', 'error'],
    { cwd: ROOT, stdout: 'inherit', stderr: 'inherit', env: plainNpmEnvironment() },
  );
  if (result.code !== 0) throw new SetupError([`npm ci failed with status ${result.code}`]);
}

/** npm hands its settings for one command to that command's scripts, and not all suit `npm ci`. */
function plainNpmEnvironment() {
  const env = { ...process.env };
  for (const name of ['npm_config_json', 'npm_config_global', 'npm_config_workspace']) {
    delete env[name];
  }
  return env;
}

/** Puts the command where `npx feedrank` looks first. */
function linkCommand() {
  const link = path.join(MODULES, '.bin/feedrank');
  const target = '../../dist/cli/main.js';
  try {
    if (fs.readlinkSync(link) === target) return;
    fs.rmSync(link);
  } catch {
    // There is no link yet.
  }
  fs.mkdirSync(path.dirname(link), { recursive: true });
  fs.symlinkSync(target, link);
}

/** @returns {Promise<import('./find-libtorch.js').LibTorch>} */
async function provideLibTorch() {
  const before = findLibTorch({ headers: true });
  if (before.found) return before.found;
  if (process.env['FEEDRANK_LIBTORCH']) {
    throw new SetupError(before.misses.map(({ where, why }) => `${where}: ${why}`));
  }
  const { fetchLibTorch } = require('./fetch-libtorch.js');
  await fetchLibTorch({ log });
  const { found, misses } = findLibTorch({ headers: true });
  if (!found) throw new SetupError(misses.map(({ where, why }) => `LibTorch: ${where}: ${why}`));
  return found;
}

/**
 * @param {import('./find-libtorch.js').LibTorch} libtorch
 * @param {import('./check-tools.js').Tools} tools
 */
async function compileNative(libtorch, tools) {
  const { buildNative, parallelJobs } = require('./build-native.js');
  log(`compiling the native sources with ${tools.generator}, ${parallelJobs()} at a time`);
  const hash = nativeHash(libtorch);
  await buildNative({ libtorch: libtorch.dir, tools });
  writeStamp(inRoot('build/.setup-native'), hash);
}

/** Compiles beside dist/ and then swaps, so that a failure leaves what was there. */
async function compileTypescript() {
  log('compiling the TypeScript sources');
  const hash = typescriptHash();
  const fresh = fs.mkdtempSync(inRoot('.dist-'));
  try {
    const result = await runCommand(
      process.execPath,
      [path.join(MODULES, 'typescript/bin/tsc'), '-p', ROOT, '--outDir', fresh],
      { cwd: ROOT, stdout: 'inherit', stderr: 'inherit' },
    );
    if (result.code !== 0) throw new SetupError(['the TypeScript sources do not compile']);
    const command = path.join(fresh, 'cli/main.js');
    if (fs.existsSync(command)) fs.chmodSync(command, 0o755);
    fs.chmodSync(fresh, 0o755);
    writeStamp(path.join(fresh, '.setup-typescript'), hash);
    fs.rmSync(inRoot('dist'), { recursive: true, force: true });
    fs.renameSync(fresh, inRoot('dist'));
  } finally {
    fs.rmSync(fresh, { recursive: true, force: true });
  }
}

// --- all together ------------------------------------------------------------------------------

/**
 * What has to be done, and what is missing to do it.
 * @param {ReadonlySet<string>} steps
 */
function plan(steps) {
  const packages = steps.has('packages') && !packagesAreCurrent();
  const wantsNative = steps.has('native') && hasSources('native', '.cc');
  const libtorch =
    wantsNative || steps.has('libtorch') ? findLibTorch({ headers: true }).found : undefined;
  const native = wantsNative && (packages || !libtorch || !nativeIsCurrent(nativeHash(libtorch)));
  const fetch = !libtorch && (wantsNative || steps.has('libtorch'));
  const typescript =
    steps.has('typescript') &&
    hasSources('src', '.ts') &&
    (packages || !typescriptIsCurrent(typescriptHash()));
  return {
    packages,
    fetch,
    native,
    typescript,
    nothing: !(packages || fetch || native || typescript),
  };
}

/** @param {ReadonlySet<string>} steps */
async function setup(steps) {
  const early = nodeProblems();
  if (early.length > 0) throw new SetupError(early);
  if (plan(steps).nothing) {
    linkCommand();
    return;
  }

  // The lock lies beside node_modules and build, which steps may remove.
  await withDirectoryLock(
    inRoot('.setup.lock'),
    async () => {
      const todo = plan(steps);
      const compiler = todo.native ? compileTools() : undefined;
      const problems = [...(compiler?.problems ?? [])];
      if (todo.fetch && !process.env['FEEDRANK_LIBTORCH']) problems.push(...fetchProblems());
      if (todo.packages) problems.push(...npmProblems());
      if (problems.length > 0) throw new SetupError(problems);

      if (todo.packages) await installPackages();
      const libtorch = todo.fetch || todo.native ? await provideLibTorch() : undefined;
      if (libtorch && compiler) await compileNative(libtorch, compiler.tools);
      if (todo.typescript) await compileTypescript();
      linkCommand();
    },
    { onWait: () => log('waiting for another set-up in this folder') },
  );
}

if (require.main === module) {
  const only = process.argv.indexOf('--only');
  /** @type {readonly string[]} */
  const steps = only < 0 ? STEPS : process.argv.slice(only + 1);
  const unknown = steps.find((name) => !STEPS.includes(name));
  const started = Date.now();
  const work = unknown
    ? Promise.reject(new SetupError([`there is no step ${unknown}`]))
    : setup(new Set(steps));
  work
    .then(() => {
      const seconds = (Date.now() - started) / 1000;
      if (seconds > 2) log(`done in ${seconds.toFixed(0)} s`);
    })
    .catch((error) => {
      const lines = error instanceof SetupError ? error.lines : [error.message];
      for (const line of lines) process.stderr.write(`feedrank setup: ${line}\n`);
      process.exitCode = 1;
    });
}

module.exports = { setup, packagesAreCurrent };
