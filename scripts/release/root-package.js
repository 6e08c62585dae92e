'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { npmCommand } = require('../../lib/check-tools.js');
const { PLATFORM_PACKAGE, PLATFORM_PACKAGE_VERSION } = require('../../lib/libtorch-release.js');
const { runCommand } = require('../../lib/run-command.js');
const { copyFile, writeText } = require('./tarball.js');

const ROOT = path.resolve(__dirname, '../..');

/**
 * Lays out what is published as `feedrank`: what package.json's `files` names, the given
 * prebuilds, and a package.json that asks for the platform package. That entry cannot stand in the
 * repository's package.json, where `npm ci` would look for a package that is not published yet.
 * @param {string} folder an empty one
 * @param {string} prebuilds holds `linux-x64/` as prebuildify leaves it
 * @returns {Promise<void>}
 */
async function stageRootPackage(folder, prebuilds) {
  const manifest = JSON.parse(fs.readFileSync(path.join(ROOT, 'package.json'), 'utf8'));
  const commands = Object.values(manifest.bin).map((name) => path.normalize(name));
  for (const name of await publishedFiles()) {
    if (name === 'package.json' || name.startsWith('prebuilds/')) continue;
    copyFile(path.join(ROOT, name), path.join(folder, name), {
      executable: commands.includes(name),
    });
  }
  for (const name of fs.readdirSync(prebuilds, { recursive: true, encoding: 'utf8' })) {
    const file = path.join(prebuilds, name);
    if (fs.statSync(file).isFile()) copyFile(file, path.join(folder, 'prebuilds', name));
  }

  const published = { ...manifest };
  // None of these is of use to who installs it, and npm runs some scripts on install.
  for (const key of ['devDependencies', 'overrides', 'scripts']) delete published[key];
  published.optionalDependencies = { [PLATFORM_PACKAGE]: PLATFORM_PACKAGE_VERSION };
  writeText(path.join(folder, 'package.json'), `${JSON.stringify(published, null, 2)}\n`);
}

/** @returns {Promise<string[]>} the files that npm would publish, relative to the root */
async function publishedFiles() {
  const [npm, ...args] = npmCommand() ?? ['npm'];
  const pack = ['pack', '--dry-run', '--json', '--ignore-scripts', '--loglevel', 'error'];
  const { code, stdout, stderr } = await runCommand(npm, [...args, ...pack], { cwd: ROOT });
  if (code !== 0) throw new Error(`npm pack failed: ${stderr.trim()}`);
  // npm 12 gives an object by name where earlier ones give an array.
  const [packed] = Object.values(JSON.parse(stdout));
  return packed.files.map((/** @type {{ path: string }} */ file) => file.path);
}

module.exports = { stageRootPackage };
