import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from '@jest/globals';

import { temporaryFolder } from '../support/temporary-folder';

const command = join(__dirname, '..', '..', 'dist', 'cli', 'main.js');

function environment(): NodeJS.ProcessEnv {
  const env = { ...process.env };
  delete env['NODE_OPTIONS'];
  return env;
}

function feedrank(...args: readonly string[]) {
  return spawnSync(process.execPath, [command, ...args], { encoding: 'utf8', env: environment() });
}

const simulated = ['train', '--dataset', 'simulated', '--epochs', '2'];

describe('feedrank train', () => {
  const folder = temporaryFolder();

  it('trains, says so in one JSON object, and evaluate opens what it wrote', () => {
    const bundle = join(folder, 'bundle');
    const trained = feedrank(
      ...[...simulated, '--scenario', 'biased-exposure', '--out', bundle, '--json'],
      ...['--fairness-weight', '0.1', '--group', 'creator', '--threads', '1', '--seed', '3'],
    );
    expect({ status: trained.status, stderr: trained.stderr }).toEqual({ status: 0, stderr: '' });
    expect(trained.stdout.trim().split('\n')).toHaveLength(1);
    const result = JSON.parse(trained.stdout) as Record<string, unknown>;
    expect(Object.keys(result)).toEqual(['bundle', 'seconds', 'examples', 'validation']);
    expect(result).toMatchObject({ bundle, validation: { auc: { mean: expect.any(Number) } } });

    const evaluated = feedrank('evaluate', '--dataset', 'simulated', '--ranker', bundle, '--json');
    const { metrics } = JSON.parse(evaluated.stdout) as { metrics: { auc: { mean: number } } };
    expect(metrics.auc.mean).toBeGreaterThan(0.6);

    const again = feedrank(...simulated, '--out', bundle, '--json');
    expect(again.status).toBe(1);
    expect(again.stderr).toMatch(/^feedrank: OUTPUT_EXISTS: /);
    expect(JSON.parse(again.stdout)).toMatchObject({ error: { code: 'OUTPUT_EXISTS' } });
  });

  it.each([
    [['train']],
    [['train', '--dataset', 'simulated']],
    [[...simulated, '--out', 'x', '--loss', 'hinge']],
    [[...simulated, '--out', 'x', '--seed', 'one']],
    [[...simulated, '--out', 'x', '--seed', '-1']],
    [[...simulated, '--out', 'x', '--mode', 'both']],
    [[...simulated, '--out', 'x', '--group', 'creator']],
    [[...simulated, '--out', 'x', '--fairness-weight', '1']],
    [[...simulated, '--out', 'x', '--fairness-measure', 'pairwise']],
    [[...simulated, '--out', 'x', '--fairness-weight', '-1', '--group', 'creator']],
    [['train', '--dataset', 'ebnerd', '--out', 'x']],
  ])('exits with 2 after %j, and says why in one line', (args) => {
    const { status, stdout, stderr } = feedrank(...args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(/^feedrank: INVALID_ARGUMENT: [^\n]+\n$/);
    expect(existsSync('x')).toBe(false);
  });

  it('ends with 1 when it is interrupted, and leaves nothing behind', async () => {
    const bundle = join(folder, 'interrupted');
    const checkpoints = join(folder, 'checkpoints');
    const child = spawn(
      process.execPath,
      [
        ...[command, 'train', '--dataset', 'simulated', '--epochs', '1000'],
        ...['--out', bundle, '--checkpoints', checkpoints],
      ],
      { stdio: ['ignore', 'ignore', 'pipe'], env: environment() },
    );
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    const watch = setInterval(() => {
      if (!existsSync(checkpoints)) return;
      clearInterval(watch);
      child.kill('SIGINT');
    }, 50);
    const status = await new Promise((resolve) => child.once('close', resolve));
    clearInterval(watch);
    expect(stderr).toMatch(/^feedrank: ABORTED: /);
    expect(status).toBe(1);
    expect(existsSync(bundle)).toBe(false);
  });
});
