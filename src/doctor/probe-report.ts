import type { LibTorch } from '../../lib/find-libtorch.js';

/** What each step of the probe tells where it goes well. */
export interface ProbeReport {
  readonly load: {
    readonly file: string;
    readonly version: string;
    readonly libtorchVersion: string;
    readonly libtorch: LibTorch;
  };
  readonly processor: {
    /** Scan kernels that this processor can run, the fastest first. */
    readonly kernels: readonly string[];
    /** The one in use. */
    readonly kernel: string;
    readonly bfloat16: boolean;
  };
  readonly 'self-test': { readonly milliseconds: number };
  readonly cuda: { readonly seen: boolean; readonly detail: string };
}

export type ProbeStep = keyof ProbeReport;

/** How one step ended: well, with an error, or not at all. */
export type ProbeOutcome<T> =
  { readonly result: T; readonly error?: undefined } | { readonly error: string };

/** How the steps ended; those after one that ended the process are missing. */
export type ProbeOutcomes = { readonly [S in ProbeStep]?: ProbeOutcome<ProbeReport[S]> };
