/** What objdump says of a shared library. */
export declare function describeLibrary(file: string): string;

/** The newest version of each system library's symbols that `objdump -p` says a library needs. */
export declare function newestVersions(listing: string): Record<string, number[]>;

/** Why a shared library would not load on the oldest supported system: one line for each reason. */
export declare function versionProblems(listing: string): string[];
