'use strict';

const { createHash } = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const { pipeline } = require('node:stream/promises');
const { withDirectoryLock } = require('./directory-lock.js');
const { cacheDir } = require('./find-libtorch.js');
const { VERSION, WHEEL } = require('./libtorch-release.js');
const { runCommand } = require('./run-command.js');

/** Takes what compiling and running need out of the wheel, and the licences with it. */
const UNPACK_SCRIPT = `
import fnmatch, os, sys, zipfile
wheel, target = sys.argv[1:]
wanted = ("torch/lib/libc10.so", "torch/lib/libtorch.so", "torch/lib/libtorch_cpu.so",
          "torch/lib/libgomp*", "torch/include/*", "*.dist-info/licenses/*", "*.dist-info/METADATA")
with zipfile.ZipFile(wheel) as archive:
    for entry in archive.infolist():
        if entry.is_dir() or not any(fnmatch.fnmatchcase(entry.filename, w) for w in wanted):
            continue
        root, name = entry.filename.split("/", 1)
        archive.getinfo(entry.filename).filename = name
        archive.extract(entry, target)
`;

/** Why LibTorch could not be fetched, as one line for the user. */
class FetchError extends Error {
  /** @param {string} message */
  constructor(message) {
    super(message);
    this.name = 'FetchError';
    this.code = 'LIBTORCH_FETCH_FAILED';
  }
}

/**
 * Brings LibTorch's CPU build into the per-user cache. Two processes may do so at once: one works
 * and the other waits for it; the folder appears complete or not at all.
 * @param {object} [options]
 * @param {NodeJS.ProcessEnv} [options.env] Defaults to `process.env`.
 * @param {(line: string) => void} [options.log] receives one line for each step
 * @param {boolean} [options.force] Fetch even when the cache holds it. Defaults to `false`.
 * @returns {Promise<string>} the folder that holds `lib/` and `include/`
 * @throws {FetchError} with one line that says what went wrong
 */
async function fetchLibTorch({ env = process.env, log = () => {}, force = false } = {}) {
  const target = cacheDir(env);
  if (!force && isComplete(target)) return target;
  try {
    return await withDirectoryLock(
      `${target}.lock`,
      async () => {
        if (!force && isComplete(target)) return target;
        await fetchInto(target, env, log);
        return target;
      },
      { onWait: () => log('waiting for another process that is fetching LibTorch') },
    );
  } catch (error) {
    throw inOneLine(error, target);
  }
}

/** @param {string} dir */
function isComplete(dir) {
  return fs.existsSync(path.join(dir, 'feedrank-libtorch.json'));
}

/**
 * @param {string} target
 * @param {NodeJS.ProcessEnv} env
 * @param {(line: string) => void} log
 */
async function fetchInto(target, env, log) {
  const parent = path.dirname(target);
  fs.mkdirSync(parent, { recursive: true });
  await checkSpace(parent);

  // The temporary folder lies beside the target, because a rename cannot cross file systems.
  const temporary = fs.mkdtempSync(`${target}.tmp-`);
  try {
    log(`fetching LibTorch ${VERSION} for CPU with pip (${megabytes(WHEEL.bytes)})`);
    const wheel = await download(path.join(temporary, 'wheel'), env);
    await verify(wheel);

    log(`unpacking LibTorch (${megabytes(WHEEL.unpackedBytes)}) into ${target}`);
    const unpacked = path.join(temporary, 'libtorch');
    const result = await runCommand('python3', ['-c', UNPACK_SCRIPT, wheel, unpacked], { env });
    if (result.code !== 0) throw new FetchError(`unpacking failed: ${lastLine(result.stderr)}`);
    fs.writeFileSync(
      path.join(unpacked, 'feedrank-libtorch.json'),
      `${JSON.stringify({ version: VERSION, build: 'cpu', sha256: WHEEL.sha256 }, null, 2)}\n`,
    );
    fs.rmSync(wheel);

    if (fs.existsSync(target)) fs.renameSync(target, path.join(temporary, 'replaced'));
    fs.renameSync(unpacked, target);
  } finally {
    fs.rmSync(temporary, { recursive: true, force: true });
  }
}

/**
 * Asks pip for the wheel: first as pip is set up here, then at the publisher's own index.
 * @param {string} dir
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<string>} path of the wheel
 */
