'use strict';

/**
 * Fails when a prebuild asks for newer system libraries than feedrank promises to run with, or
 * carries a path of the machine that built it.
 */

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { describeLibrary, versionProblems } = require('./release/symbol-versions.js');

const ROOT = path.resolve(__dirname, '..');

/** @param {string} file */
function problemsOf(file) {
  const problems = versionProblems(describeLibrary(file));
  const bytes = fs.readFileSync(file);
  for (const folder of [ROOT, os.homedir()]) {
    if (folder !== '/' && bytes.includes(`${folder}/`))
      problems.push(`it holds the path ${folder}`);
  }
  return problems;
}

/**
 * @param {string} folder where the loader and feedrank_native.so lie
 * @returns {{ files: string[], problems: string[] }} the libraries, and what is wrong with them
 */
function checkPrebuild(folder) {
  const files = fs.existsSync(folder)
    ? fs.readdirSync(folder).filter((name) => /\.(node|so)$/.test(name))
    : [];
  const problems = files.flatMap((name) =>
    problemsOf(path.join(folder, name)).map((problem) => `${name}: ${problem}`),
  );
  if (!files.some((name) => name.endsWith('.glibc.node'))) {
    problems.push(`${folder} holds no loader tagged with its C library`);
  }
  if (!files.includes('feedrank_native.so')) problems.push('feedrank_native.so is missing');
  return { files, problems };
}

if (require.main === module) {
  const folder = path.join(ROOT, 'prebuilds', `${process.platform}-${process.arch}`);
  const { files, problems } = checkPrebuild(folder);
  problems.forEach((line) => console.error(line));
  console.log(`${files.join(', ')}: ${problems.length === 0 ? 'ok' : 'not fit to be published'}`);
  process.exitCode = problems.length === 0 ? 0 : 1;
}

module.exports = { checkPrebuild };
