/** What compiles the addon. */
export interface Tools {
  /** The C++ compiler. */
  cxx: string;
  generator: 'Ninja' | 'Unix Makefiles';
}

/** What is wrong with this Node.js: one line for each problem. */
export declare function nodeProblems(): string[];

/** Finds what compiles the addon; `problems` has one line for each missing tool. */
export declare function compileTools(env?: NodeJS.ProcessEnv): { tools: Tools; problems: string[] };

/** What is missing to fetch LibTorch: one line for each tool. */
export declare function fetchProblems(): string[];

/** What is missing to install the npm packages: one line for each tool. */
export declare function npmProblems(): string[];

/** How to run npm: the one that runs this process, or the one on the path. */
export declare function npmCommand(env?: NodeJS.ProcessEnv): [string, ...string[]] | undefined;
