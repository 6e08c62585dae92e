'use strict';

const { spawnSync } = require('node:child_process');
const path = require('node:path');

/** The oldest Node.js that works, as in package.json. */
const NODE_FLOOR = [20, 17];
/** The oldest CMake that CMakeLists.txt works with. */
const CMAKE_FLOOR = [3, 20];

/**
 * @typedef {object} Tools
 * @property {string} cxx the C++ compiler
 * @property {'Ninja' | 'Unix Makefiles'} generator
 */

/**
 * Runs a program and gives what it printed.
 * @param {string} program
 * @param {readonly string[]} args
 * @param {string} [input]
 * @returns {string | undefined} `undefined` when it is missing or fails
 */
function output(program, args, input) {
  const result = spawnSync(program, args, { encoding: 'utf8', input });
  return result.status === 0 ? result.stdout : undefined;
}

/**
 * @param {string} text
 * @param {readonly number[]} floor major and minor
 */
function isAtLeast(text, floor) {
  const match = /(\d+)\.(\d+)/.exec(text);
  if (!match) return false;
  const [major, minor] = [Number(match[1]), Number(match[2])];
  return major > floor[0] || (major === floor[0] && minor >= floor[1]);
}

/**
 * What is wrong with this Node.js.
 * @returns {string[]} one line for each problem, or none
 */
function nodeProblems() {
  if (isAtLeast(process.versions.node, NODE_FLOOR)) return [];
  return [
    `Node.js ${NODE_FLOOR.join('.')} or later is needed, and this is ${process.versions.node}; ` +
      'install a newer one, for example from https://nodejs.org',
  ];
}

/**
 * Finds what compiles the addon.
 * @param {NodeJS.ProcessEnv} [env] Defaults to `process.env`.
 * @returns {{ tools: Tools, problems: string[] }} `problems` has one line for each missing tool
 */
function compileTools(env = process.env) {
  const problems = [];

  // The names and their order are CMake's own.
  const named = env['CXX']?.trim();
  const candidates = named ? [named] : ['c++', 'g++', 'clang++'];
  const program = 'static_assert(__cplusplus > 201703L);\n#include <concepts>\n#include <span>\n';
  const args = ['-std=c++20', '-x', 'c++', '-fsyntax-only', '-'];
  const cxx = candidates.find((name) => output(name, args, program) !== undefined);
  if (!cxx) {
    const present = candidates.find((name) => output(name, ['--version']) !== undefined);
    problems.push(
      present
        ? `the C++ compiler ${present} cannot compile C++20; install g++ 11 or later with: apt-get install g++`
        : `a C++ compiler is missing${named ? ` (CXX is ${named})` : ''}; install it with: apt-get install g++`,
    );
  }

  const cmake = output('cmake', ['--version']);
  if (cmake === undefined) {
    problems.push('cmake is missing; install it with: apt-get install cmake');
  } else if (!isAtLeast(cmake, CMAKE_FLOOR)) {
    problems.push(
      `cmake ${CMAKE_FLOOR.join('.')} or later is needed, and this is ` +
        `${/[\d.]+/.exec(cmake)?.[0]}; install it with: apt-get install cmake`,
    );
  }

  const hasNinja = output('ninja', ['--version']) !== undefined;
  if (!hasNinja && output('make', ['--version']) === undefined) {
    problems.push('make is missing (ninja does as well); install it with: apt-get install make');
  }
  return {
    tools: { cxx: cxx ?? 'c++', generator: hasNinja ? 'Ninja' : 'Unix Makefiles' },
    problems,
  };
}

/**
 * What is missing to fetch LibTorch.
 * @returns {string[]} one line for each missing tool
 */
function fetchProblems() {
  if (output('python3', ['-c', '']) === undefined) {
    return [
      'python3 is missing (pip fetches LibTorch); install it with: apt-get install python3 python3-pip',
    ];
  }
  if (output('python3', ['-m', 'pip', '--version']) === undefined) {
    return [
      "Python's pip is missing (it fetches LibTorch); install it with: apt-get install python3-pip",
    ];
  }
  return [];
}

/**
 * What is missing to install the npm packages.
 * @returns {string[]} one line for each missing tool
 */
function npmProblems() {
  return npmCommand() ? [] : ['npm is missing; install it with: apt-get install npm'];
}

/**
 * How to run npm: the one that runs this script, or the one on the path.
 * @param {NodeJS.ProcessEnv} [env] Defaults to `process.env`.
 * @returns {[string, ...string[]] | undefined}
 */
function npmCommand(env = process.env) {
  const running = env['npm_execpath'];
  if (running && /^npm-cli\.c?js$/.test(path.basename(running))) return [process.execPath, running];
  return output('npm', ['--version']) === undefined ? undefined : ['npm'];
}

module.exports = { nodeProblems, compileTools, fetchProblems, npmProblems, npmCommand };
