'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { setTimeout: sleep } = require('node:timers/promises');

/** A lock that nobody has touched for this long belongs to a process that died. */
const STALE_MS = 30_000;

/**
 * Runs an action while no other process runs one under the same folder name. The holder touches
 * the folder every few seconds, so that a lock is recognised as left behind without knowing
 * process ids, which say nothing where containers share a file system.
 * @template T
 * @param {string} dir the folder whose existence is the lock
 * @param {() => Promise<T>} action
 * @param {{ onWait?: () => void }} [options] `onWait` is called once, when another holds the lock
 * @returns {Promise<T>}
 */
async function withDirectoryLock(dir, action, { onWait } = {}) {
  fs.mkdirSync(path.dirname(dir), { recursive: true });
  let waited = false;
  for (;;) {
    try {
      fs.mkdirSync(dir);
      break;
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EEXIST') throw error;
    }
    if (ageMs(dir) > STALE_MS) {
      fs.rmSync(dir, { recursive: true, force: true });
      continue;
    }
    if (!waited) onWait?.();
    waited = true;
    await sleep(200);
  }

  const touch = () => {
    const now = new Date();
    try {
      fs.utimesSync(dir, now, now);
    } catch {
      // Somebody has cleaned up; the action goes on all the same.
    }
  };
  const timer = setInterval(touch, STALE_MS / 10);
  const release = () => fs.rmSync(dir, { recursive: true, force: true });
  const onSignal = (/** @type {NodeJS.Signals} */ signal) => {
    release();
    process.kill(process.pid, signal);
  };
  process.once('SIGINT', onSignal);
  process.once('SIGTERM', onSignal);
  try {
    return await action();
  } finally {
    clearInterval(timer);
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
    release();
  }
}

/** @param {string} dir */
function ageMs(dir) {
  try {
    return Date.now() - fs.statSync(dir).mtimeMs;
  } catch {
    return 0;
  }
}

module.exports = { withDirectoryLock };
