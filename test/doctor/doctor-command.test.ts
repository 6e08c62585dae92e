import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import type { Check, Diagnosis } from '../../src/doctor/diagnose';
import { temporaryFolder } from '../support/temporary-folder';

const root = path.resolve(__dirname, '../..');

interface Report extends Diagnosis {
  readonly error?: { code: string; message: string; argument: null };
}

function doctor(env: Record<string, string> = {}, args = ['--json'], from = root) {
  const command = path.join(from, 'dist/cli/main.js');
  const { status, signal, stdout, stderr } = spawnSync(
    process.execPath,
    [command, 'doctor', ...args],
    { encoding: 'utf8', env: { ...process.env, NODE_OPTIONS: '', ...env } },
  );
  return { status, signal, stdout, stderr };
}

/** What it says as JSON, which must be one object in one line. */
function diagnosed(env?: Record<string, string>, from?: string) {
  const { status, signal, stdout, stderr } = doctor(env, ['--json'], from);
  expect(signal).toBeNull();
  expect(stdout.trim().split('\n')).toHaveLength(1);
  const report = JSON.parse(stdout) as Report;
  const check = (name: Check['name']) => report.checks.find((one) => one.name === name)!;
  return { status, stderr, report, check };
}

/** A failure is told with what to do, in one line on standard error and in the object. */
function expectUnhealthy({ status, stderr, report }: ReturnType<typeof diagnosed>) {
  expect({ status, healthy: report.healthy }).toEqual({ status: 1, healthy: false });
  expect(stderr).toBe(`feedrank: ADDON_LOAD_FAILED: ${report.error!.message}\n`);
  for (const { status, next } of report.checks) expect(next !== null).toBe(status === 'failed');
}

test('where all is well it says what runs, and ends with 0', () => {
  const { status, stderr, report, check } = diagnosed();
  expect({ status, stderr, healthy: report.healthy }).toEqual({
    status: 0,
    stderr: '',
    healthy: true,
  });
  expect(report.platform).toMatchObject({ os: 'linux', arch: 'x64' });
  expect(report.libtorch!.version).toMatch(/^2\.\d+/);
  expect(fs.existsSync(report.addon!.file)).toBe(true);
  expect(report.processor.kernels).toContain('portable');
  expect(report.processor.kernel).toBe(report.processor.kernels[0]);
  expect(report.processor.kernels.includes('avx2')).toBe(
    report.processor.features.includes('avx2'),
  );
  expect(check('self-test').status).toBe('ok');
  expect(['ok', 'note']).toContain(check('cuda').status);
  expect(report.error).toBeUndefined();
});

test('without --json it is as clear, a line a check', () => {
  const { status, stdout, stderr } = doctor({ FEEDRANK_KERNEL: 'portable' }, []);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toMatch(/^ok +processor +scans by portable, of /m);
  expect(stdout.trim().split('\n').at(-1)).toBe('healthy');
  const ill = doctor({ FEEDRANK_LIBTORCH: '/nowhere' }, []);
  expect(ill.status).toBe(1);
  expect(ill.stdout).toMatch(/^failed +libtorch .*\/nowhere.*\n +next: unset FEEDRANK_LIBTORCH/m);
  expect(ill.stdout.trim().split('\n').at(-1)).toBe('not healthy');
});

test('a LibTorch that is not there is named, with what to do', () => {
  const ill = diagnosed({ FEEDRANK_LIBTORCH: '/nowhere' });
  expectUnhealthy(ill);
  expect(ill.check('libtorch')).toMatchObject({
    status: 'failed',
    next: expect.stringContaining('FEEDRANK_LIBTORCH') as string,
  });
  expect(ill.report.misses).toEqual([
    { where: 'FEEDRANK_LIBTORCH (/nowhere)', why: 'there is no such folder' },
  ]);
  expect(ill.check('addon').status).toBe('failed');
  expect(ill.check('self-test').status).toBe('skipped');
});

test('a kernel that there is not is told, and nothing is ranked', () => {
  const ill = diagnosed({ FEEDRANK_KERNEL: 'quantum' });
  expectUnhealthy(ill);
  expect(ill.check('addon').status).toBe('ok');
  expect(ill.check('processor').found).toContain('portable');
  expect(ill.check('processor').next).toContain('FEEDRANK_KERNEL');
});

test('a library that ends the process which loads it does not end the doctor', () => {
  const folder = temporaryFolder();
  fs.mkdirSync(path.join(folder, 'lib'));
  fs.writeFileSync(path.join(folder, 'build-version'), '2.13.0\n');
  const source = path.join(folder, 'fatal.cc');
  fs.writeFileSync(
    source,
    '#include <cstdlib>\n#include <string>\n' +
      '__attribute__((constructor)) static void die() { std::abort(); }\n' +
      // A name by which the C++ interface of LibTorch is known.
      'void takes(const std::string&) {}\n',
  );
  for (const name of ['libc10.so', 'libtorch_cpu.so']) {
    const output = path.join(folder, 'lib', name);
    const args = ['-shared', '-fPIC', '-o', output, source];
    expect(spawnSync(process.env['CXX'] ?? 'g++', args).status).toBe(0);
  }
  const ill = diagnosed({ FEEDRANK_LIBTORCH: folder });
  expectUnhealthy(ill);
  expect(ill.check('libtorch').status).toBe('ok');
  expect(ill.check('addon')).toMatchObject({
    status: 'failed',
    found: 'the process that tried it was ended by SIGABRT',
    next: expect.stringContaining('FEEDRANK_LIBTORCH') as string,
  });
});

test('a package without a build of the addon is told apart from one without LibTorch', () => {
  const staged = temporaryFolder();
  for (const name of ['dist', 'lib', 'package.json']) {
    fs.cpSync(path.join(root, name), path.join(staged, name), { recursive: true });
  }
  fs.rmSync(path.join(staged, 'lib/setup.js'));
  fs.symlinkSync(path.join(root, 'node_modules'), path.join(staged, 'node_modules'));
  const ill = diagnosed({}, staged);
  expectUnhealthy(ill);
  expect(ill.check('libtorch').status).toBe('ok');
  expect(ill.check('addon').found).toContain('no build of it was found');
  expect(ill.report.addon).toBeNull();
});
