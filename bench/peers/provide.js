'use strict';

// Sets up what benchmarks compare feedrank with, where it is not there yet:
//
//     node bench/peers/provide.js
//
// npm packages go into this folder, Python's into a virtual environment of the per-user cache.
// What cannot be had is left out of the comparison, with the reason.

const fs = require('node:fs');
const path = require('node:path');
const { npmCommand } = require('../../lib/check-tools.js');
const { contentHash, readStamp, writeStamp } = require('../../lib/content-stamp.js');
const { withDirectoryLock } = require('../../lib/directory-lock.js');
const { cacheDir } = require('../../lib/find-libtorch.js');
const { runCommand } = require('../../lib/run-command.js');
const { provideModules } = require('../../scripts/provide-modules.js');

const modules = path.join(__dirname, 'node_modules');
const cache = path.dirname(cacheDir());
const environment = path.join(cache, 'bench-peers');

function lastLine(text) {
  return text.trim().split('\n').at(-1) ?? '';
}

async function npm(args, env = {}) {
  const [command, ...before] = npmCommand() ?? ['npm'];
  return runCommand(command, [...before, ...args, '--no-audit', '--no-fund'], {
    cwd: __dirname,
    env: { ...process.env, ...env },
  });
}

/** hnswlib-node has no binaries, so it is compiled against the headers of this Node.js. */
async function compileHnswlib() {
  const addon = path.join(modules, 'hnswlib-node/build/Release/addon.node');
  if (fs.existsSync(addon)) return undefined;
  const nodedir = path.dirname(path.dirname(process.execPath));
  if (!fs.existsSync(path.join(nodedir, 'include/node/node_api.h'))) {
    return `no headers of Node.js in ${path.join(nodedir, 'include')}`;
  }
  const { stderr } = await npm(['rebuild', 'hnswlib-node', '--ignore-scripts=false'], {
    npm_config_nodedir: nodedir,
  });
  return fs.existsSync(addon) ? undefined : `it does not compile: ${lastLine(stderr)}`;
}

async function providePythonPeers() {
  const stamp = path.join(environment, 'feedrank-stamp');
  const hash = contentHash(__dirname, ['requirements.txt']);
  if (readStamp(stamp) === hash) return undefined;
  const made = await runCommand('python3', ['-m', 'venv', '--clear', environment]);
  if (made.code !== 0) return `python3 -m venv: ${lastLine(made.stderr || made.stdout)}`;
  const requirements = path.join(__dirname, 'requirements.txt');
  const installed = await runCommand(python, [
    ...['-m', 'pip', 'install', '--disable-pip-version-check', '--requirement', requirements],
  ]);
  if (installed.code !== 0) return `pip install: ${lastLine(installed.stderr)}`;
  writeStamp(stamp, hash);
  return undefined;
}

const python = path.join(environment, 'bin/python');

/**
 * @returns {Promise<{ python: string, missing: { node?: string, hnswlib?: string, python?: string } }>}
 *   the interpreter, and why a kind of peers cannot be had
 */
async function providePeers() {
  return withDirectoryLock(`${environment}.lock`, async () => {
    const node = await provideModules(__dirname);
    const hnswlib = node ?? (await compileHnswlib());
    return { python, missing: { node, hnswlib, python: await providePythonPeers() } };
  });
}

module.exports = { cache, providePeers };

if (require.main === module) {
  providePeers().then(({ missing }) => {
    for (const [kind, why] of Object.entries(missing)) {
      process.stdout.write(`${kind}: ${why ?? 'ready'}\n`);
    }
    process.exitCode = Object.values(missing).some((why) => why !== undefined) ? 1 : 0;
  });
}
