'use strict';

const path = require('node:path');
const { npmCommand } = require('../lib/check-tools.js');
const { contentHash, readStamp, writeStamp } = require('../lib/content-stamp.js');
const { withDirectoryLock } = require('../lib/directory-lock.js');
const { runCommand } = require('../lib/run-command.js');

/**
 * Installs what a folder's own package-lock.json asks for, unless it is there already.
 * @param {string} folder
 * @returns {Promise<string | undefined>} why it cannot be had
 */
async function provideModules(folder) {
  const modules = path.join(folder, 'node_modules');
  const stamp = path.join(modules, '.feedrank-stamp');
  const hash = contentHash(folder, ['package.json', 'package-lock.json']);
  if (readStamp(stamp) === hash) return undefined;
  return withDirectoryLock(path.join(folder, '.setup.lock'), async () => {
    if (readStamp(stamp) === hash) return undefined;
    const [npm, ...args] = npmCommand() ?? ['npm'];
    const install = ['ci', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund'];
    const { code, stderr } = await runCommand(npm, [...args, ...install], { cwd: folder });
    if (code !== 0) return `npm ci: ${stderr.trim().split('\n').at(-1) ?? ''}`;
    writeStamp(stamp, hash);
    return undefined;
  });
}

module.exports = { provideModules };
