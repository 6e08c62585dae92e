'use strict';

// Writes src/profile/rank-profile-check.ts: the check of a profile as plain code, so that a thread
// that only checks profiles does not load the library that their schema is written with. To be run
// after `npm run setup` when src/profile/rank-profile.ts has changed; a test holds the two together.

const { writeFileSync } = require('node:fs');
const path = require('node:path');
const { TypeCompiler } = require('@sinclair/typebox/compiler');
const { rankProfileSchema } = require('../dist/profile/rank-profile.js');

/** @param {import('@sinclair/typebox').TSchema} schema */
function profileCheck(schema) {
  const code = TypeCompiler.Code(schema, { language: 'javascript' });
  return `// @ts-nocheck
// Generated from rank-profile.ts by scripts/generate-profile-check.js; not to be edited.
import type { RankProfile } from './rank-profile';

const check = (() => {
${code}
})();

/** @internal */
export function isRankProfile(value: unknown): value is RankProfile {
  return check(value);
}
`;
}

module.exports = { profileCheck };

if (require.main === module) {
  const file = path.join(__dirname, '../src/profile/rank-profile-check.ts');
  writeFileSync(file, profileCheck(rankProfileSchema));
}
