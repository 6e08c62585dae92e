import { binding } from './binding';
import { guard } from './errors';
import { checkInteger, checkObject } from './validation';

/** Settings of the process; they hold for all of its catalogs, feeds and worker_threads. */
export interface RuntimeOptions {
  /** Native threads. Defaults to the number of cores, at most 64. */
  readonly threads?: number;
  /** Requests that may wait for a thread; beyond that a call rejects with `OVERLOADED`. Defaults to 1,024. */
  readonly queueLimit?: number;
}

/**
 * Sets how many native threads the process has and how many requests may wait for them. To be
 * called before the first catalog or model; afterwards it throws `INVALID_ARGUMENT`.
 */
export function configure(options: RuntimeOptions): void {
  checkObject(options, 'options');
  const { threads, queueLimit } = binding().runtime();
  const wanted = {
    threads: checkInteger(options.threads ?? threads, 'threads', 1, 1024),
    queueLimit: checkInteger(options.queueLimit ?? queueLimit, 'queueLimit', 1, 1_000_000),
  };
  guard(() => binding().configure(wanted.threads, wanted.queueLimit));
}

/** What runs: native threads, and requests that wait for them. */
export interface RuntimeStatus {
  readonly threads: number;
  readonly queueLimit: number;
  readonly queued: number;
  /** Version of feedrank's native part. */
  readonly version: string;
  /** Version of the LibTorch that is loaded. */
  readonly libtorchVersion: string;
}

/** Throws `ADDON_LOAD_FAILED` where the native part cannot be loaded. */
export function runtimeStatus(): RuntimeStatus {
  const native = binding();
  return {
    ...native.runtime(),
    version: native.version,
    libtorchVersion: native.libtorchVersion,
  };
}
