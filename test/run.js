'use strict';

/**
 * Runs the native tests (ctest) and then the TypeScript tests (jest), and sums them up in the last
 * line. Arguments go to jest; with any, the native tests are left out.
 *
 *     npm test                          everything
 *     npm test -- --native              the native tests only
 *     npm test -- test/catalog.test.ts  one file
 */

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const ROOT = path.resolve(__dirname, '..');

/** @typedef {{ passed: number, failed: number, skipped: number }} Counts */

/**
 * @param {string} folder where ctest may write its report
 * @returns {Counts}
 */
function runNative(folder) {
  const report = path.join(folder, 'ctest.xml');
  const result = spawnSync(
    'ctest',
    ['--test-dir', 'build', '--output-on-failure', '--parallel', '2', '--output-junit', report],
    { cwd: ROOT, stdio: 'inherit' },
  );
  const counts = fs.existsSync(report)
    ? countNative(fs.readFileSync(report, 'utf8'))
    : { passed: 0, failed: 0, skipped: 0 };
  if (result.status !== 0 && counts.failed === 0) counts.failed += 1;
  return counts;
}

/**
 * Counts cases, not processes: each process prints how its cases went, and one that could not
 * print so has crashed.
 * @param {string} xml ctest's report
 * @returns {Counts}
 */
function countNative(xml) {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const [, process] of xml.matchAll(/<testcase ([\s\S]*?)<\/testcase>/g)) {
    const line = [...process.matchAll(/(\d+) passed, (\d+) failed, (\d+) skipped/g)].at(-1);
    const broken = /^[^>]*status="fail"/.test(process);
    counts.passed += Number(line?.[1] ?? 0);
    counts.failed += Math.max(Number(line?.[2] ?? 0), broken || !line ? 1 : 0);
    counts.skipped += Number(line?.[3] ?? 0);
  }
  return counts;
}

/**
 * @param {string} folder where jest may write its report
 * @param {readonly string[]} args
 * @returns {Counts}
 */
function runJest(folder, args) {
  const report = path.join(folder, 'jest.json');
  const options = [process.env['NODE_OPTIONS'], '--experimental-vm-modules', '--no-warnings'];
  const result = spawnSync(
    process.execPath,
    [
      path.join(ROOT, 'node_modules/jest/bin/jest.js'),
      ...['--json', '--outputFile', report, '--passWithNoTests', ...args],
    ],
    {
      cwd: ROOT,
      // A run that hangs must end as a failure, and not when somebody's patience does.
      timeout: 15 * 60_000,
      // jest's own reporter writes to standard error; standard output only repeats the report.
      stdio: ['inherit', 'ignore', 'inherit'],
      env: { ...process.env, NODE_OPTIONS: options.filter(Boolean).join(' ') },
    },
  );
  const counts = { passed: 0, failed: 0, skipped: 0 };
  if (fs.existsSync(report)) {
    const summary = JSON.parse(fs.readFileSync(report, 'utf8'));
    counts.passed = summary.numPassedTests;
    counts.failed = summary.numFailedTests + summary.numRuntimeErrorTestSuites;
    counts.skipped = summary.numPendingTests + summary.numTodoTests;
  }
  if (result.status !== 0 && counts.failed === 0) counts.failed += 1;
  return counts;
}

function main() {
  const args = process.argv.slice(2);
  const nativeOnly = args.includes('--native');
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'feedrank-test-'));
  /** @type {Counts[]} */
  const parts = [];
  try {
    if (nativeOnly || args.length === 0) parts.push(runNative(folder));
    if (!nativeOnly) parts.push(runJest(folder, args));
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
  const sum = (/** @type {keyof Counts} */ key) => parts.reduce((n, part) => n + part[key], 0);
  const failed = sum('failed');
  if (failed > 0 || sum('passed') === 0) process.exitCode = 1;
  console.log(`${sum('passed')} passed, ${failed} failed, ${sum('skipped')} skipped`);
}

main();
