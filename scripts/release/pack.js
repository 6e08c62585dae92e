'use strict';

/**
 * Makes the tarballs that are published, checks them, and lists their hashes:
 *
 *     node scripts/release/pack.js [--prebuilds prebuilds] [--out release]
 */

const { createHash } = require('node:crypto');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { parseArgs } = require('node:util');
const { contentHash, readStamp, writeStamp } = require('../../lib/content-stamp.js');
const { withDirectoryLock } = require('../../lib/directory-lock.js');
const { fetchLibTorch } = require('../../lib/fetch-libtorch.js');
const {
  PLATFORM_PACKAGE,
  PLATFORM_PACKAGE_VERSION,
  WHEEL,
} = require('../../lib/libtorch-release.js');
const { checkPrebuild } = require('../check-prebuild.js');
const { LIBRARIES, stageLibTorchPackage } = require('./libtorch-package.js');
const { stageRootPackage } = require('./root-package.js');
const { describeLibrary, versionProblems } = require('./symbol-versions.js');
const { writeTarball } = require('./tarball.js');

const ROOT = path.resolve(__dirname, '../..');

/** Bytes that a tarball may have. The npm registry refuses what is over about 200 MB. */
const LIMITS = { root: 3_000_000, libtorch: 150_000_000 };

/** A tarball that is not fit to be published. */
class PackError extends Error {
  /** @param {readonly string[]} problems */
  constructor(problems) {
    super(problems.join('\n'));
    this.name = 'PackError';
    this.problems = problems;
  }
}

/**
 * @template T
 * @param {(folder: string) => Promise<T>} work
 * @returns {Promise<T>}
 */
async function inTemporaryFolder(work) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'feedrank-pack-'));
  try {
    return await work(folder);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * @param {string} name
 * @param {string} version
 */
function tarballName(name, version) {
  return `${name.replace('@', '').replace('/', '-')}-${version}.tgz`;
}

/**
 * @param {string} file
 * @param {number} limit
 */
function checkSize(file, limit) {
  const { size } = fs.statSync(file);
  if (size > limit) {
    throw new PackError([`${path.basename(file)} has ${size} bytes, and ${limit} are the limit`]);
  }
}

/**
 * Packs `feedrank`.
 * @param {{ prebuilds: string, out: string, limit?: number }} options
 * @returns {Promise<string>} path of the tarball
 * @throws {PackError} when the addon asks for too much of a system, or the tarball is too large
 */
async function packRoot({ prebuilds, out, limit = LIMITS.root }) {
  const { problems } = checkPrebuild(path.join(prebuilds, 'linux-x64'));
  if (problems.length > 0) throw new PackError(problems);
  const { name, version } = require('../../package.json');
  const file = path.join(out, tarballName(name, version));
  fs.mkdirSync(out, { recursive: true });
  await inTemporaryFolder(async (folder) => {
    await stageRootPackage(folder, prebuilds);
    await writeTarball(folder, file);
  });
  checkSize(file, limit);
  return file;
}

/**
 * Packs LibTorch's libraries, unless `out` holds them from the same sources already.
 * @param {{ out: string }} options
 * @returns {Promise<string>} path of the tarball
 * @throws {PackError} when a library asks for too much of a system, or the tarball is too large
 */
async function packLibTorch({ out }) {
  const file = path.join(out, tarballName(PLATFORM_PACKAGE, PLATFORM_PACKAGE_VERSION));
  const stamp = path.join(out, '.libtorch-stamp');
  const sources = ['packaging/libtorch', 'scripts/release', 'lib/libtorch-release.js'];
  const hash = contentHash(ROOT, sources, [WHEEL.sha256, process.version]);
  return withDirectoryLock(`${out}.lock`, async () => {
    if (readStamp(stamp) === hash && fs.existsSync(file)) return file;
    const libtorch = await fetchLibTorch();
    fs.mkdirSync(out, { recursive: true });
    await inTemporaryFolder(async (folder) => {
      stageLibTorchPackage(folder, libtorch);
      const problems = LIBRARIES.flatMap((name) =>
        versionProblems(describeLibrary(path.join(folder, 'lib', name))).map(
          (problem) => `${name}: ${problem}`,
        ),
      );
      if (problems.length > 0) throw new PackError(problems);
      await writeTarball(folder, `${file}.part`);
      fs.renameSync(`${file}.part`, file);
    });
    checkSize(file, LIMITS.libtorch);
    writeStamp(stamp, hash);
    return file;
  });
}

/**
 * Writes the list that `sha256sum --check` reads.
 * @param {string} out
 * @param {readonly string[]} files
 */
function writeChecksums(out, files) {
  const lines = files.map((file) => {
    const hash = createHash('sha256').update(fs.readFileSync(file)).digest('hex');
    return `${hash}  ${path.basename(file)}\n`;
  });
  fs.writeFileSync(path.join(out, 'SHA256SUMS'), lines.join(''));
}

/**
 * Makes all tarballs.
 * @param {{ prebuilds: string, out: string }} options
 * @returns {Promise<string[]>} their paths, in the order in which they are to be published
 */
async function packRelease({ prebuilds, out }) {
  const files = [await packLibTorch({ out }), await packRoot({ prebuilds, out })];
  writeChecksums(out, files);
  return files;
}

if (require.main === module) {
  const { values } = parseArgs({
    options: {
      prebuilds: { type: 'string', default: path.join(ROOT, 'prebuilds') },
      out: { type: 'string', default: path.join(ROOT, 'release') },
    },
  });
  packRelease({ prebuilds: path.resolve(values.prebuilds), out: path.resolve(values.out) }).then(
    (files) => {
      console.log('to be published in this order:');
      for (const file of files) {
        console.log(`${file}  ${(fs.statSync(file).size / 1e6).toFixed(1)} MB`);
      }
    },
    (error) => {
      for (const line of error.message.split('\n')) console.error(`release:pack: ${line}`);
      process.exitCode = 1;
    },
  );
}

module.exports = { packLibTorch, packRelease, packRoot, PackError };
