'use strict';

/**
 * Checks types, lint rules and formatting, and builds the reference of the public API in reference/,
 * all of them even when one fails.
 *
 *     node scripts/check.js [--format]     --format mends formatting instead
 */

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const ROOT = path.resolve(__dirname, '..');
const NATIVE_FOLDERS = ['native', 'test/native', 'bench/native'];

/** @returns {string[]} our C++ sources, relative to the root */
function nativeSources() {
  return NATIVE_FOLDERS.filter((dir) => fs.existsSync(path.join(ROOT, dir))).flatMap((dir) =>
    fs
      .readdirSync(path.join(ROOT, dir), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.(cc|h)$/.test(name))
      .map((name) => path.join(dir, name)),
  );
}

/**
 * @param {string} name
 * @param {string} file script of a package, as it stands in node_modules
 * @param {readonly string[]} args
 */
function run(name, file, args) {
  const script = path.join(ROOT, 'node_modules', file);
  const result = spawnSync(process.execPath, [script, ...args], { cwd: ROOT, stdio: 'inherit' });
  const passed = result.status === 0;
  console.log(`${passed ? 'ok    ' : 'FAILED'} ${name}`);
  return passed;
}

const sources = nativeSources();
const mends = process.argv.includes('--format');
const results = mends
  ? [
      run('prettier', 'prettier/bin/prettier.cjs', ['--write', '--log-level', 'warn', '.']),
      run('clang-format', 'clang-format/index.js', ['-i', ...sources]),
    ]
  : [
      run('types', 'typescript/bin/tsc', ['-p', 'tsconfig.check.json']),
      run('types of plain JavaScript', 'typescript/bin/tsc', ['-p', 'lib']),
      run('eslint', 'eslint/bin/eslint.js', ['--max-warnings', '0', '.']),
      run('prettier', 'prettier/bin/prettier.cjs', ['--check', '--log-level', 'warn', '.']),
      run('clang-format', 'clang-format/index.js', ['--dry-run', '-Werror', ...sources]),
      run('reference', 'typedoc/bin/typedoc', []),
    ];
process.exitCode = results.every(Boolean) ? 0 : 1;
