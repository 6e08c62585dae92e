import type { LibTorch } from './find-libtorch.js';

/** Thrown when the native part cannot be loaded. The message lists what was tried. */
export declare class AddonLoadError extends Error {
  readonly code: 'ADDON_LOAD_FAILED';
  /** One line for each thing that was tried. */
  readonly tried: readonly string[];
}

/**
 * Loads the native addon, once per thread.
 *
 * @returns the addon's exports
 * @throws {AddonLoadError}
 */
export declare function loadAddon(): unknown;

/** The LibTorch that this thread's addon was loaded with; `undefined` before `loadAddon()`. */
export declare function loadedLibTorch(): LibTorch | undefined;

/** Says in one line why a platform cannot load the addon; `undefined` where it can. */
export declare function platformProblem(
  platform: string,
  arch: string,
  glibc: () => [number, number] | undefined,
): string | undefined;
