'use strict';

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const ROOT = path.resolve(__dirname, '../..');

/**
 * Lays the addon that was built last where `npm run prebuild` lays the one that it compiles anew.
 * @param {string} folder
 * @returns {string} the folder, for packRoot()
 */
function stagePrebuild(folder) {
  const target = path.join(folder, 'linux-x64');
  fs.mkdirSync(target, { recursive: true });
  const names = { 'feedrank.node': 'feedrank.glibc.node', 'feedrank_native.so': undefined };
  for (const [name, tagged] of Object.entries(names)) {
    const copy = path.join(target, tagged ?? name);
    fs.copyFileSync(path.join(ROOT, 'build/Release', name), copy);
    execFileSync('strip', ['--strip-unneeded', copy]);
  }
  return folder;
}

module.exports = { stagePrebuild };
