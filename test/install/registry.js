'use strict';

const { spawn } = require('node:child_process');
const fs = require('node:fs');
const net = require('node:net');
const path = require('node:path');
const { setTimeout: sleep } = require('node:timers/promises');
const { npmCommand } = require('../../lib/check-tools.js');
const { runCommand } = require('../../lib/run-command.js');
const { provideModules } = require('../../scripts/provide-modules.js');

const TOOLS = path.join(__dirname, 'tools');

/**
 * What this process was given, less what npm hands on from a command of its own.
 * @returns {NodeJS.ProcessEnv}
 */
function plainEnvironment() {
  const handedOn = /^npm_(config_(json|global|workspace|ignore_scripts)|lifecycle_|package_)/i;
  const entries = Object.entries(process.env).filter(([name]) => !handedOn.test(name));
  return { ...Object.fromEntries(entries), NODE_OPTIONS: '' };
}

/**
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {Promise<string>} what npm printed
 */
async function npm(args, env = plainEnvironment()) {
  const [command, ...before] = npmCommand() ?? ['npm'];
  const result = await runCommand(command, [...before, ...args, '--loglevel=error'], { env });
  if (result.code !== 0) throw new Error(`npm ${args.join(' ')}: ${result.stderr.trim()}`);
  return result.stdout.trim();
}

/**
 * Why packages cannot be installed from a registry here: the registry that npm is set up with is
 * asked for what feedrank depends on.
 * @returns {Promise<string | undefined>} `undefined` where they can
 */
async function registryProblem() {
  if (process.env['FEEDRANK_LIBTORCH']) {
    return 'the addon here was compiled for FEEDRANK_LIBTORCH, and not for the packed LibTorch';
  }
  const missing = await provideModules(TOOLS);
  if (missing) return `the registry's program cannot be had: ${missing}`;
  try {
    await npm(['view', 'node-gyp-build', 'version', '--fetch-retries', '0']);
    return undefined;
  } catch (error) {
    return `npm's registry does not answer: ${/** @type {Error} */ (error).message.split('\n')[0]}`;
  }
}

/** @returns {Promise<number>} a port of the loopback address that is free now */
function freePort() {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = /** @type {net.AddressInfo} */ (server.address());
      server.close(() => resolve(port));
    });
  });
}

/**
 * @typedef {object} Registry
 * @property {string} url
 * @property {() => Promise<void>} stop
 */

/**
 * Starts a registry on the loopback address that holds the given tarballs and passes every other
 * request on to the registry that npm is set up with.
 * @param {string} folder an empty one, for what it stores
 * @param {readonly string[]} tarballs published in this order
 * @returns {Promise<Registry>}
 */
async function startRegistry(folder, tarballs) {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/`;
  const own = { access: '$all', publish: '$all', unpublish: '$all' };
  const config = path.join(folder, 'config.yaml');
  // JSON is YAML as well.
  fs.writeFileSync(
    config,
    JSON.stringify({
      storage: path.join(folder, 'storage'),
      auth: { htpasswd: { file: path.join(folder, 'htpasswd') } },
      uplinks: { upstream: { url: await npm(['config', 'get', 'registry']), timeout: '60s' } },
      packages: {
        feedrank: own,
        '@feedrank/*': own,
        '**': { access: '$all', proxy: 'upstream' },
      },
      max_body_size: '400mb',
      web: { enable: false },
      log: { type: 'stdout', format: 'pretty', level: 'warn' },
    }),
  );

  const program = path.join(TOOLS, 'node_modules/verdaccio/bin/verdaccio');
  const log = fs.openSync(path.join(folder, 'log'), 'w');
  const child = spawn(
    process.execPath,
    [program, '--config', config, '--listen', `127.0.0.1:${port}`],
    { cwd: folder, env: plainEnvironment(), stdio: ['ignore', log, log] },
  );
  fs.closeSync(log);
  const ended = new Promise((resolve) => child.on('exit', resolve));
  const stop = async () => {
    child.kill();
    await ended;
  };

  try {
    await answers(url, child, path.join(folder, 'log'));
    for (const tarball of tarballs) await publish(tarball, url, folder);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, stop };
}

/**
 * @param {string} url
 * @param {import('node:child_process').ChildProcess} child
 * @param {string} log
 */
async function answers(url, child, log) {
  for (let tries = 0; tries < 300 && child.exitCode === null; ++tries) {
    try {
      if ((await fetch(`${url}-/ping`)).ok) return;
    } catch {
      // It does not listen yet.
    }
    await sleep(100);
  }
  throw new Error(`the registry did not start: ${fs.readFileSync(log, 'utf8')}`);
}

/**
 * @param {string} tarball
 * @param {string} url
 * @param {string} folder
 */
async function publish(tarball, url, folder) {
  // npm does not publish without a token, and the registry takes any.
  const settings = path.join(folder, 'npmrc');
  fs.writeFileSync(settings, `${url.replace('http:', '')}:_authToken=none\n`);
  const where = ['--registry', url, '--userconfig', settings];
  await npm(['publish', tarball, ...where, '--ignore-scripts']);
}

if (require.main === module) {
  registryProblem().then((problem) => console.log(problem ?? ''));
}

module.exports = { TOOLS, npm, plainEnvironment, registryProblem, startRegistry };
