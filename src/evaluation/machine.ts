import { availableParallelism, cpus } from 'node:os';

import { binding } from '../binding';

/** What a measurement was made on. */
export interface Machine {
  /** Model of the processor. */
  readonly cpu: string;
  /** Processors that this process may use. */
  readonly cores: number;
  /** Version of Node.js. */
  readonly node: string;
  /** Version of LibTorch. */
  readonly libtorch: string;
}

export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    node: process.versions.node,
    libtorch: binding().libtorchVersion,
  };
}
