'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { runCommand } = require('../../lib/run-command.js');
const { npmCommand } = require('../../lib/check-tools.js');

const ROOT = path.resolve(__dirname, '../..');

/** What compiles native code, and what fetches LibTorch in a clone. */
const BUILD_TOOLS = [
  ...['cc', 'c++', 'gcc', 'g++', 'clang', 'clang++', 'ld', 'make', 'ninja', 'cmake'],
  ...['node-gyp', 'python', 'python3', 'pip', 'pip3'],
];

/**
 * An environment in which Node.js is the one program there is, and a home without any cache.
 * @param {string} folder where the home is made
 * @param {string} node path of a Node.js
 * @returns {NodeJS.ProcessEnv}
 */
function bareEnvironment(folder, node) {
  const bin = path.join(folder, 'bin');
  const home = path.join(folder, 'home');
  fs.mkdirSync(bin, { recursive: true });
  fs.mkdirSync(home, { recursive: true });
  fs.rmSync(path.join(bin, 'node'), { force: true });
  fs.symlinkSync(fs.realpathSync(node), path.join(bin, 'node'));
  return { PATH: bin, HOME: home, LANG: 'C.UTF-8', npm_config_update_notifier: 'false', CI: '1' };
}

/**
 * @param {NodeJS.ProcessEnv} env
 * @returns {string[]} the build tools that a program would find by name
 */
function reachableBuildTools(env) {
  const folders = (env['PATH'] ?? '').split(path.delimiter);
  return BUILD_TOOLS.filter((name) =>
    folders.some((folder) => fs.existsSync(path.join(folder, name))),
  );
}

/**
 * Runs a script under Node.js.
 * @param {readonly string[]} args
 * @param {{ cwd: string, env: NodeJS.ProcessEnv }} options
 * @returns {Promise<string>} what it printed
 * @throws {Error} with what it printed, when it fails or writes to standard error
 */
async function runNode(args, { cwd, env }) {
  const node = path.join(env['PATH'] ?? '', 'node');
  const { code, stdout, stderr } = await runCommand(node, args, { cwd, env });
  if (code !== 0) throw new Error(`node ${args.join(' ')}: ${code}\n${stdout}\n${stderr}`);
  return stdout.trim();
}

/**
 * How each package manager installs what package.json asks for, and what it is told before.
 * @typedef {object} Manager
 * @property {readonly string[]} install arguments after the program
 * @property {(url: string) => Record<string, string>} files settings, by file name
 * @property {readonly string[]} [preload] arguments of Node.js that make it find the packages
 */

/** @type {Record<'npm' | 'pnpm' | 'yarn' | 'yarn4' | 'yarn4-pnp', Manager>} */
const MANAGERS = {
  npm: {
    install: ['install', '--ignore-scripts', '--no-audit', '--no-fund'],
    files: (url) => ({ '.npmrc': `registry=${url}\n` }),
  },
  pnpm: {
    install: ['install', '--ignore-scripts', '--store-dir', '.store'],
    files: (url) => ({ '.npmrc': `registry=${url}\n` }),
  },
  yarn: {
    install: ['install', '--ignore-scripts', '--non-interactive'],
    files: (url) => ({ '.npmrc': `registry=${url}\n`, '.yarnrc': `registry "${url}"\n` }),
  },
  yarn4: { install: ['install', '--no-immutable'], files: yarn4Settings('node-modules') },
  'yarn4-pnp': {
    install: ['install', '--no-immutable'],
    files: yarn4Settings('pnp'),
    preload: ['--require', './.pnp.cjs', '--no-warnings', '--loader', './.pnp.loader.mjs'],
  },
};

/** @param {string} linker */
function yarn4Settings(linker) {
  return (/** @type {string} */ url) => ({
    // Without a lock file of its own the folder might belong to a project above it.
    'yarn.lock': '',
    '.yarnrc.yml': [
      `npmRegistryServer: "${url}"`,
      'unsafeHttpWhitelist: ["127.0.0.1"]',
      `nodeLinker: ${linker}`,
      'enableScripts: false',
      'enableTelemetry: false',
      // What was published just now is new, and Yarn keeps off new packages.
      'npmMinimalAgeGate: 0',
      'enableGlobalCache: false',
      '',
    ].join('\n'),
  });
}

