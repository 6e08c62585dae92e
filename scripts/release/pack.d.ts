/** Packs `feedrank`; gives the path of the tarball. */
export declare function packRoot(options: {
  prebuilds: string;
  out: string;
  /** Bytes that the tarball may have. */
  limit?: number;
}): Promise<string>;

/** Packs LibTorch's libraries, unless `out` holds them from the same sources already. */
export declare function packLibTorch(options: { out: string }): Promise<string>;

/** Makes all tarballs and lists their hashes; gives their paths in the order of publishing. */
export declare function packRelease(options: { prebuilds: string; out: string }): Promise<string[]>;

/** A tarball that is not fit to be published. */
export declare class PackError extends Error {
  readonly problems: readonly string[];
}
