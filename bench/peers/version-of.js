'use strict';

const { readFileSync } = require('node:fs');
const path = require('node:path');

/** Of a package of this folder. Not every one lets its package.json be required. */
function versionOf(name) {
  const file = path.join(__dirname, 'node_modules', name, 'package.json');
  return JSON.parse(readFileSync(file, 'utf8')).version;
}

module.exports = { versionOf };
