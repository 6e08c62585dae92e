/** Lays the addon that was built last where `npm run prebuild` lays its own; gives the folder. */
export declare function stagePrebuild(folder: string): string;
