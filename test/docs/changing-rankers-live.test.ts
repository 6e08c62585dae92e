import { runPage } from './run-page';

test('the blocks of docs/changing-rankers-live.md are one program that does what the page says', async () => {
  const { blocks, stdout, stderr } = await runPage('changing-rankers-live.md');

  expect(blocks).toBe(6);
  expect(stderr).toBe('');
  const lines = stdout.trim().split('\n');
  expect(lines[0]).toMatch(/^overlap (0\.\d\d|1\.00), 0 failed$/);
  expect(lines.slice(1)).toEqual([
    'true true',
    'BUNDLE_NOT_FOUND',
    'true',
    'undefined 1000',
    'false',
  ]);
}, 180_000);
