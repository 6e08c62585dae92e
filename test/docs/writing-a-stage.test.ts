import { runPage } from './run-page';

test('the blocks of docs/writing-a-stage.md are one program that does what the page says', async () => {
  const { blocks, stdout, stderr } = await runPage('writing-a-stage.md');

  expect(blocks).toBeGreaterThanOrEqual(8);
  expect(stderr).toBe('');
  const lines = stdout.trim().split('\n');
  // Age is log1p(hours); the reader has two minutes, and an essay takes 4000 / 230. By one author,
  // the essay comes after the vote and goes; sport is blocked, sales are never shown.
  const score = (hours: number, words: number) =>
    (-Math.log1p(hours) - Math.abs(words / 230 - 2) / 10).toFixed(2);
  expect(lines.slice().sort()).toEqual(
    [
      `vote ${score(1, 900)} (fresh)`,
      `recipe ${score(3, 450)} (fresh + editors-picks)`,
      'unknown ids: 1, degraded: 0',
      '5 items without slow: deadline',
    ].sort(),
  );
  const at = (start: string) => lines.findIndex((line) => line.startsWith(start));
  expect(at('vote')).toBeLessThan(at('recipe'));
});
