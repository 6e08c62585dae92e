'use strict';

// Rows that hold feedrank's retrieval and ranker against others who do the same work, each in a
// process of its own, by turns.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { Contender, ratioOf, summary, takeTurns } = require('./contender');
const { executable, writeData } = require('./native-benchmarks');
const { providePeers } = require('./peers/provide');

const goal = true;

/** faiss scans, or multiplies matrices from so many queries on; 1 is the faster for it here. */
const faiss = (name, set, more = [], isGoal = false) => ({
  name,
  kind: 'python',
  file: 'faiss_retrieval.py',
  args: ['--set', set, ...more],
  isGoal,
});
const usearch = (set, more = []) => ({
  name: 'usearch exactSearch',
  kind: 'node',
  file: 'usearch-exact.js',
  args: ['--set', set, ...more],
});
const tuned = ['--blas-threshold', '1'];
const together = ['--together', '8', '--threads', '2'];
const onnx = {
  name: 'onnxruntime-node float32',
  kind: 'node',
  file: 'onnxruntime-ranker.js',
  args: [],
  isGoal: goal,
};
const plain = { name: 'TorchScript, plain', kind: 'native', id: 'ranker-plain-torchscript' };

/** What each row measures, with its data and its peers; the goals name those that count. */
const comparisons = [
  {
    id: 'retrieval-1q1t',
    data: 'clustered',
    peers: [
      faiss('faiss IndexFlatIP', 'clustered', [], goal),
      faiss('faiss IndexFlatIP, tuned', 'clustered', tuned),
      usearch('clustered'),
      {
        name: 'hnswlib-node, M 16, ef 1,000 (approximate)',
        kind: 'hnswlib',
        file: 'hnswlib.js',
        args: ['--set', 'clustered'],
      },
    ],
  },
  {
    id: 'retrieval-8q2t',
    data: 'clustered',
    peers: [
      faiss('faiss IndexFlatIP', 'clustered', together),
      faiss('faiss IndexFlatIP, tuned', 'clustered', [...together, ...tuned], goal),
      usearch('clustered', together),
    ],
  },
  {
    id: 'retrieval-10tau',
    data: 'ten-tau',
    peers: [
      faiss('faiss IndexFlatIP', 'ten-tau', [], goal),
      faiss('faiss IndexFlatIP, tuned', 'ten-tau', tuned),
    ],
  },
  {
    id: 'retrieval-worst',
    data: 'random',
    peers: [
      faiss('faiss IndexFlatIP', 'random', [], goal),
      faiss('faiss IndexFlatIP, tuned', 'random', tuned),
    ],
  },
  { id: 'ranker-fp32', data: 'ranker', peers: [onnx, plain] },
  { id: 'ranker-bf16', data: 'ranker', peers: [onnx, plain] },
];

let folder;
const written = new Set();

/** A temporary folder that holds the data set, until the process ends. */
async function dataFolder(name) {
  if (folder === undefined) {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'feedrank-bench-'));
    process.once('exit', () => fs.rmSync(folder, { recursive: true, force: true }));
  }
  if (!written.has(name)) await writeData(name, folder);
  written.add(name);
  return folder;
}

async function startPeer(peer, data, { python, missing }) {
  if (missing[peer.kind] !== undefined) throw new Error(missing[peer.kind]);
  if (peer.kind === 'native') {
    return Contender.start(peer.name, executable, ['--only', peer.id, '--serve', '--data', data]);
  }
  const program = peer.kind === 'python' ? python : process.execPath;
  const file = path.join(__dirname, 'peers', peer.file);
  return Contender.start(peer.name, program, [file, '--data', data, ...peer.args]);
}

/** The share of what `truth` lists, query by query, that `found` lists too. */
function recall(found, truth) {
  let hits = 0;
  let all = 0;
  truth.forEach((ids, q) => {
    const set = new Set(found[q]);
    all += ids.length;
    for (const id of ids) hits += set.has(id) ? 1 : 0;
  });
  return hits / all;
}

/** One row of the table: ours and the peers, by turns, in one run. */
async function compare({ id, data, peers }) {
  const folder = await dataFolder(data);
  const provided = await providePeers();
  if (data === 'ranker' && provided.missing.python === undefined) await writeOnnx(folder, provided);
  const skipped = [];
  const running = [];
  try {
    const ours = await Contender.start('feedrank', executable, [
      ...['--only', id, '--serve', '--data', folder],
    ]).catch((error) => ({ error }));
    // Such as bfloat16 on a processor that has no instructions for it.
    if (ours.error) return { id, skipped: [{ name: 'feedrank', reason: ours.error.message }] };
    running.push(ours);
    const started = [];
    for (const peer of peers) {
      try {
        const contender = await startPeer(peer, folder, provided);
        started.push({ peer, contender });
        running.push(contender);
      } catch (error) {
        skipped.push({ name: peer.name, reason: error.message });
      }
    }
    await takeTurns(running);
    const said = await ours.end();
    const ended = [];
    for (const { peer, contender } of started) {
      ended.push({ peer, contender, said: await contender.end() });
    }
    return {
      id,
      ...said,
      ours: summary(ours.ms),
      ...rowOfPeers(ours, ended),
      ...(skipped.length === 0 ? {} : { skipped }),
    };
  } finally {
    for (const contender of running) contender.kill();
  }
}

function rowOfPeers(ours, ended) {
  const goals = ended.filter(({ peer }) => peer.isGoal);
  const best = goals.sort(
    (a, b) => summary(a.contender.ms).median - summary(b.contender.ms).median,
  );
  const truth = goals[0]?.said.answers;
  return {
    peers: ended.map(({ peer, contender, said }) => ({
      name: peer.name,
      ...summary(contender.ms),
      ratio: ratioOf(ours, contender).ratio,
      ...(truth && said.answers ? { recall: recall(said.answers, truth) } : {}),
      ...contender.about.versions,
    })),
    ...(best.length === 0 ? { ratio: null } : ratioOf(ours, best[0].contender)),
  };
}

async function writeOnnx(folder, { python }) {
  if (fs.existsSync(path.join(folder, 'ranker.onnx'))) return;
  const { runCommand } = require('../lib/run-command.js');
  const script = path.join(__dirname, 'peers/onnx_model.py');
  const { code, stderr } = await runCommand(python, [script, folder]);
  if (code !== 0) throw new Error(stderr.trim().split('\n').at(-1));
}

module.exports = { compare, comparisons, dataFolder, recall, writeOnnx };
