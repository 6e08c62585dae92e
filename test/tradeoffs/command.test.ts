import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { describe, expect, it } from '@jest/globals';

import { temporaryFolder } from '../support/temporary-folder';
import { madeUpReport } from './made-up-report';

const command = join(__dirname, '..', '..', 'dist', 'cli', 'main.js');

function environment(): NodeJS.ProcessEnv {
  const env = { ...process.env };
  delete env['NODE_OPTIONS'];
  return env;
}

function feedrank(...args: readonly string[]) {
  return spawnSync(process.execPath, [command, ...args], { encoding: 'utf8', env: environment() });
}

const simulated = ['tradeoffs', '--dataset', 'simulated'];

describe('feedrank tradeoffs', () => {
  const folder = temporaryFolder();

  it('ends with 1 after Ctrl-C, and leaves what the next run goes on from', async () => {
    const out = join(folder, 'interrupted');
    const child = spawn(process.execPath, [command, ...simulated, '--out', out, '--json'], {
      env: environment(),
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (data: Buffer) => (stdout += data.toString()));
    child.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
    const ended = new Promise((resolve) => child.on('close', resolve));
    const bundles = join(out, 'bundles');
    while (!existsSync(bundles) || readdirSync(bundles).length === 0) await sleep(50);
    child.kill('SIGINT');
    expect(await ended).toBe(1);
    expect(stderr.trim()).toMatch(/^feedrank: ABORTED: [^\n]+$/);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'ABORTED' } });
    expect(readdirSync(out).sort()).toEqual(['begun.json', 'bundles']);
    const other = feedrank(...simulated, '--out', out, '--seed', '2', '--json');
    expect(other.status).toBe(1);
    expect(JSON.parse(other.stdout)).toMatchObject({ error: { code: 'OUTPUT_EXISTS' } });
  });

  it('chooses from a finished report without measuring again', () => {
    const report = madeUpReport();
    const profile = join(folder, 'chosen.json');
    writeFileSync(join(folder, 'report.json'), JSON.stringify(report));
    const id = report.rows.find(({ kind }) => kind === 'student')!.id;
    const profiles = { ...report.profiles, [id]: { name: id, tauMs: 3_600_000 } };
    writeFileSync(join(folder, 'report.json'), JSON.stringify({ ...report, profiles }));
    const chosen = feedrank(
      ...[...simulated, '--out', folder, '--choose', id, '--profile', profile, '--json'],
    );
    expect({ status: chosen.status, stderr: chosen.stderr }).toEqual({ status: 0, stderr: '' });
    expect(chosen.stdout.trim().split('\n')).toHaveLength(1);
    expect(JSON.parse(chosen.stdout)).toMatchObject({ rows: 13, chosen: { id, profile } });
    const again = feedrank(...simulated, '--out', folder, '--choose', id, '--profile', profile);
    expect(again.status).toBe(1);
    expect(again.stderr).toMatch(/^feedrank: OUTPUT_EXISTS: [^\n]+\n$/);
  });

  it.each([
    [['tradeoffs']],
    [simulated],
    [[...simulated, '--out', 'x', '--choose', 'teacher']],
    [[...simulated, '--out', 'x', '--profile', 'teacher.json']],
    [[...simulated, '--out', 'x', '--seed', 'one']],
    [[...simulated, '--out', 'x', '--seed', '-1']],
    [[...simulated, '--out', 'x', '--split', 'test']],
    [['tradeoffs', '--dataset', 'ebnerd', '--out', 'x']],
  ])('exits with 2 after %j, and says why in one line', (args) => {
    const { status, stdout, stderr } = feedrank(...args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(/^feedrank: [A-Z_]+: [^\n]+\n$/);
    expect(existsSync('x')).toBe(false);
  });
});
