import { spawnSync } from 'node:child_process';

/** A Python that can import torch; undefined where there is none. */
export const pythonWithTorch = [process.env['FEEDRANK_TEST_PYTHON'], 'python3'].find(
  (python) => python && spawnSync(python, ['-c', 'import torch']).status === 0,
);

/** Like `test`, but skipped, saying why, where no Python has torch. */
export const testWithPython = (
  name: string,
  body: (python: string) => Promise<void>,
  timeoutMs?: number,
): void => {
  if (pythonWithTorch !== undefined) test(name, () => body(pythonWithTorch), timeoutMs);
  else test.skip(`${name} (needs a Python with torch: set FEEDRANK_TEST_PYTHON)`, () => undefined);
};

/** Runs a Python script, and gives what it printed. */
export function runPython(python: string, args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(python, ['-W', 'ignore', ...args], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`python: ${status}\n${stderr}`);
  return stdout;
}
