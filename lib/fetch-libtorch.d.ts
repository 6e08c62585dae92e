/** Why LibTorch could not be fetched, as one line. */
export declare class FetchError extends Error {
  readonly code: 'LIBTORCH_FETCH_FAILED';
}

/**
 * Brings LibTorch's CPU build into the per-user cache.
 *
 * @returns the folder that holds `lib/` and `include/`
 * @throws {FetchError}
 */
export declare function fetchLibTorch(options?: {
  env?: NodeJS.ProcessEnv;
  /** Receives one line for each step. */
  log?: (line: string) => void;
  /** Fetch even when the cache holds it. Defaults to `false`. */
  force?: boolean;
}): Promise<string>;
