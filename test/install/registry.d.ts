export interface Registry {
  readonly url: string;
  stop(): Promise<void>;
}

/** Folder of the programs that the tests of the packages use. */
export declare const TOOLS: string;

/** What npm prints, with these arguments. */
export declare function npm(args: readonly string[], env?: NodeJS.ProcessEnv): Promise<string>;

/** The environment of this process less npm's settings. */
export declare function plainEnvironment(): NodeJS.ProcessEnv;

/** Why packages cannot be installed from a registry here. */
export declare function registryProblem(): Promise<string | undefined>;

/** Starts a registry that holds the given tarballs and passes other requests on. */
export declare function startRegistry(
  folder: string,
  tarballs: readonly string[],
): Promise<Registry>;
