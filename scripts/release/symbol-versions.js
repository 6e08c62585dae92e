'use strict';

const { execFileSync } = require('node:child_process');

/** The newest version of each library's symbols that the oldest supported system has. */
const FLOOR = { GLIBC: [2, 34], GLIBCXX: [3, 4, 29], CXXABI: [1, 3, 13] };

/**
 * @param {readonly number[]} a
 * @param {readonly number[]} b
 * @returns {number} positive where `a` is the newer version
 */
function compareVersions(a, b) {
  const length = Math.max(a.length, b.length);
  for (let i = 0; i < length; ++i) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/**
 * The newest version of each system library's symbols that objdump says a shared library needs.
 * @param {string} listing what `objdump -p` prints
 * @returns {Record<string, number[]>} by library: GLIBC, GLIBCXX, CXXABI
 */
function newestVersions(listing) {
  /** @type {Record<string, number[]>} */
  const newest = {};
  const needed = listing.split('Version References:')[1] ?? '';
  for (const [, library, text] of needed.matchAll(/\b(GLIBC|GLIBCXX|CXXABI)_([\d.]+)/g)) {
    const version = text.split('.').map(Number);
    const before = newest[library];
    if (!before || compareVersions(version, before) > 0) newest[library] = version;
  }
  return newest;
}

/**
 * Why a shared library would not load on the oldest supported system.
 * @param {string} listing what `objdump -p` prints
 * @returns {string[]} one line for each problem, or none
 */
function versionProblems(listing) {
  return Object.entries(newestVersions(listing)).flatMap(([library, version]) => {
    const floor = FLOOR[/** @type {keyof typeof FLOOR} */ (library)];
    if (compareVersions(version, floor) <= 0) return [];
    return [`it needs ${library}_${version.join('.')}, and ${floor.join('.')} is the floor`];
  });
}

/**
 * @param {string} file
 * @returns {string} what objdump says of it
 */
function describeLibrary(file) {
  return execFileSync('objdump', ['-p', file], { encoding: 'utf8', maxBuffer: 2 ** 26 });
}

module.exports = { describeLibrary, newestVersions, versionProblems };
