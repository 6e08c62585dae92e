/** Hash of the names and contents of files and folders below a root. */
export declare function contentHash(
  root: string,
  entries: readonly string[],
  extra?: readonly string[],
): string;

/** The hash that a stamp holds; `undefined` when there is none. */
export declare function readStamp(file: string): string | undefined;

export declare function writeStamp(file: string, hash: string): void;
