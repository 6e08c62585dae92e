import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

import { describe, expect, it } from '@jest/globals';

import { describeWithEbnerd } from '../data/data-folders';

const command = join(__dirname, '..', '..', 'dist', 'cli', 'main.js');

interface Run {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function feedrank(...args: readonly string[]): Run {
  const env = { ...process.env };
  delete env['NODE_OPTIONS'];
  return spawnSync(process.execPath, [command, ...args], { encoding: 'utf8', env });
}

const simulated = ['evaluate', '--dataset', 'simulated'];

describe('feedrank evaluate', () => {
  it('prints one JSON object and nothing else', () => {
    const { status, stdout, stderr } = feedrank(
      ...[...simulated, '--ranker', 'fresh', '--json', '--to', '2024-01-06T06:00Z'],
      ...['--group', 'creator', '--group', 'device', '--lag-ms', '0', '--seed', '2'],
    );
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout.trim().split('\n')).toHaveLength(1);
    const evaluation = JSON.parse(stdout) as Record<string, unknown>;
    expect(evaluation).toMatchObject({ dataset: 'simulated', ranker: 'fresh' });
    expect(Object.keys(evaluation['groups'] as object)).toEqual(['creator', 'device']);
  });

  it('prints tables without --json', () => {
    const { status, stdout, stderr } = feedrank(...simulated, '--ranker', 'popularity');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain('nDCG@10');
    expect(stdout).not.toContain('\u001b');
  });

  it.each([
    [[]],
    [['bogus']],
    [['evaluate']],
    [[...simulated, '--ranker', 'random', '--bogus']],
    [[...simulated, '--ranker', 'random', 'extra']],
    [[...simulated, '--ranker', 'best']],
    [[...simulated, '--ranker', 'random', '--lag-ms', 'long']],
    [[...simulated, '--ranker', 'random', '--lag-ms', '-5']],
    [[...simulated, '--ranker', 'random', '--group', 'shoe size']],
    [[...simulated, '--ranker', 'random', '--from', 'noon']],
    [['evaluate', '--dataset', 'ebnerd', '--ranker', 'random']],
    [['evaluate', '--dataset', 'mind', '--ranker', 'random']],
    [['evaluate', '--dataset', 'movielens', '--ranker', 'random']],
  ])('exits with 2 after %j, and says why in one line', (args) => {
    const { status, stdout, stderr } = feedrank(...args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(/^feedrank: INVALID_ARGUMENT: .+\n$/);
  });

  it('repeats a wrong use as JSON', () => {
    const { status, stdout } = feedrank(...simulated, '--ranker', 'best', '--json');
    expect(status).toBe(2);
    expect(JSON.parse(stdout)).toEqual({
      error: {
        code: 'INVALID_ARGUMENT',
        message: expect.stringContaining('ranker'),
        argument: 'ranker',
      },
    });
  });

  it.each(['ebnerd', 'mind', 'movielens'])('exits with 1 where %s is missing', (dataset) => {
    const { status, stdout, stderr } = feedrank(
      ...['evaluate', '--dataset', dataset, '--data', '/no/such/folder'],
      ...['--ranker', 'random', '--json'],
    );
    expect(status).toBe(1);
    expect(stderr).toMatch(/^feedrank: DATA_MISSING: .*\/no\/such\/folder\n$/);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'DATA_MISSING' } });
  });

  it('exits with 1 where the model is missing', () => {
    const { status, stderr } = feedrank(...simulated, '--ranker', '/no/such/ranker.pt');
    expect(status).toBe(1);
    expect(stderr).toMatch(/^feedrank: MODEL_NOT_FOUND: .+\n$/);
  });

  it('prints help and the version', () => {
    expect(feedrank('--help')).toMatchObject({ status: 0, stderr: '' });
    const help = feedrank('evaluate', '--help');
    expect(help).toMatchObject({ status: 0, stderr: '' });
    expect(help.stdout).toContain('--lag-ms');
    expect(feedrank('--version').stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

describeWithEbnerd('feedrank evaluate on EB-NeRD', (data) => {
  it('exits with 1 where embeddings are missing', () => {
    const { status, stderr } = feedrank(
      ...['evaluate', '--dataset', 'ebnerd', '--data', data, '--ranker', 'decayed-dot'],
    );
    expect(status).toBe(1);
    expect(stderr).toMatch(/^feedrank: EMBEDDINGS_MISSING: .+\n$/);
  });
});
