import type { Tools } from './check-tools.js';

/** Finds the tools and LibTorch, fetching the latter where it is missing, and compiles the addon. */
export declare function buildAddon(options?: {
  /** Whether to compile the native tests. Defaults to `false`. */
  tests?: boolean;
  /** Whether to compile everything anew. Defaults to `false`. */
  clean?: boolean;
  /** Receives one line for each step. */
  log?: (line: string) => void;
}): Promise<string>;

/** Compiles the addon with tools and a LibTorch that were found already. */
export declare function buildNative(options: {
  /** Folder that holds LibTorch's `lib/` and `include/`. */
  libtorch: string;
  tools: Tools;
  /** Whether to compile the native tests. Defaults to `true`. */
  tests?: boolean;
  /** Whether to compile everything anew. Defaults to `false`. */
  clean?: boolean;
}): Promise<void>;

/** How many sources to compile at once, as cores and memory allow. */
export declare function parallelJobs(env?: NodeJS.ProcessEnv): number;
