import { existsSync, readFileSync } from 'node:fs';
import { arch, cpus, platform } from 'node:os';
import { join } from 'node:path';
import { nodeProblems } from '../../lib/check-tools.js';
import { findLibTorch, type LibTorch, type Miss } from '../../lib/find-libtorch.js';
import { platformProblem } from '../../lib/load-addon.js';
import type { ProbeOutcome, ProbeReport } from './probe-report';
import { runProbe } from './run-probe';

/** One thing that was looked at. */
export interface Check {
  readonly name: 'platform' | 'node' | 'libtorch' | 'addon' | 'processor' | 'self-test' | 'cuda';
  /** `note` is good to know and no failure; `skipped` could not be tried after an earlier failure. */
  readonly status: 'ok' | 'note' | 'failed' | 'skipped';
  readonly found: string;
  /** What to do about a failure; `null` where there is none. */
  readonly next: string | null;
}

/** What `feedrank doctor` finds. */
export interface Diagnosis {
  /** Whether a feed can rank here. */
  readonly healthy: boolean;
  /** Version of the package. */
  readonly version: string;
  readonly platform: { readonly os: string; readonly arch: string; readonly glibc: string | null };
  readonly node: string;
  readonly processor: {
    readonly model: string;
    readonly cores: number;
    /** Of the instructions that feedrank has code for, those that this processor has. */
    readonly features: readonly string[];
    /** Which scan runs, `avx512` (VNNI), `avx2` or `portable`; `null` where it could not be asked. */
    readonly kernel: string | null;
    readonly kernels: readonly string[];
    readonly bfloat16: boolean | null;
  };
  readonly libtorch: LibTorch | null;
  /** Places where no LibTorch was taken from, and why. */
  readonly misses: readonly Miss[];
  readonly addon: Omit<ProbeReport['load'], 'libtorch'> | null;
  readonly cuda: ProbeReport['cuda'] | null;
  readonly checks: readonly Check[];
}

const root = join(__dirname, '..', '..');
const instructions = [
  'avx2',
  'avx512f',
  'avx512bw',
  'avx512_vnni',
  'avx512_bf16',
  'amx_bf16',
  'amx_int8',
];

/** Looks at all that a feed needs. Never loads the native part into this process. */
export async function diagnose(): Promise<Diagnosis> {
  const glibc = glibcVersion();
  const { found, misses } = findLibTorch();
  const probe = await runProbe();
  const { load, processor, cuda } = probe;
  const loaded = resultOf(load);
  const ran = resultOf(processor);
  const checks = [
    checkPlatform(glibc),
    checkNode(),
    checkLibTorch(found ?? null, misses, load),
    checkAddon(found ?? null, load),
    checkProcessor(processor),
    checkSelfTest(probe['self-test']),
    checkCuda(cuda),
  ];
  return {
    healthy: checks.every(({ status }) => status === 'ok' || status === 'note'),
    version: packageVersion(),
    platform: { os: platform(), arch: arch(), glibc: glibc ?? null },
    node: process.versions.node,
    processor: {
      model: cpus()[0]?.model.trim() ?? 'unknown',
      cores: cpus().length,
      features: processorFeatures(),
      kernel: ran?.kernel ?? null,
      kernels: ran?.kernels ?? [],
      bfloat16: ran?.bfloat16 ?? null,
    },
    libtorch: loaded?.libtorch ?? found ?? null,
    misses,
    addon: loaded
      ? { file: loaded.file, version: loaded.version, libtorchVersion: loaded.libtorchVersion }
      : null,
    cuda: resultOf(cuda) ?? null,
    checks,
  };
}

function checkPlatform(glibc: string | undefined): Check {
  const parts = glibc?.split('.').map(Number) as [number, number] | undefined;
  const problem = platformProblem(platform(), arch(), () => parts);
  if (problem !== undefined) {
    const next = 'run feedrank on Linux on x64 with glibc 2.34 or later, such as Debian 12';
    return { name: 'platform', status: 'failed', found: problem, next };
  }
  return ok('platform', `${platform()}-${arch()}, glibc ${glibc}`);
}

function checkNode(): Check {
  const [problem] = nodeProblems();
  if (problem === undefined) return ok('node', `Node.js ${process.versions.node}`);
  const next = 'install Node.js 20.17 or later';
  return { name: 'node', status: 'failed', found: problem, next };
}

function checkLibTorch(
  found: LibTorch | null,
  misses: readonly Miss[],
  load: ProbeOutcome<ProbeReport['load']> | undefined,
): Check {
  const tried = misses.map(({ where, why }) => `${where}: ${why}`).join('; ');
  if (found !== null) {
    const why = tried === '' ? '' : `; before it, ${tried}`;
    return ok('libtorch', `${found.version} from ${found.source} (${found.dir})${why}`);
  }
  const next = mendOf(load) ?? otherLibTorch() ?? fetchCommand();
  return { name: 'libtorch', status: 'failed', found: `none; ${tried}`, next };
}

