'use strict';

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { binaryProblem } = require('./check-binary.js');
const { findLibTorch } = require('./find-libtorch.js');
const { PLATFORM_PACKAGE, PLATFORM_PACKAGE_VERSION, majorMinor } = require('./libtorch-release.js');

const ROOT = path.resolve(__dirname, '..');
const PACKAGE_VERSION = require('../package.json').version;

/** Only a clone has the set-up script. */
const IS_CLONE = fs.existsSync(path.join(ROOT, 'lib/setup.js'));
const BUILD_COMMAND = IS_CLONE ? 'npm run setup' : 'npx feedrank build';
const FETCH_COMMAND = IS_CLONE
  ? 'npm run setup'
  : `npm install ${PLATFORM_PACKAGE}@${PLATFORM_PACKAGE_VERSION}`;

/** The oldest C library that the published addon runs with. */
const GLIBC_FLOOR = [2, 34];

const SUPPORTED = `feedrank runs on Linux on x64 with glibc ${GLIBC_FLOOR.join('.')} or later`;

/** Thrown when the native part cannot be loaded. The message lists what was tried. */
class AddonLoadError extends Error {
  /**
   * @param {string} reason
   * @param {readonly string[]} [tried]
   * @param {{ cause?: unknown, mend?: string }} [options] `mend` is the command that mends it
   */
  constructor(reason, tried = [], { cause, mend } = {}) {
    const lines = [`The native part of feedrank could not be loaded: ${reason}`];
    if (tried.length > 0) lines.push('Tried:', ...tried.map((line) => `  - ${line}`));
    if (mend) lines.push(`To mend it: ${mend}`);
    super(lines.join('\n'), cause === undefined ? undefined : { cause });
    this.name = 'AddonLoadError';
    /** @type {'ADDON_LOAD_FAILED'} */
    this.code = 'ADDON_LOAD_FAILED';
    this.tried = tried;
  }
}

/**
 * The C library of this process.
 * @returns {[number, number] | undefined} glibc's version; `undefined` where it is another library
 */
function glibcVersion() {
  const report = /** @type {any} */ (process.report);
  const before = report.excludeNetwork;
  // Looking up the names of open sockets can take seconds.
  report.excludeNetwork = true;
  try {
    return majorMinor(report.getReport().header.glibcVersionRuntime ?? '');
  } finally {
    report.excludeNetwork = before;
  }
}

/**
 * Says in one line why this platform cannot load the addon.
 * @param {string} platform
 * @param {string} arch
 * @param {() => [number, number] | undefined} glibc
 * @returns {string | undefined} `undefined` where it can
 */
function platformProblem(platform, arch, glibc) {
  if (platform !== 'linux' || arch !== 'x64') {
    return `there is no build for ${platform}-${arch} yet; ${SUPPORTED}`;
  }
  const version = glibc();
  if (version === undefined) {
    return `this system has no glibc, as Alpine has none; ${SUPPORTED}`;
  }
  const [major, minor] = version;
  if (major < GLIBC_FLOOR[0] || (major === GLIBC_FLOOR[0] && minor < GLIBC_FLOOR[1])) {
    return `this system has glibc ${major}.${minor}; ${SUPPORTED}`;
  }
  return undefined;
}

/**
 * Where the loader and, beside it, feedrank_native.so may lie, best first.
 * @param {string[]} tried
 * @returns {string[]} paths of loaders
 */
function loaderPaths(tried) {
  /** @type {string[]} */
  const paths = [];
  try {
    // The package has no types of its own.
    const nodeGypBuild = /** @type {(name: string) => any} */ (require)('node-gyp-build');
    paths.push(nodeGypBuild.path(ROOT));
  } catch (error) {
    tried.push(`node-gyp-build: ${firstLine(error)}`);
  }
  // node-gyp-build prefers build/Release, however old; the prebuild is there when that one fails.
  const prebuilds = path.join(ROOT, 'prebuilds', `${process.platform}-${process.arch}`);
  try {
    const name = fs.readdirSync(prebuilds).find((file) => file.endsWith('.node'));
    if (name && !paths.includes(path.join(prebuilds, name))) paths.push(path.join(prebuilds, name));
  } catch {
    // A clone has no prebuilds.
  }
  return paths;
}

/**
 * @typedef {object} Loader the small addon that feedrank_native.so is opened with
 * @property {string} version of feedrank
 * @property {string} libtorchVersion what feedrank_native.so was compiled against
 * @property {(path: string) => void} open
 */

/**
 * Opens the loader that belongs to this version of the package.
 * @param {string[]} tried
 * @returns {{ loader: Loader, native: string } | undefined}
 */
