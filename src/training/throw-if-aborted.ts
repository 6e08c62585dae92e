import { FeedrankError } from '../errors';

/** Ends a training whose signal says so, with `ABORTED`. @internal */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted !== true) return;
  throw new FeedrankError('ABORTED', 'signal: the training was aborted', 'signal', {
    cause: signal.reason,
  });
}
