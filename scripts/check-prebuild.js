'use strict';

/**
 * Fails when a prebuild asks for newer system libraries than feedrank promises to run with, or
 * carries a path of the machine that built it.
 */

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const ROOT = path.resolve(__dirname, '..');
const FOLDER = path.join(ROOT, 'prebuilds', `${process.platform}-${process.arch}`);

/** The newest version of each library's symbols that the oldest supported system has. */
const FLOOR = { GLIBC: [2, 34], GLIBCXX: [3, 4, 29], CXXABI: [1, 3, 13] };

/**
 * @param {readonly number[]} version
 * @param {readonly number[]} floor
 */
function isNewer(version, floor) {
  const i = floor.findIndex((part, at) => (version[at] ?? 0) !== part);
  return i < 0 ? version.length > floor.length : (version[i] ?? 0) > floor[i];
}

/** @param {string} file */
function problemsOf(file) {
  const symbols = execFileSync('objdump', ['-T', file], { encoding: 'utf8', maxBuffer: 2 ** 28 });
  const problems = new Set();
  for (const [, library, version] of symbols.matchAll(/\b(GLIBC|GLIBCXX|CXXABI)_([\d.]+)/g)) {
    const floor = FLOOR[/** @type {keyof typeof FLOOR} */ (library)];
    if (isNewer(version.split('.').map(Number), floor)) {
      problems.add(`it needs ${library}_${version}, and ${floor.join('.')} is the floor`);
    }
  }
  const bytes = fs.readFileSync(file);
  for (const folder of [ROOT, os.homedir()]) {
    if (folder !== '/' && bytes.includes(`${folder}/`)) problems.add(`it holds the path ${folder}`);
  }
  return [...problems];
}

const files = fs.readdirSync(FOLDER).filter((name) => /\.(node|so)$/.test(name));
const lines = files.flatMap((name) =>
  problemsOf(path.join(FOLDER, name)).map((problem) => `${name}: ${problem}`),
);
if (!files.includes('feedrank_native.so')) lines.push('feedrank_native.so is missing');
lines.forEach((line) => console.error(line));
console.log(`${files.join(', ')}: ${lines.length === 0 ? 'ok' : 'not fit to be published'}`);
process.exitCode = lines.length === 0 ? 0 : 1;
