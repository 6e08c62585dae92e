export interface LibTorch {
  /** Absolute path of the folder that holds `lib/` (and, to compile, `include/`). */
  readonly dir: string;
  /** Such as `2.13.0`. */
  readonly version: string;
  /** Where it was found, in words. */
  readonly source: string;
}

export interface Miss {
  /** The place that was looked at. */
  readonly where: string;
  /** What was wrong with it. */
  readonly why: string;
}

/** Looks for LibTorch: `FEEDRANK_LIBTORCH`, the platform package, the cache, Python's torch. */
export declare function findLibTorch(options?: {
  env?: NodeJS.ProcessEnv;
  /** Whether the headers are needed too. Defaults to `false`. */
  headers?: boolean;
}): { found: LibTorch | undefined; misses: Miss[] };

/** Folder of this release in the per-user cache, whether it exists or not. */
export declare function cacheDir(env?: NodeJS.ProcessEnv): string;

/** The version of the LibTorch in a folder; `undefined` when the folder does not say. */
export declare function readVersion(dir: string): string | undefined;

/** Version of the release that `fetchLibTorch` brings. */
export declare const VERSION: string;