function checkAddon(
  libtorch: LibTorch | null,
  load: ProbeOutcome<ProbeReport['load']> | undefined,
): Check {
  const loaded = resultOf(load);
  if (loaded !== undefined) {
    return ok('addon', `${loaded.version} for LibTorch ${loaded.libtorchVersion} (${loaded.file})`);
  }
  const error = errorOf(load) ?? 'it was not tried';
  const found = error.replace(/\nTo mend it:.*$/s, '').replace(/\s*\n\s*(- )?/g, '; ');
  const next =
    mendOf(load) ?? otherLibTorch() ?? (libtorch === null ? fetchCommand() : buildCommand());
  return { name: 'addon', status: 'failed', found, next };
}

function checkProcessor(outcome: ProbeOutcome<ProbeReport['processor']> | undefined): Check {
  if (outcome === undefined) return skipped('processor');
  const ran = resultOf(outcome);
  if (ran === undefined) {
    const next =
      process.env['FEEDRANK_KERNEL'] === undefined
        ? buildCommand()
        : 'unset FEEDRANK_KERNEL, or name a kernel that this processor can run';
    return { name: 'processor', status: 'failed', found: errorOf(outcome) ?? '', next };
  }
  const bfloat16 = ran.bfloat16 ? 'bfloat16 available' : 'no bfloat16';
  return ok('processor', `scans by ${ran.kernel}, of ${ran.kernels.join(', ')}; ${bfloat16}`);
}

function checkSelfTest(outcome: ProbeOutcome<ProbeReport['self-test']> | undefined): Check {
  if (outcome === undefined) return skipped('self-test');
  const passed = resultOf(outcome);
  if (passed !== undefined) {
    const took = `${passed.milliseconds.toFixed(0)} ms`;
    return ok('self-test', `a slate and a model's scores are right (${took}, loading included)`);
  }
  return {
    name: 'self-test',
    status: 'failed',
    found: errorOf(outcome) ?? '',
    next: `${buildCommand()}, and if it fails again, report it with the output of feedrank doctor --json`,
  };
}

function checkCuda(outcome: ProbeOutcome<ProbeReport['cuda']> | undefined): Check {
  if (outcome === undefined) return skipped('cuda');
  const { seen, detail } = resultOf(outcome) ?? { seen: false, detail: errorOf(outcome) ?? '' };
  const found = seen ? `seen: ${detail}` : `not seen, and not needed: ${detail}`;
  return { name: 'cuda', status: seen ? 'ok' : 'note', found, next: null };
}

function ok(name: Check['name'], found: string): Check {
  return { name, status: 'ok', found, next: null };
}

function skipped(name: Check['name']): Check {
  return { name, status: 'skipped', found: 'not tried after what failed before', next: null };
}

function resultOf<T>(outcome: ProbeOutcome<T> | undefined): T | undefined {
  return outcome !== undefined && 'result' in outcome ? outcome.result : undefined;
}

function errorOf(outcome: ProbeOutcome<unknown> | undefined): string | undefined {
  return outcome?.error;
}

/** The command that an error of loading names. */
function mendOf(outcome: ProbeOutcome<unknown> | undefined): string | undefined {
  return /^To mend it: (.*)$/m.exec(errorOf(outcome) ?? '')?.[1];
}

/** What to do about a LibTorch that somebody named. */
function otherLibTorch(): string | undefined {
  if (!process.env['FEEDRANK_LIBTORCH']) return undefined;
  return 'unset FEEDRANK_LIBTORCH, or name a folder with LibTorch 2.13 in it';
}

/** Only a clone has the set-up script. */
function isClone(): boolean {
  return existsSync(join(root, 'lib/setup.js'));
}

function buildCommand(): string {
  return isClone() ? 'npm run setup' : 'npm install feedrank';
}

function fetchCommand(): string {
  return isClone() ? 'npm run setup' : `node ${join(root, 'lib/fetch-libtorch.js')}`;
}

function processorFeatures(): string[] {
  try {
    const line = /^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? '';
    const flags = new Set(line.split(' '));
    return instructions.filter((name) => flags.has(name));
  } catch {
    return [];
  }
}

/** Version of glibc; undefined where the C library is another one. */
function glibcVersion(): string | undefined {
  const report = process.report as NodeJS.ProcessReport & { excludeNetwork?: boolean };
  // Looking up the names of open sockets can take seconds.
  report.excludeNetwork = true;
  const { header } = report.getReport() as { header: { glibcVersionRuntime?: string } };
  return header.glibcVersionRuntime;
}

function packageVersion(): string {
  return (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string })
    .version;
}
