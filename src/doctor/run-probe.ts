import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { ProbeOutcomes, ProbeStep } from './probe-report';

const patienceMs = 120_000;
const longestText = 2000;

/**
 * Loads and tries the native part in a process of its own: whatever ends that one, a missing
 * instruction or a wrong library, is an outcome and not the end of this process.
 */
export async function runProbe(): Promise<ProbeOutcomes> {
  const { lines, stderr, ending } = await runChild();
  const outcomes: Record<string, unknown> = {};
  let begun: ProbeStep | undefined;
  for (const line of lines) {
    const { began, ended, ...outcome } = line;
    if (began !== undefined) begun = began;
    if (ended === undefined) continue;
    outcomes[ended] = outcome;
    begun = undefined;
  }
  if (begun === undefined && outcomes['load'] === undefined) begun = 'load';
  if (begun !== undefined) {
    const said = stderr.trim() === '' ? '' : `, and said: ${stderr.trim()}`;
    outcomes[begun] = { error: `the process that tried it ${ending}${said}` };
  }
  return outcomes;
}

interface Line {
  readonly began?: ProbeStep;
  readonly ended?: ProbeStep;
}

async function runChild(): Promise<{ lines: Line[]; stderr: string; ending: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [join(__dirname, 'probe.js')], {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: patienceMs,
      killSignal: 'SIGKILL',
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (data: Buffer) => (stdout += data.toString()));
    child.stderr.on('data', (data: Buffer) => {
      stderr = (stderr + data.toString()).slice(0, longestText);
    });
    child.on('error', (error) => {
      resolve({ lines: [], stderr, ending: `could not be started: ${error.message}` });
    });
    child.on('close', (code, signal) => {
      const ending = signal === null ? `ended with status ${code}` : `was ended by ${signal}`;
      resolve({ lines: readLines(stdout), stderr, ending });
    });
  });
}

/** LibTorch may print, too, and a line may be cut off. */
function readLines(text: string): Line[] {
  return text.split('\n').flatMap((line) => {
    try {
      const value: unknown = JSON.parse(line);
      return typeof value === 'object' && value !== null ? [value] : [];
    } catch {
      return [];
    }
  });
}
