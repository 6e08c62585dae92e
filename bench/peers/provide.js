'use strict';

// Sets up what benchmarks compare feedrank with, where it is not there yet:
//
//     node bench/peers/provide.js
//
// npm packages go into this folder, Python's into virtual environments of the per-user cache.
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
/** PyTorch is large, and only the sidecar needs it. */
const sidecarEnvironment = path.join(cache, 'bench-sidecar');

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

const pythonOf = (folder) => path.join(folder, 'bin/python');

/** @returns {Promise<string | undefined>} why there are none */
async function providePython(folder, requirements) {
  const stamp = path.join(folder, 'feedrank-stamp');
  const hash = contentHash(__dirname, [requirements]);
  if (readStamp(stamp) === hash) return undefined;
  const made = await runCommand('python3', ['-m', 'venv', '--clear', folder]);
  if (made.code !== 0) return `python3 -m venv: ${lastLine(made.stderr || made.stdout)}`;
  const installed = await runCommand(pythonOf(folder), [
    ...['-m', 'pip', 'install', '--disable-pip-version-check'],
    ...['--requirement', path.join(__dirname, requirements)],
  ]);
  if (installed.code !== 0) return `pip install: ${lastLine(installed.stderr)}`;
  writeStamp(stamp, hash);
  return undefined;
}

/**
 * @returns {Promise<{ python: string, missing: { node?: string, hnswlib?: string, python?: string } }>}
 *   the interpreter, and why a kind of peers cannot be had
 */
async function providePeers() {
  return withDirectoryLock(`${environment}.lock`, async () => {
    const node = await provideModules(__dirname);
    const hnswlib = node ?? (await compileHnswlib());
    const python = await providePython(environment, 'requirements.txt');
    return { python: pythonOf(environment), missing: { node, hnswlib, python } };
  });
}

/**
 * @returns {Promise<{ python: string, missing: { sidecar?: string } }>} an interpreter with PyTorch,
 *   FastAPI and uvicorn, and why it cannot be had
 */
async function provideSidecar() {
  return withDirectoryLock(`${sidecarEnvironment}.lock`, async () => ({
    python: pythonOf(sidecarEnvironment),
    missing: { sidecar: await providePython(sidecarEnvironment, 'sidecar-requirements.txt') },
  }));
}

module.exports = { cache, providePeers, provideSidecar };

if (require.main === module) {
  providePeers().then(({ missing }) => {
    for (const [kind, why] of Object.entries(missing)) {
      process.stdout.write(`${kind}: ${why ?? 'ready'}\n`);
    }
    process.exitCode = Object.values(missing).some((why) => why !== undefined) ? 1 : 0;
  });
}
