'use strict';

const { spawn } = require('node:child_process');

/**
 * @typedef {object} CommandResult
 * @property {number} code exit status; 127 when there is no such program, 128 + n after a signal
 * @property {string} stdout what was captured, or an empty string
 * @property {string} stderr the last 64 KiB of what was captured, or an empty string
 */

/**
 * Runs a program without blocking the event loop.
 * @param {string} program
 * @param {readonly string[]} args
 * @param {object} [options]
 * @param {string} [options.cwd]
 * @param {NodeJS.ProcessEnv} [options.env] Defaults to `process.env`.
 * @param {'capture' | 'inherit'} [options.stdout] Defaults to `'capture'`.
 * @param {'capture' | 'inherit'} [options.stderr] Defaults to `'capture'`.
 * @returns {Promise<CommandResult>}
 */
function runCommand(program, args, options = {}) {
  const { cwd, env = process.env, stdout = 'capture', stderr = 'capture' } = options;
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd,
      env,
      stdio: [
        'ignore',
        stdout === 'inherit' ? 'inherit' : 'pipe',
        stderr === 'inherit' ? 'inherit' : 'pipe',
      ],
    });
    let out = '';
    let err = '';
    child.stdout?.setEncoding('utf8').on('data', (text) => (out += text));
    child.stderr?.setEncoding('utf8').on('data', (text) => (err = (err + text).slice(-65_536)));
    child.on('error', (error) => {
      const missing = /** @type {NodeJS.ErrnoException} */ (error).code === 'ENOENT';
      resolve({ code: missing ? 127 : 126, stdout: out, stderr: `${err}${error.message}` });
    });
    child.on('close', (code, signal) => {
      const bySignal = signal ? 128 + (require('node:os').constants.signals[signal] ?? 0) : 1;
      resolve({ code: code ?? bySignal, stdout: out, stderr: err });
    });
  });
}

module.exports = { runCommand };
