'use strict';

const { createHash } = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');

/**
 * Remembers what a step was last done for, so that a step whose inputs have not changed is left
 * out. A file's content counts and its time does not, because git sets times as it likes.
 */

/**
 * Hash of the names and contents of files.
 * @param {string} root
 * @param {readonly string[]} entries files and folders below `root`; missing ones count as missing
 * @param {readonly string[]} [extra] other text that the step depends on
 * @returns {string}
 */
function contentHash(root, entries, extra = []) {
  const hash = createHash('sha256');
  const add = (/** @type {string} */ name) => {
    const file = path.join(root, name);
    const stat = fs.statSync(file, { throwIfNoEntry: false });
    if (stat?.isDirectory()) {
      for (const child of fs.readdirSync(file).sort()) add(path.join(name, child));
    } else {
      hash.update(`${name}\0${stat ? stat.size : 'missing'}\0`);
      if (stat) hash.update(fs.readFileSync(file));
    }
  };
  entries.forEach(add);
  extra.forEach((text) => hash.update(`${text}\0`));
  return hash.digest('hex');
}

/**
 * @param {string} file
 * @returns {string | undefined} the hash that a stamp holds
 */
function readStamp(file) {
  try {
    return fs.readFileSync(file, 'utf8').trim();
  } catch {
    return undefined;
  }
}

/**
 * @param {string} file
 * @param {string} hash
 */
function writeStamp(file, hash) {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(`${file}.${process.pid}`, `${hash}\n`);
  fs.renameSync(`${file}.${process.pid}`, file);
}

module.exports = { contentHash, readStamp, writeStamp };
