'use strict';

const fs = require('node:fs');
const path = require('node:path');
const tar = require('tar');

/** The time that every entry gets, which is npm's own. */
const MTIME = new Date('1985-10-26T08:15:00.000Z');

/**
 * Writes a folder as a package's tarball. The same files give the same bytes, whatever their
 * times, owners and order on disk.
 * @param {string} folder holds package.json
 * @param {string} file
 * @returns {Promise<void>}
 */
async function writeTarball(folder, file) {
  const names = fs
    .readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => fs.statSync(path.join(folder, name)).isFile())
    .sort();
  await tar.create(
    // Level 9 takes more than twice as long and saves less than one percent.
    { cwd: folder, file, gzip: { level: 6 }, mtime: MTIME, portable: true, prefix: 'package' },
    names.map((name) => `./${name}`),
  );
}

/**
 * @param {string} from
 * @param {string} to
 * @param {{ executable?: boolean }} [options]
 */
function copyFile(from, to, { executable = false } = {}) {
  fs.mkdirSync(path.dirname(to), { recursive: true });
  fs.copyFileSync(from, to);
  // Whoever packs may have another umask.
  fs.chmodSync(to, executable ? 0o755 : 0o644);
}

/**
 * @param {string} file
 * @param {string} text
 */
function writeText(file, text) {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, text);
  fs.chmodSync(file, 0o644);
}

module.exports = { copyFile, writeTarball, writeText };
