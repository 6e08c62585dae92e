import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadAddon, loadedLibTorch } from '../../lib/load-addon.js';
import { binding } from '../binding';
import { Catalog } from '../catalog/catalog';
import { Feed } from '../feed/feed';
import { Model } from '../models/model';
import { saveScriptedNetwork } from '../models/scripted-network';
import { decayedDot } from '../stages/native-generators';
import { decayedDotRanker } from '../stages/native-stages';
import type { ProbeReport, ProbeStep } from './probe-report';

// What may end the process: loading the native part and calling it. Runs as a process of its own and
// tells of each step in a line, so that what came before a crash is known.

const dimensions = 8;
const now = Date.UTC(2026, 0, 15, 12);
const tauMs = 3_600_000;

function loaded(): ProbeReport['load'] {
  loadAddon();
  const libtorch = loadedLibTorch();
  if (libtorch === undefined) throw new Error('it does not say which LibTorch it was loaded with');
  const { version, libtorchVersion } = binding();
  const maps = readFileSync('/proc/self/maps', 'utf8');
  const file = /(\/.*feedrank_native\.so)$/m.exec(maps)?.[1] ?? 'feedrank_native.so';
  return { file, version, libtorchVersion, libtorch };
}

/** Ranks through the addon, and compares with what the formulas give. */
async function selfTest(): Promise<ProbeReport['self-test']> {
  const begin = performance.now();
  const items = Array.from({ length: 200 }, (_, i) => ({
    id: `item ${i}`,
    publishTime: now - i * 60_000,
    embeddings: { taste: Array.from({ length: dimensions }, (_, d) => Math.sin(i * 7 + d * 3)) },
  }));
  const values = Array.from({ length: dimensions }, (_, d) => Math.cos(d));
  const expected = items
    .map(({ id, publishTime, embeddings }) => {
      const dot = embeddings.taste.reduce((sum, x, d) => sum + x * values[d]!, 0);
      return { id, score: dot * Math.exp((publishTime - now) / tauMs) };
    })
    .sort((a, b) => b.score - a.score)
    .slice(0, 10);
  const catalog = await Catalog.create({ ids: 'string', spaces: { taste: { dimensions } } });
  await catalog.upsert(items);
  const feed = await Feed.create({
    catalog,
    generators: [decayedDot({ space: 'taste' })],
    ranker: decayedDotRanker({ space: 'taste', failClosed: true }),
    profile: { tauMs, limit: expected.length, budgetMs: 60_000 },
  });
  const { items: ranked } = await feed.rank({ now, userVector: { space: 'taste', values } });
  expected.forEach(({ id, score }, i) => {
    const got = ranked[i];
    if (got?.id === id && Math.abs(got.score - score) <= 1e-5) return;
    throw new Error(
      `position ${i} of a slate: expected ${id} (${score}), got ${got?.id} (${got?.score})`,
    );
  });
  feed.dispose();
  catalog.dispose();
  await testModel();
  return { milliseconds: performance.now() - begin };
}

/** Runs a TorchScript model: 2a − b + 1. */
async function testModel(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'feedrank-doctor-'));
  try {
    const file = join(folder, 'model.pt');
    const layers = [{ inputs: 2, outputs: 1, weights: [2, -1], bias: [1] }];
    await saveScriptedNetwork({ mean: [0, 0], scale: [1, 1], layers }, file);
    const description = {
      formatVersion: 1,
      features: [{ name: 'a' }, { name: 'b' }],
      heads: [{ name: 'score', weight: 1 }],
    };
    const model = await Model.load(file, { allowUnverified: true, description });
    const scores = await model.score([3, 4, 0, 5]);
    const expected = [3, -4];
    if (expected.some((score, i) => Math.abs(score - scores[i]!) > 1e-5)) {
      throw new Error(`a model: expected ${expected.join(', ')}, got ${scores.join(', ')}`);
    }
    model.dispose();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function cuda(): Promise<ProbeReport['cuda']> {
  const catalog = await Catalog.create({ ids: 'integer', spaces: { s: { dimensions: 1 } } });
  await catalog.upsert([{ id: 1, publishTime: now, embeddings: { s: [1] } }]);
  try {
    await catalog.retrieve({ space: 's', vectors: [1], k: 1, tauMs, now, device: 'cuda' });
    return { seen: true, detail: 'retrieval ran on it' };
  } catch (error) {
    return { seen: false, detail: (error as Error).message };
  } finally {
    catalog.dispose();
  }
}

async function step<S extends ProbeStep>(
  name: S,
  work: () => ProbeReport[S] | Promise<ProbeReport[S]>,
): Promise<void> {
  process.stdout.write(`${JSON.stringify({ began: name })}\n`);
  try {
    process.stdout.write(`${JSON.stringify({ ended: name, result: await work() })}\n`);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    process.stdout.write(`${JSON.stringify({ ended: name, error: message })}\n`);
    // Nothing can be ranked then, and there is nothing more to try.
    if (name === 'load' || name === 'processor') process.exit(0);
  }
}

async function main(): Promise<void> {
  await step('load', loaded);
  await step('processor', () => binding().processor());
  await step('self-test', selfTest);
  await step('cuda', cuda);
}

void main();