async function download(dir, env) {
  const named = env['FEEDRANK_LIBTORCH_INDEX'];
  const attempts = named ? [['--index-url', named]] : [[], ['--extra-index-url', WHEEL.index]];
  let failure = '';
  for (const attempt of attempts) {
    const result = await runCommand(
      'python3',
      [
        ...['-m', 'pip', 'download', '--no-deps', '--only-binary=:all:', '--no-cache-dir'],
        ...['--disable-pip-version-check', '--python-version', WHEEL.pythonVersion],
        ...['--platform', WHEEL.platform, '--dest', dir, ...attempt, WHEEL.requirement],
      ],
      // pip draws its progress bar on a terminal's standard output only.
      { env, stdout: process.stdout.isTTY ? 'inherit' : 'capture' },
    );
    if (result.code === 127) {
      throw new FetchError(
        'python3 is missing; install it with: apt-get install python3 python3-pip',
      );
    }
    if (/No module named pip/.test(result.stderr)) {
      throw new FetchError('pip is missing; install it with: apt-get install python3-pip');
    }
    const wheel = result.code === 0 && fs.readdirSync(dir).find((name) => name.endsWith('.whl'));
    if (wheel) return path.join(dir, wheel);
    failure = pipReason(result.stderr);
    if (/No space left|Errno 28/.test(result.stderr)) throw new FetchError(noSpace(dir));
  }
  throw new FetchError(
    `pip could not download ${WHEEL.requirement}: ${failure} ` +
      '(pip obeys its own proxy and index settings; FEEDRANK_LIBTORCH_INDEX names another index, ' +
      'FEEDRANK_LIBTORCH a LibTorch that is here already)',
  );
}

/** @param {string} wheel */
async function verify(wheel) {
  const hash = createHash('sha256');
  await pipeline(fs.createReadStream(wheel), hash);
  const actual = hash.digest('hex');
  if (actual !== WHEEL.sha256) {
    throw new FetchError(
      `${path.basename(wheel)} has the sha256 ${actual}, not ${WHEEL.sha256}; it was not used`,
    );
  }
}

/** @param {string} dir */
async function checkSpace(dir) {
  const { bavail, bsize } = await fs.promises.statfs(dir);
  if (bavail * bsize < WHEEL.bytes + WHEEL.unpackedBytes) throw new FetchError(noSpace(dir));
}

/** @param {string} dir */
function noSpace(dir) {
  const needed = megabytes(WHEEL.bytes + WHEEL.unpackedBytes);
  return `there is not enough space in ${dir}: fetching LibTorch needs ${needed}`;
}

/** @param {number} bytes */
function megabytes(bytes) {
  return `${Math.round(bytes / 1e6)} MB`;
}

/**
 * Why pip failed. It says that nothing matches even when it could not reach the index at all.
 * @param {string} stderr
 */
function pipReason(stderr) {
  const network =
    /(NewConnectionError|ProxyError|SSLError|ReadTimeoutError|ConnectTimeoutError|NameResolutionError|ConnectionResetError)/;
  const match = network.exec(stderr);
  if (match) return `the index could not be reached (${match[1]})`;
  const errors = stderr.split('\n').filter((line) => line.startsWith('ERROR: '));
  return (errors.at(-1) ?? lastLine(stderr)).replace(/^ERROR: /, '');
}

/** @param {string} text */
function lastLine(text) {
  return text.trimEnd().split('\n').at(-1) ?? '';
}

/**
 * @param {unknown} error
 * @param {string} target
 * @returns {FetchError}
 */
function inOneLine(error, target) {
  if (error instanceof FetchError) return error;
  const { code, message } = /** @type {NodeJS.ErrnoException} */ (error);
  if (code === 'ENOSPC') return new FetchError(noSpace(path.dirname(target)));
  if (['EACCES', 'EROFS', 'ENOENT', 'ENOTDIR', 'EPERM'].includes(code ?? '')) {
    return new FetchError(
      `${path.dirname(target)} cannot be written; XDG_CACHE_HOME moves the cache`,
    );
  }
  return new FetchError(message);
}

if (require.main === module) {
  fetchLibTorch({ log: (line) => console.log(line) }).then(
    (dir) => console.log(`LibTorch ${VERSION} is in ${dir}`),
    (error) => {
      console.error(`feedrank: ${error.code}: ${error.message}`);
      process.exitCode = 1;
    },
  );
}

module.exports = { fetchLibTorch, FetchError };
