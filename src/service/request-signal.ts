import type { ServerResponse } from 'node:http';
import { FeedrankError } from '../errors';
import { TransportError } from './http-error';

/**
 * Does work under a signal that aborts when the client goes away, or when the answer takes too long:
 * then it rejects with `TIMED_OUT`.
 */
export async function underSignal<T>(
  response: ServerResponse,
  timeoutMs: number,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const abort = new AbortController();
  const leave = (): void => {
    if (!response.writableFinished) abort.abort(new Error('the client went away'));
  };
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    abort.abort(new Error('the answer took too long'));
  }, timeoutMs);
  response.once('close', leave);
  try {
    if (response.destroyed) leave();
    return await work(abort.signal);
  } catch (error) {
    const isTimeout = isLate && error instanceof FeedrankError && error.code === 'ABORTED';
    throw isTimeout
      ? new TransportError('TIMED_OUT', `there was no answer within ${timeoutMs} ms`)
      : error;
  } finally {
    clearTimeout(timer);
    response.off('close', leave);
  }
}
