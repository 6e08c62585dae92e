/** What compiles native code, and what fetches LibTorch in a clone. */
export declare const BUILD_TOOLS: readonly string[];

/** What a package manager is told, by its name. */
export interface Manager {
  /** Arguments after the program. */
  readonly install: readonly string[];
  /** Settings, by file name. */
  files(url: string): Record<string, string>;
  /** Arguments of Node.js that make it find the packages. */
  readonly preload?: readonly string[];
}

export type ManagerName = 'npm' | 'pnpm' | 'yarn' | 'yarn4' | 'yarn4-pnp';

export declare const MANAGERS: Record<ManagerName, Manager>;

/** An environment in which Node.js is the one program there is, and a home without any cache. */
export declare function bareEnvironment(folder: string, node: string): NodeJS.ProcessEnv;

/** The build tools that a program would find by name. */
export declare function reachableBuildTools(env: NodeJS.ProcessEnv): string[];

/** What a script printed; rejects when it fails. */
export declare function runNode(
  args: readonly string[],
  options: { cwd: string; env: NodeJS.ProcessEnv },
): Promise<string>;

/** Installs feedrank into an empty project. */
export declare function install(options: {
  folder: string;
  manager: ManagerName;
  program: string;
  url: string;
  env: NodeJS.ProcessEnv;
}): Promise<void>;

/** Path of the npm that is on the path, as a script. */
export declare function npmProgram(): string;

/** The examples of the README, as CommonJS. */
export declare function readmeExamples(): { first: string; longer: string };

/** Writes the README's longer example in four forms; gives the names of the scripts to run. */
export declare function writeConsumers(folder: string): Promise<string[]>;

/** What is wrong with what the README's longer example printed. */
export declare function slateProblem(printed: string): string | undefined;
