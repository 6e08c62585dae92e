'use strict';

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const {
  CACHE_NAME,
  PLATFORM_PACKAGE,
  VERSION,
  isCompilable,
  isSupported,
} = require('./libtorch-release.js');

/**
 * @typedef {object} LibTorch
 * @property {string} dir absolute path of the folder that holds `lib/` (and, to compile, `include/`)
 * @property {string} version such as `2.13.0`
 * @property {string} source where it was found, in words
 */

/**
 * @typedef {object} Miss
 * @property {string} where the place that was looked at
 * @property {string} why what was wrong with it
 */

/**
 * Folder of this release in the per-user cache, whether it exists or not.
 * @param {NodeJS.ProcessEnv} [env] Defaults to `process.env`.
 * @returns {string}
 */
function cacheDir(env = process.env) {
  // The XDG specification says that a relative path is to be ignored.
  const xdg = env['XDG_CACHE_HOME'];
  const base = xdg && path.isAbsolute(xdg) ? xdg : path.join(env['HOME'] || os.homedir(), '.cache');
  return path.join(base, 'feedrank', CACHE_NAME);
}

/**
 * Reads the version of the LibTorch in a folder.
 * @param {string} dir
 * @returns {string | undefined} `undefined` when the folder does not say
 */
function readVersion(dir) {
  /** @type {[string, (text: string) => string | undefined][]} */
  const readers = [
    ['feedrank-libtorch.json', (text) => JSON.parse(text).version],
    ['version.py', (text) => /^__version__ = '([^']+)'/m.exec(text)?.[1]],
    ['build-version', (text) => text.trim()],
    ['include/torch/headeronly/version.h', versionOfHeader],
    ['include/torch/csrc/api/include/torch/version.h', versionOfHeader],
  ];
  for (const [name, read] of readers) {
    try {
      const version = read(fs.readFileSync(path.join(dir, name), 'utf8'));
      if (version) return version;
    } catch {
      // Most folders hold one of these files only.
    }
  }
  return undefined;
}

/** @param {string} text */
function versionOfHeader(text) {
  const parts = ['MAJOR', 'MINOR', 'PATCH'].map(
    (part) => new RegExp(`TORCH_VERSION_${part} (\\d+)`).exec(text)?.[1],
  );
  return parts.every(Boolean) ? parts.join('.') : undefined;
}

/**
 * Says what is wrong with a folder, or gives its version.
 * @param {string} dir
 * @param {{ explicit: boolean, headers: boolean }} options
 * @returns {{ version: string } | { why: string }}
 */
function inspect(dir, { explicit, headers }) {
  if (!fs.existsSync(dir)) return { why: 'there is no such folder' };
  for (const name of ['libc10.so', 'libtorch_cpu.so']) {
    if (!fs.existsSync(path.join(dir, 'lib', name))) return { why: `it has no lib/${name}` };
  }
  if (headers && !fs.existsSync(path.join(dir, 'include/torch/script.h'))) {
    return { why: 'it has no include/torch/script.h, which compiling needs' };
  }
  const version = readVersion(dir);
  if (version === undefined) return { why: 'it does not tell its version' };
  if (explicit ? !isCompilable(version) : !isSupported(version)) {
    return {
      why: `it is LibTorch ${version}, and ${explicit ? '2.11 or later' : '2.13'} is needed`,
    };
  }
  return { version };
}

/**
 * Folder of the platform package, if it is installed.
 * @returns {string | undefined}
 */
function platformPackageDir() {
  try {
    return path.dirname(require.resolve(`${PLATFORM_PACKAGE}/package.json`));
  } catch {
    return undefined;
  }
}

/**
 * Folder of the torch that Python would import. Python finds it without importing it.
 * @param {NodeJS.ProcessEnv} env
 * @returns {{ dir: string } | { why: string }}
 */
function pythonTorchDir(env) {
  const script =
    'import importlib.util as u; s = u.find_spec("torch"); ' +
    'print(s.submodule_search_locations[0] if s and s.submodule_search_locations else "")';
  try {
    const dir = execFileSync('python3', ['-c', script], {
      encoding: 'utf8',
      env,
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: 20_000,
    }).trim();
    return dir ? { dir } : { why: 'python3 has no torch' };
  } catch (error) {
    const missing = /** @type {NodeJS.ErrnoException} */ (error).code === 'ENOENT';
    return { why: missing ? 'there is no python3' : 'python3 could not be asked' };
  }
}

/**
 * Looks for LibTorch: `FEEDRANK_LIBTORCH`, the platform package, the per-user cache, Python's
 * torch. Where `FEEDRANK_LIBTORCH` is set nothing else is tried, so that a typing error in it
 * never silently gives another library.
 * @param {object} [options]
 * @param {NodeJS.ProcessEnv} [options.env] Defaults to `process.env`.
 * @param {boolean} [options.headers] Whether the headers are needed too. Defaults to `false`.
 * @returns {{ found: LibTorch | undefined, misses: Miss[] }}
 */
function findLibTorch({ env = process.env, headers = false } = {}) {
  /** @type {Miss[]} */
  const misses = [];

  /**
   * @param {string} where
   * @param {string} dir
   * @param {boolean} explicit
   * @returns {LibTorch | undefined}
   */
  const take = (where, dir, explicit) => {
    const result = inspect(dir, { explicit, headers });
    if ('version' in result) return { dir, version: result.version, source: where };
    misses.push({ where: `${where} (${dir})`, why: result.why });
    return undefined;
  };

  const explicit = env['FEEDRANK_LIBTORCH'];
  if (explicit) return { found: take('FEEDRANK_LIBTORCH', path.resolve(explicit), true), misses };
  misses.push({ where: 'FEEDRANK_LIBTORCH', why: 'it is not set' });

  const packaged = platformPackageDir();
  if (packaged) {
    const found = take(`the package ${PLATFORM_PACKAGE}`, packaged, false);
    if (found) return { found, misses };
  } else {
    misses.push({ where: `the package ${PLATFORM_PACKAGE}`, why: 'it is not installed' });
  }

  const cached = take('the cache', cacheDir(env), false);
  if (cached) return { found: cached, misses };

  const python = pythonTorchDir(env);
  if ('dir' in python) {
    const found = take("Python's torch", python.dir, false);
    if (found) return { found, misses };
  } else {
    misses.push({ where: "Python's torch", why: python.why });
  }
  return { found: undefined, misses };
}

module.exports = { findLibTorch, cacheDir, readVersion, VERSION };