function openLoader(tried) {
  for (const file of loaderPaths(tried)) {
    const native = path.join(path.dirname(file), 'feedrank_native.so');
    try {
      const loader = require(file);
      if (loader.version !== PACKAGE_VERSION) {
        tried.push(`${file}: it was built for feedrank ${loader.version}, not ${PACKAGE_VERSION}`);
      } else if (!fs.existsSync(native)) {
        tried.push(`${file}: feedrank_native.so does not lie beside it`);
      } else {
        return { loader, native };
      }
    } catch (error) {
      tried.push(`${file}: ${firstLine(error)}`);
    }
  }
  return undefined;
}

/** @param {unknown} error */
function firstLine(error) {
  return String(/** @type {Error} */ (error).message).split('\n', 1)[0];
}

/**
 * LibTorch's libraries in the order in which they need each other. Those of CUDA, which register
 * themselves when they are opened, are large: only a LibTorch that was asked for by name has them
 * opened, and not one that happens to be there.
 * @param {import('./find-libtorch.js').LibTorch} libtorch
 */
function libraries({ dir, source }) {
  const lib = path.join(dir, 'lib');
  const present = fs.readdirSync(lib);
  const gomp = present.filter((name) => /^libgomp.*\.so/.test(name));
  const wanted = source === 'FEEDRANK_LIBTORCH' ? ['libc10_cuda.so', 'libtorch_cuda.so'] : [];
  const cuda = wanted.filter((name) => present.includes(name));
  const all = cuda.length > 0 && present.includes('libtorch.so') ? ['libtorch.so'] : [];
  return [...gomp, 'libc10.so', 'libtorch_cpu.so', ...cuda, ...all].map((name) =>
    path.join(lib, name),
  );
}

/**
 * Why the addon cannot run with a LibTorch: another minor version has another C++ interface.
 * @param {Loader} loader
 * @param {import('./find-libtorch.js').LibTorch} libtorch
 * @returns {string | undefined}
 */
function misfit({ libtorchVersion }, { dir, version }) {
  if (String(majorMinor(libtorchVersion)) !== String(majorMinor(version))) {
    return `it is LibTorch ${version}, and the addon was built for ${libtorchVersion}`;
  }
  return binaryProblem(path.join(dir, 'lib/libc10.so'));
}

/** @type {{ exports: unknown, libtorch: import('./find-libtorch.js').LibTorch } | undefined} */
let loaded;

/**
 * Loads the native addon, once per thread. LibTorch is opened by absolute path before the addon,
 * so that the addon binds to that one and never to another in a system folder.
 * @returns {unknown} the addon's exports
 * @throws {AddonLoadError} with `code` `'ADDON_LOAD_FAILED'`
 */
function loadAddon() {
  if (loaded) return loaded.exports;

  const problem = platformProblem(process.platform, process.arch, glibcVersion);
  if (problem) throw new AddonLoadError(problem);

  /** @type {string[]} */
  const tried = [];
  const opened = openLoader(tried);
  if (!opened) throw new AddonLoadError('no build of it was found', tried, { mend: BUILD_COMMAND });

  const { found, misses } = findLibTorch();
  tried.push(...misses.map(({ where, why }) => `LibTorch from ${where}: ${why}`));
  if (!found) {
    const mend = process.env['FEEDRANK_LIBTORCH']
      ? 'unset FEEDRANK_LIBTORCH, or name a folder with LibTorch 2.13 in it'
      : FETCH_COMMAND;
    throw new AddonLoadError('LibTorch was not found', tried, { mend });
  }

  const unfit = misfit(opened.loader, found);
  if (unfit) {
    tried.push(`LibTorch from ${found.source} (${found.dir}): ${unfit}`);
    throw new AddonLoadError('its LibTorch does not fit', tried, { mend: BUILD_COMMAND });
  }

  const addon = { exports: {} };
  let file = '';
  try {
    for (file of libraries(found)) opened.loader.open(file);
    file = opened.native;
    process.dlopen(/** @type {any} */ (addon), file, os.constants.dlopen.RTLD_NOW);
  } catch (error) {
    tried.push(`${file}: ${firstLine(error)}`);
    throw new AddonLoadError(`${path.basename(file)} was refused`, tried, {
      cause: error,
      mend: BUILD_COMMAND,
    });
  }
  loaded = { exports: addon.exports, libtorch: found };
  return loaded.exports;
}

/**
 * The LibTorch that the addon of this thread was loaded with.
 * @returns {import('./find-libtorch.js').LibTorch | undefined} `undefined` before `loadAddon()`
 */
function loadedLibTorch() {
  return loaded?.libtorch;
}

module.exports = { loadAddon, loadedLibTorch, platformProblem, AddonLoadError };
