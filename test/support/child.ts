import { spawn } from 'node:child_process';
import path from 'node:path';

const root = path.resolve(__dirname, '../..');

/** How a process ended and what it said. */
export interface Outcome {
  readonly code: number | null;
  readonly signal: string | null;
  readonly out: string;
  readonly err: string;
}

/** What scripts begin with: the compiled package, and a feed with enough work to be in flight. */
const prelude = `
const feedrank = require(${JSON.stringify(root)});
const { Catalog, Feed, Model, configure, decayedDot, fresh, saveScriptedNetwork, torchScript, weightedSum } = feedrank;
const dimensions = 32;
const now = Date.UTC(2026, 0, 15, 12);
const vectors = (n) => Float32Array.from({ length: n * dimensions }, (_, i) => Math.sin(i + 1));
async function makeCatalog(count = 4000) {
  const catalog = await Catalog.create({ ids: 'integer', spaces: { taste: { dimensions } }, columns: ['quality'] });
  await catalog.upsert(Array.from({ length: count }, (_, id) => ({
    id,
    publishTime: now - id * 1000,
    columns: { quality: id % 7 },
    embeddings: { taste: Float32Array.from({ length: dimensions }, (_, d) => Math.cos(id * 31 + d)) },
  })));
  return catalog;
}
const stages = () => ({ generators: [decayedDot({ space: 'taste' }), fresh()], ranker: weightedSum({ age: -1 }) });
const profile = { budgetMs: 600000, maxCandidates: 1000 };
const query = (i = 0) => ({ now, userVector: { space: 'taste', values: vectors(1).map((x) => x + i) } });
const retrieve = (catalog, n = 8) => catalog.retrieve({ space: 'taste', vectors: vectors(n), k: 100, tauMs: 3600000, now });
`;

/** Runs a script against the compiled package in a process of its own, and waits for its end. */
export function runChild(script: string, timeout = 90_000): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['-e', prelude + script], {
      cwd: root,
      env: { ...process.env, NODE_OPTIONS: '' },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout,
      killSignal: 'SIGKILL',
    });
    let out = '';
    let err = '';
    child.stdout.on('data', (data: Buffer) => (out += data.toString()));
    child.stderr.on('data', (data: Buffer) => (err += data.toString()));
    child.on('error', reject);
    child.on('close', (code, signal) =>
      resolve({ code, signal, out: out.trim(), err: err.trim() }),
    );
  });
}

/** The start of every script, for those that workers evaluate. */
export const childPrelude = prelude;
