import { FeedrankError, guardAsync } from '../errors';

/**
 * Rejects as soon as the caller gives up, and tells the native threads through a flag in shared
 * memory, so that giving up costs no crossing either.
 * @internal
 */
export async function withSignal<T>(
  signal: AbortSignal | undefined,
  body: (cancel: Int32Array | undefined) => Promise<T>,
): Promise<T> {
  if (signal === undefined) return guardAsync(() => body(undefined));
  const aborted = () =>
    new FeedrankError('ABORTED', 'signal: the request was aborted', 'signal', {
      cause: signal.reason,
    });
  if (signal.aborted) throw aborted();
  const cancel = new Int32Array(1);
  let giveUp: () => void = () => undefined;
  const given = new Promise<never>((_, reject) => {
    giveUp = () => {
      cancel[0] = 1;
      reject(aborted());
    };
  });
  signal.addEventListener('abort', giveUp, { once: true });
  try {
    return await guardAsync(() => Promise.race([body(cancel), given]));
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
}