/**
 * Installs feedrank into an empty project.
 * @param {object} options
 * @param {string} options.folder an empty one
 * @param {keyof typeof MANAGERS} options.manager
 * @param {string} options.program the package manager's script
 * @param {string} options.url the registry
 * @param {NodeJS.ProcessEnv} options.env
 * @returns {Promise<void>}
 */
async function install({ folder, manager, program, url, env }) {
  const { version } = require('../../package.json');
  const manifest = {
    name: 'consumer',
    version: '1.0.0',
    private: true,
    dependencies: { feedrank: version },
  };
  const files = { ...MANAGERS[manager].files(url), 'package.json': JSON.stringify(manifest) };
  for (const [name, text] of Object.entries(files)) {
    fs.writeFileSync(path.join(folder, name), text);
  }
  await runNode([program, ...MANAGERS[manager].install], { cwd: folder, env });
}

/** @returns {string} path of the npm that is on the path, as a script */
function npmProgram() {
  const running = npmCommand()?.[1];
  if (running) return running;
  const folders = (process.env['PATH'] ?? '').split(path.delimiter);
  const found = folders.map((name) => path.join(name, 'npm')).find((name) => fs.existsSync(name));
  if (!found) throw new Error('npm is not on the path');
  return fs.realpathSync(found);
}

/** @returns {{ first: string, longer: string }} the examples of the README, as CommonJS */
function readmeExamples() {
  const readme = fs.readFileSync(path.join(ROOT, 'README.md'), 'utf8');
  const [first, longer] = [...readme.matchAll(/```js\n([\s\S]*?)```/g)].map(([, text]) => text);
  if (!longer?.includes('decayedDot(')) throw new Error('the README has no two examples');
  return { first: String(first), longer };
}

/**
 * Writes the README's longer example as CommonJS, as a module, and as TypeScript that compiles to each.
 * @param {string} folder
 * @returns {Promise<string[]>} the names of the scripts to run
 */
async function writeConsumers(folder) {
  const commonJs = readmeExamples().longer;
  const module = commonJs.replace(
    /const (\{[^}]*\}) = require\('feedrank'\)/,
    "import $1 from 'feedrank'",
  );
  const files = {
    'plain.cjs': commonJs,
    'plain.mjs': module,
    'typed.cts': module,
    'typed.mts': module,
  };
  for (const [name, content] of Object.entries(files)) {
    fs.writeFileSync(path.join(folder, name), content);
  }
  const compilerOptions = {
    target: 'es2022',
    lib: ['es2023', 'esnext.disposable'],
    module: 'node16',
    moduleResolution: 'node16',
    strict: true,
    noUncheckedIndexedAccess: true,
    exactOptionalPropertyTypes: true,
    // Our own types are checked, too.
    skipLibCheck: false,
    types: ['node'],
    typeRoots: [path.join(ROOT, 'node_modules/@types')],
  };
  const typed = ['typed.cts', 'typed.mts'];
  const config = JSON.stringify({ compilerOptions, files: typed });
  fs.writeFileSync(path.join(folder, 'tsconfig.json'), config);
  const compiler = path.join(ROOT, 'node_modules/typescript/bin/tsc');
  const result = await runCommand(process.execPath, [compiler, '-p', '.'], { cwd: folder });
  if (result.code !== 0) throw new Error(`the example does not compile:\n${result.stdout}`);
  return Object.keys(files).map((name) => name.replace('ts', 'js'));
}

/**
 * What is wrong with what the example printed: it ranks three items, with the sources of each.
 * @param {string} printed
 * @returns {string | undefined} `undefined` where all is well
 */
function slateProblem(printed) {
  const ids = [...printed.matchAll(/^(budget|final|vote) -?\d/gm)].map(([, id]) => id);
  const isRanked = ids.sort().join() === 'budget,final,vote' && printed.includes('decayed-dot');
  return isRanked ? undefined : `it printed no slate of three:\n${printed}`;
}

module.exports = {
  BUILD_TOOLS,
  MANAGERS,
  bareEnvironment,
  install,
  npmProgram,
  reachableBuildTools,
  readmeExamples,
  runNode,
  slateProblem,
  writeConsumers,
};
