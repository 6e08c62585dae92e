import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { TSchema } from '@sinclair/typebox';
import { rankProfileSchema } from '../../src/profile/rank-profile';
import { isRankProfile } from '../../src/profile/rank-profile-check';

const { profileCheck } = jest.requireActual<{ profileCheck: (schema: TSchema) => string }>(
  '../../scripts/generate-profile-check.js',
);

test('the check that is kept as code is the one that the schema gives', () => {
  const file = path.resolve(__dirname, '../../src/profile/rank-profile-check.ts');
  expect(readFileSync(file, 'utf8')).toBe(profileCheck(rankProfileSchema));
});

test('it tells a profile from what is none', () => {
  expect(isRankProfile({})).toBe(true);
  expect(isRankProfile({ tauMs: 1, exposure: [{ group: 'a', value: 'b', share: 0.5 }] })).toBe(
    true,
  );
  for (const wrong of [null, [], { tauMs: 0 }, { tau: 1 }, { exposure: [{ group: 'a' }] }]) {
    expect(isRankProfile(wrong)).toBe(false);
  }
});
