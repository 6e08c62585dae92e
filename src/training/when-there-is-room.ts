import { setTimeout } from 'node:timers/promises';

import { fromNative } from '../errors';
import { throwIfAborted } from './throw-if-aborted';

const pauseMs = 20;

/**
 * Runs a native job of a training; where requests have filled the queue, it waits for its turn, because
 * what was learnt so far must not be lost to a burst of them.
 */
export async function whenThereIsRoom<T>(
  job: () => Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  for (;;) {
    throwIfAborted(signal);
    try {
      return await job();
    } catch (error) {
      if (fromNative(error).code !== 'OVERLOADED') throw error;
    }
    await setTimeout(pauseMs);
  }
}
