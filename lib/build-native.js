'use strict';

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { compileTools } = require('./check-tools.js');
const { fetchLibTorch } = require('./fetch-libtorch.js');
const { findLibTorch } = require('./find-libtorch.js');
const { runCommand } = require('./run-command.js');

const ROOT = path.resolve(__dirname, '..');

/** What one compilation of a LibTorch-heavy source takes at its peak. */
const BYTES_PER_JOB = 1.75 * 2 ** 30;

/**
 * How many sources to compile at once: as many as there are cores, as far as memory allows.
 * `CMAKE_BUILD_PARALLEL_LEVEL` overrides it.
 * @param {NodeJS.ProcessEnv} [env] Defaults to `process.env`.
 * @returns {number}
 */
function parallelJobs(env = process.env) {
  const asked = Number(env['CMAKE_BUILD_PARALLEL_LEVEL']);
  if (Number.isInteger(asked) && asked > 0) return asked;
  // A container's own limit counts where there is one; without one Node gives a huge number or 0.
  const limit = process.constrainedMemory?.() || Infinity;
  const memory = Math.min(os.totalmem(), limit);
  return Math.max(1, Math.min(os.availableParallelism(), Math.floor(memory / BYTES_PER_JOB)));
}

/**
 * @param {string} buildDir
 * @param {string} name
 * @returns {string | undefined} what CMake's cache holds under that name
 */
function cached(buildDir, name) {
  try {
    const text = fs.readFileSync(path.join(buildDir, 'CMakeCache.txt'), 'utf8');
    return new RegExp(`^${name}:[A-Z]+=(.*)$`, 'm').exec(text)?.[1];
  } catch {
    return undefined;
  }
}

/**
 * Whether a build folder was made for something else: a folder that was moved or copied, a
 * generator or a compiler that is gone.
 * @param {string} buildDir
 * @param {import('./check-tools.js').Tools} tools
 */
function isForeign(buildDir, tools) {
  if (!fs.existsSync(path.join(buildDir, 'CMakeCache.txt'))) return false;
  return (
    cached(buildDir, 'CMAKE_HOME_DIRECTORY') !== ROOT ||
    cached(buildDir, 'CMAKE_GENERATOR') !== tools.generator ||
    !fs.existsSync(cached(buildDir, 'CMAKE_CXX_COMPILER') ?? '') ||
    !fs.existsSync(cached(buildDir, 'CMAKE_MAKE_PROGRAM') ?? '')
  );
}

/**
 * Compiles the addon and, in a clone, the native tests. Drives cmake-js where it is installed and
 * plain CMake elsewhere.
 * @param {object} options
 * @param {string} options.libtorch folder that holds LibTorch's `lib/` and `include/`
 * @param {import('./check-tools.js').Tools} options.tools
 * @param {boolean} [options.tests] Whether to compile the native tests. Defaults to `true`.
 * @param {boolean} [options.clean] Whether to compile everything anew. Defaults to `false`.
 * @returns {Promise<void>}
 */
async function buildNative({ libtorch, tools, tests = true, clean = false }) {
  const buildDir = path.join(ROOT, 'build');
  if (clean || isForeign(buildDir, tools)) fs.rmSync(buildDir, { recursive: true, force: true });

  const settings = {
    FEEDRANK_LIBTORCH_DIR: libtorch,
    FEEDRANK_BUILD_TESTS: tests ? 'ON' : 'OFF',
  };
  const isConfigured = Object.entries(settings).every(
    ([name, value]) => cached(buildDir, name) === value,
  );
  if (!isConfigured || !fs.existsSync(path.join(buildDir, 'CMakeFiles/VerifyGlobs.cmake'))) {
    await step('configuring', configureCommand(buildDir, tools, settings), false);
  }
  const jobs = String(parallelJobs());
  await step('compiling', ['cmake', '--build', buildDir, '--parallel', jobs], true);
}

/**
 * @param {string} buildDir
 * @param {import('./check-tools.js').Tools} tools
 * @param {Record<string, string>} settings
 * @returns {[string, ...string[]]}
 */
function configureCommand(buildDir, tools, settings) {
  const cmakeJs = cmakeJsProgram();
  if (cmakeJs) {
    const defines = Object.entries(settings).map(([name, value]) => `--CD${name}=${value}`);
    const where = ['--directory', ROOT, '--out', buildDir, '--generator', tools.generator];
    return [process.execPath, cmakeJs, 'configure', '--log-level', 'error', ...where, ...defines];
  }
  const defines = Object.entries(settings).map(([name, value]) => `-D${name}=${value}`);
  return ['cmake', '-S', ROOT, '-B', buildDir, '-G', tools.generator, ...defines];
}

/** @returns {string | undefined} */
function cmakeJsProgram() {
  try {
    return path.join(path.dirname(require.resolve('cmake-js/package.json')), 'bin/cmake-js');
  } catch {
    return undefined;
  }
}

/**
 * @param {string} what
 * @param {[string, ...string[]]} command
 * @param {boolean} show whether its output is progress worth showing
 */
async function step(what, [program, ...args], show) {
  const stdout = show ? 'inherit' : 'capture';
  const result = await runCommand(program, args, { cwd: ROOT, stdout });
  if (result.code !== 0) {
    process.stderr.write(`${result.stdout}${result.stderr}`);
    throw new Error(`${what} the native sources failed`);
  }
}

/**
 * Finds the tools and LibTorch, fetching the latter where it is missing, and compiles the addon.
 * @param {object} [options]
 * @param {boolean} [options.tests] Whether to compile the native tests. Defaults to `false`.
 * @param {boolean} [options.clean] Whether to compile everything anew. Defaults to `false`.
 * @param {(line: string) => void} [options.log] receives one line for each step
 * @returns {Promise<string>} path of the folder that the addon lies in
 * @throws {Error} with one line for each thing that is missing
 */
async function buildAddon({ tests = false, clean = false, log = () => {} } = {}) {
  const { tools, problems } = compileTools();
  if (problems.length > 0) throw new Error(problems.join('\n'));
  let { found, misses } = findLibTorch({ headers: true });
  if (!found && !process.env['FEEDRANK_LIBTORCH']) {
    await fetchLibTorch({ log });
    ({ found, misses } = findLibTorch({ headers: true }));
  }
  if (!found) throw new Error(misses.map(({ where, why }) => `${where}: ${why}`).join('\n'));
  log(`compiling against LibTorch ${found.version} from ${found.source}`);
  await buildNative({ libtorch: found.dir, tools, tests, clean });
  return path.join(ROOT, 'build/Release');
}

if (require.main === module) {
  buildAddon({ clean: process.argv.includes('--clean'), log: (line) => console.log(line) }).catch(
    (error) => {
      for (const line of error.message.split('\n')) console.error(`feedrank build: ${line}`);
      process.exitCode = 1;
    },
  );
}

module.exports = { buildAddon, buildNative, parallelJobs };
