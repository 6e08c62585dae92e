'use strict';

/** @type {import('jest').Config} */
module.exports = {
  testEnvironment: 'node',
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  // dist/ and build/ hold a second copy of package.json and of the compiled sources.
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/build/', '<rootDir>/\\.dist-'],
  // Types are the business of `npm run check`; a test run only strips them.
  transform: { '^.+\\.m?ts$': ['ts-jest', { tsconfig: 'test/tsconfig.json', diagnostics: false }] },
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  maxWorkers: 2,
  testTimeout: 120_000,
};
