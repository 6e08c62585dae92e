'use strict';

// node bench/first-slate.js [--rounds 3] [--json FILE]
//
// How long does it take from `npm install feedrank` in an empty folder to a first slate, by the README's
// first example? The packages are packed here, published to a registry on the loopback address, and
// installed with an empty cache of npm's, where Node.js is the only program. One installation that is
// not counted fetches what feedrank depends on into the registry: it is warm, npm is not.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { parseArgs } = require('node:util');
const { packLibTorch, packRoot } = require('../scripts/release/pack');
const {
  bareEnvironment,
  npmProgram,
  readmeExamples,
  runNode,
} = require('../test/install/consumer');
const { npm, registryProblem, startRegistry } = require('../test/install/registry');
const { stagePrebuild } = require('../test/install/stage-prebuild');
const { summary } = require('./contender');
const { sayMachine, writeRows } = require('./measured-rows');

const { values: flags } = parseArgs({
  options: { rounds: { type: 'string', default: '3' }, json: { type: 'string' } },
});
const { first: example } = readmeExamples();

/** Installs and runs in a folder, and with a cache, that nothing was in before. */
async function measure(folder, url) {
  const project = path.join(folder, 'project');
  fs.mkdirSync(project, { recursive: true });
  const env = { ...bareEnvironment(folder, process.execPath), npm_config_registry: url };
  const options = { cwd: project, env };
  const begin = performance.now();
  await runNode([npmProgram(), 'install', 'feedrank', '--ignore-scripts'], options);
  const installed = performance.now();
  fs.writeFileSync(path.join(project, 'feed.js'), example);
  const printed = await runNode(['feed.js'], options);
  const ran = performance.now();
  if (!printed.includes("id: 'final'")) throw new Error(`it printed no slate:\n${printed}`);
  fs.rmSync(folder, { recursive: true, force: true });
  return { install: (installed - begin) / 1000, run: (ran - installed) / 1000, printed };
}

async function main() {
  const problem = await registryProblem();
  if (problem) throw new Error(problem);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'feedrank-first-slate-'));
  const here = (name) => path.join(folder, name);
  let registry;
  try {
    const tarballs = [
      await packLibTorch({ out: path.join(__dirname, '../release') }),
      await packRoot({ prebuilds: stagePrebuild(here('prebuilds')), out: here('packed') }),
    ];
    fs.mkdirSync(here('registry'));
    registry = await startRegistry(here('registry'), tarballs);
    await measure(here('warming'), registry.url);
    const rounds = [];
    for (let round = 0; round < Number(flags.rounds); round++) {
      rounds.push(await measure(here(`round-${round}`), registry.url));
    }
    report(rounds, tarballs, await npm(['--version']));
  } finally {
    await registry?.stop();
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

function report(rounds, tarballs, npmVersion) {
  const lines = example.trim().split('\n').length;
  const row = { id: 'first-slate', lines, npmVersion };
  row.tarballMB = tarballs.reduce((sum, file) => sum + fs.statSync(file).size, 0) / 1e6;
  const times = {
    install: rounds.map(({ install }) => install),
    run: rounds.map(({ run }) => run),
    both: rounds.map(({ install, run }) => install + run),
  };
  console.log(rounds[0].printed);
  for (const [name, seconds] of Object.entries(times)) {
    const { median, low, high } = (row[name] = summary(seconds));
    const spread = `${low.toFixed(1)}–${high.toFixed(1)}`;
    console.log(`${name}: ${median.toFixed(1)} s (${spread}, ${seconds.length} rounds)`);
  }
  console.log(
    `${lines} lines of code; ${row.tarballMB.toFixed(0)} MB of tarballs, npm ${npmVersion}`,
  );
  sayMachine();
  writeRows(flags.json, [row]);
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
