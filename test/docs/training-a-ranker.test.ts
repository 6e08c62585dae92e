import { runPage } from './run-page';

test('the blocks of docs/training-a-ranker.md are one program that does what the page says', async () => {
  const { blocks, stdout, stderr } = await runPage('training-a-ranker.md');

  expect(blocks).toBe(5);
  expect(stderr).toBe('');
  const lines = stdout.trim().split('\n');
  expect(
    lines.filter((line) => /^epoch \d: loss \d\.\d{3}, AUC 0\.\d{3}$/.test(line)),
  ).toHaveLength(6);
  expect(stdout).toMatch(/^\d+ features, softmax loss$/m);
  expect(stdout).toMatch(/^click × 1, dwell × 0, click_probability × 0$/m);
  expect(lines.filter((line) => /^\S+-\d{4} \d+%$/.test(line))).toHaveLength(3);
  const gaps = [...stdout.matchAll(/^weight [\d.]+: gap (0\.\d+)/gm)].map((match) =>
    Number(match[1]),
  );
  expect(gaps).toHaveLength(2);
  expect(gaps[1]!).toBeLessThan(gaps[0]!);
}, 120_000);
