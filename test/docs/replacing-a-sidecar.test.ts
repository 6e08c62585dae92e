import { runPage } from './run-page';

test('the blocks of docs/replacing-a-sidecar.md are one program in which both rank alike', async () => {
  const { blocks, stdout, stderr } = await runPage('replacing-a-sidecar.md');

  expect(blocks).toBe(7);
  expect(stderr).toBe('');
  expect(stdout.trim().split('\n')).toEqual(['rows agree: true', 'overlap 1.00, 0 failed', '10']);
});
