/** Version of the LibTorch release that feedrank is built and tested with. */
export declare const VERSION: string;

/** Name of the folder that holds this release in the per-user cache. */
export declare const CACHE_NAME: string;

/** Package that carries LibTorch's libraries for Linux on x64 with glibc. */
export declare const PLATFORM_PACKAGE: string;

/** Version of that package. */
export declare const PLATFORM_PACKAGE_VERSION: string;

/** The wheel that the libraries and headers are taken from. */
export declare const WHEEL: {
  requirement: string;
  pythonVersion: string;
  platform: string;
  sha256: string;
  index: string;
  bytes: number;
  unpackedBytes: number;
};

/** Major and minor of a version such as `2.13.0+cpu`. */
export declare function majorMinor(version: string): [number, number] | undefined;

/** Whether users may run this version. */
export declare function isSupported(version: string): boolean;

/** Whether the sources compile against this version. */
export declare function isCompilable(version: string): boolean;
