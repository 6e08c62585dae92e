'use strict';

/**
 * Publishes the packed packages to a registry of this machine, installs them from it by every
 * package manager where there is no compiler, and runs the README's example on every supported
 * Node.js:
 *
 *     npm run test:install
 */

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { packLibTorch, packRoot } = require('../../scripts/release/pack.js');
const { provideModules } = require('../../scripts/provide-modules.js');
const {
  BUILD_TOOLS,
  MANAGERS,
  bareEnvironment,
  install,
  reachableBuildTools,
  runNode,
  slateProblem,
  writeConsumers,
} = require('./consumer.js');
const { registryProblem, startRegistry } = require('./registry.js');
const { stagePrebuild } = require('./stage-prebuild.js');

const ROOT = path.resolve(__dirname, '../..');
const MATRIX = path.join(__dirname, 'matrix');
const NODES = ['node20', 'node22', 'node24'];
const PROGRAMS = {
  npm: 'npm/bin/npm-cli.js',
  pnpm: 'pnpm/bin/pnpm.cjs',
  yarn: 'yarn/bin/yarn.js',
  yarn4: 'yarn4/bin/yarn.js',
  'yarn4-pnp': 'yarn4/bin/yarn.js',
};

/** @param {string} name of a package of the matrix, and a path in it */
function inMatrix(name) {
  return path.join(MATRIX, 'node_modules', name);
}

/**
 * @param {string} folder
 * @param {keyof typeof MANAGERS} manager
 * @param {string} url
 * @returns {Promise<number>} how many cases failed
 */
async function checkManager(folder, manager, url) {
  const project = path.join(folder, 'project');
  fs.mkdirSync(project, { recursive: true });
  const env = bareEnvironment(folder, inMatrix('node22/bin/node'));
  const reachable = reachableBuildTools(env);
  if (reachable.length > 0) throw new Error(`reachable: ${reachable.join(', ')}`);
  console.log(
    `${manager}: PATH=${env['PATH']} holds ${fs.readdirSync(String(env['PATH'])).join()}`,
  );
  await install({ folder: project, manager, program: inMatrix(PROGRAMS[manager]), url, env });

  // Yarn's archives are not folders that the TypeScript compiler could read.
  const preload = MANAGERS[manager].preload ?? [];
  const scripts =
    preload.length > 0 ? await plainConsumers(project) : await writeConsumers(project);
  let failures = 0;
  for (const name of NODES) {
    const own = bareEnvironment(folder, inMatrix(`${name}/bin/node`));
    const version = await runNode(['--version'], { cwd: project, env: own });
    for (const script of scripts) {
      const problem = await runNode([...preload, script], { cwd: project, env: own }).then(
        slateProblem,
        (error) => error.message,
      );
      if (problem) failures += 1;
      console.log(`${problem ? 'FAILED' : 'ok    '} ${manager}, Node.js ${version}, ${script}`);
      if (problem) console.log(problem);
    }
  }
  return failures;
}

/** @param {string} project */
async function plainConsumers(project) {
  const elsewhere = fs.mkdtempSync(path.join(os.tmpdir(), 'feedrank-consumers-'));
  try {
    fs.mkdirSync(path.join(elsewhere, 'node_modules'));
    fs.symlinkSync(ROOT, path.join(elsewhere, 'node_modules/feedrank'));
    const scripts = await writeConsumers(elsewhere);
    for (const name of scripts) {
      fs.copyFileSync(path.join(elsewhere, name), path.join(project, name));
    }
    return scripts;
  } finally {
    fs.rmSync(elsewhere, { recursive: true, force: true });
  }
}

async function main() {
  const problem = (await registryProblem()) ?? (await provideModules(MATRIX));
  if (problem) {
    console.log(`skipped: ${problem}`);
    return;
  }
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'feedrank-install-'));
  let failures = 0;
  try {
    const prebuilds = stagePrebuild(path.join(folder, 'prebuilds'));
    const tarballs = [
      await packLibTorch({ out: path.join(ROOT, 'release') }),
      await packRoot({ prebuilds, out: path.join(folder, 'packed') }),
    ];
    const again = await packLibTorch({ out: path.join(folder, 'packed') });
    const isSame = fs.readFileSync(again).equals(fs.readFileSync(tarballs[0]));
    console.log(`${isSame ? 'ok    ' : 'FAILED'} LibTorch packed twice is the same bytes`);
    if (!isSame) failures += 1;
    fs.mkdirSync(path.join(folder, 'registry'));
    const registry = await startRegistry(path.join(folder, 'registry'), tarballs);
    try {
      console.log(`not reachable in what follows: ${BUILD_TOOLS.join(', ')}`);
      for (const manager of /** @type {(keyof typeof MANAGERS)[]} */ (Object.keys(MANAGERS))) {
        failures += await checkManager(path.join(folder, manager), manager, registry.url);
      }
    } finally {
      await registry.stop();
    }
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
  console.log(failures === 0 ? 'every installation works' : `${failures} cases failed`);
  process.exitCode = failures === 0 ? 0 : 1;
}

main().catch((error) => {
  console.error(error.stack);
  process.exitCode = 1;
});
