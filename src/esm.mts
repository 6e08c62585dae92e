// The ESM entry hands on the CommonJS one, so that a process holds a single copy of every class.
export * from './index.js';
