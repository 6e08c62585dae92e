'use strict';

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const {
  PLATFORM_PACKAGE,
  PLATFORM_PACKAGE_VERSION,
  VERSION,
  WHEEL,
} = require('../../lib/libtorch-release.js');
const { describeLibrary } = require('./symbol-versions.js');
const { copyFile, writeText } = require('./tarball.js');

const SOURCE = path.resolve(__dirname, '../../packaging/libtorch');

/** What the addon needs, and what these need that no system has. */
const LIBRARIES = ['libc10.so', 'libgomp.so.1', 'libtorch_cpu.so'];

/** Those that the wheel has without symbol tables; stripping them again only moves their parts. */
const STRIPPED = new Set(['libgomp.so.1']);

/** Libraries of the system that every Node.js of this platform needs as well. */
const SYSTEM = /^(ld-linux-x86-64|lib(c|dl|gcc_s|m|pthread|rt|stdc\+\+))\.so\.\d+$/;

/**
 * Lays out what is published as the platform package: LibTorch's libraries, stripped, and their
 * licences.
 * @param {string} folder an empty one
 * @param {string} libtorch the folder that fetchLibTorch() made
 * @throws {Error} when the folder holds another release, or a library needs what is not packed
 */
function stageLibTorchPackage(folder, libtorch) {
  const release = path.join(libtorch, 'feedrank-libtorch.json');
  const { sha256 } = JSON.parse(fs.readFileSync(release, 'utf8'));
  if (sha256 !== WHEEL.sha256) throw new Error(`${libtorch} is not from the wheel ${WHEEL.sha256}`);
  copyFile(release, path.join(folder, 'feedrank-libtorch.json'));

  for (const name of LIBRARIES) {
    const copy = path.join(folder, 'lib', name);
    copyFile(path.join(libtorch, 'lib', name), copy);
    if (!STRIPPED.has(name)) execFileSync('strip', ['--strip-unneeded', copy]);
  }
  const missing = unmetNeeds(path.join(folder, 'lib'));
  if (missing.length > 0) throw new Error(missing.join('\n'));

  const licenses = path.join(libtorch, 'licenses');
  for (const name of fs.readdirSync(licenses, { recursive: true, encoding: 'utf8' })) {
    const file = path.join(licenses, name);
    if (fs.statSync(file).isFile()) copyFile(file, path.join(folder, 'licenses/torch', name));
  }
  for (const name of fs.readdirSync(path.join(SOURCE, 'licenses'))) {
    copyFile(path.join(SOURCE, 'licenses', name), path.join(folder, 'licenses', name));
  }
  copyFile(path.join(licenses, 'LICENSE'), path.join(folder, 'LICENSE'));
  copyFile(path.join(SOURCE, 'README.md'), path.join(folder, 'README.md'));
  const notice = fs
    .readFileSync(path.join(SOURCE, 'NOTICE'), 'utf8')
    .replaceAll('@VERSION@', VERSION)
    .replaceAll('@REQUIREMENT@', WHEEL.requirement)
    .replaceAll('@SHA256@', WHEEL.sha256);
  writeText(path.join(folder, 'NOTICE'), notice);
  writeText(path.join(folder, 'package.json'), `${JSON.stringify(manifest(), null, 2)}\n`);
}

/**
 * @param {string} lib
 * @returns {string[]} one line for each library that is needed and neither packed nor the system's
 */
function unmetNeeds(lib) {
  return LIBRARIES.flatMap((name) => {
    const needed = describeLibrary(path.join(lib, name)).matchAll(/^\s*NEEDED\s+(\S+)$/gm);
    return [...needed]
      .map(([, other]) => other)
      .filter((other) => !LIBRARIES.includes(other) && !SYSTEM.test(other))
      .map((other) => `${name} needs ${other}, which is not packed`);
  });
}

function manifest() {
  return {
    name: PLATFORM_PACKAGE,
    version: PLATFORM_PACKAGE_VERSION,
    description: `LibTorch ${VERSION} (CPU) for feedrank on Linux on x64 with glibc`,
    license: 'SEE LICENSE IN NOTICE',
    os: ['linux'],
    cpu: ['x64'],
    libc: ['glibc'],
    // Yarn keeps packages as archives, and libraries cannot be opened from inside of one.
    preferUnplugged: true,
    files: ['lib', 'licenses', 'NOTICE', 'feedrank-libtorch.json'],
    publishConfig: { access: 'public' },
  };
}

module.exports = { stageLibTorchPackage, LIBRARIES };
