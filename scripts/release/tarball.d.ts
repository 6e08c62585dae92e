/** Writes a folder as a package's tarball; the same files give the same bytes. */
export declare function writeTarball(folder: string, file: string): Promise<void>;

/** Copies a file, with permissions that do not depend on who packs. */
export declare function copyFile(
  from: string,
  to: string,
  options?: { executable?: boolean },
): void;

/** Writes a file, with permissions that do not depend on who packs. */
export declare function writeText(file: string, text: string): void;
