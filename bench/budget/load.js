'use strict';

// Open-loop load from a process of its own: so many requests a second, at random moments whether or
// not answers come, as those of many readers do. Latencies count from the moment at which a request
// was due.

const { connect } = require('node:net');
const { setTimeout: sleep } = require('node:timers/promises');
const { randomNumbers } = require('../feed-under-test');
const { quantile } = require('../quantile');
const { epochMs, readAnswers, requestOf, tiers } = require('./wire');

const [, , socket, queryCount] = process.argv;
/** Longer than any latency that counts. */
const patienceMs = 3_000;

const random = randomNumbers(5);
const connection = connect(socket);
const due = new Map();
/** The full answer to each query, asked for when nothing else runs. */
const full = [];
let next = 0;
let rest = Buffer.alloc(0);
let onAnswer = () => {};

connection.on('data', (chunk) => {
  const at = epochMs();
  const read = readAnswers(rest.length === 0 ? chunk : Buffer.concat([rest, chunk]));
  rest = read.rest;
  for (const answer of read.answers) {
    const asked = due.get(answer.number);
    if (asked === undefined) continue;
    due.delete(answer.number);
    onAnswer({ ...answer, query: asked.query, ms: at - asked.ms });
  }
});

function send(query, ms) {
  due.set(next, { query, ms });
  connection.write(requestOf(next++, query, ms));
}

async function drained() {
  const end = epochMs() + patienceMs;
  while (due.size > 0 && epochMs() < end) await sleep(2);
}

async function learnFull() {
  onAnswer = ({ query, ids }) => (full[query] = new Set(ids));
  for (let query = 0; query < Number(queryCount); query++) {
    send(query, epochMs());
    await drained();
  }
}

async function open({ rate, seconds, budgetMs, warmUpSeconds = 1 }) {
  const found = { offered: 0, refused: 0, late: 0, ms: [], ranked: 0, quality: 0, overlap: 0 };
  const byTier = tiers.map(() => 0);
  const begin = epochMs();
  const counted = begin + 1000 * warmUpSeconds;
  const end = counted + 1000 * seconds;
  onAnswer = ({ refused, tier, ranked, quality, ids, query, ms, dueMs }) => {
    if (dueMs < counted) return;
    if (refused) return void found.refused++;
    found.ms.push(ms);
    byTier[tier]++;
    found.ranked += ranked;
    found.quality += quality;
    const reference = full[query];
    found.overlap += ids.filter((id) => reference.has(id)).length / reference.size;
  };
  const take = onAnswer;
  onAnswer = (answer) => take({ ...answer, dueMs: epochMs() - answer.ms });
  for (let at = begin; at < end;) {
    for (; at < end && at <= epochMs(); at += (-1000 / rate) * Math.log(1 - random())) {
      if (at >= counted) found.offered++;
      send(next % Number(queryCount), at);
    }
    // A timer may come a millisecond late, which counts as latency.
    await sleep(Math.max(0, Math.floor(at - epochMs())));
  }
  await drained();
  const sorted = found.ms.sort((a, b) => a - b);
  const answered = sorted.length;
  const inTime = sorted.filter((ms) => ms <= budgetMs).length;
  const mean = (sum) => sum / Math.max(1, answered);
  return {
    rate,
    offered: found.offered,
    answered,
    refused: found.refused,
    lost: found.offered - answered - found.refused,
    inTime,
    withinBudget: mean(inTime),
    goodput: inTime / seconds,
    p50: quantile(sorted, 0.5) ?? null,
    p99: quantile(sorted, 0.99) ?? null,
    tiers: Object.fromEntries(tiers.map((tier, t) => [tier, mean(byTier[t])])),
    ranked: mean(found.ranked),
    quality: mean(found.quality),
    overlap: mean(found.overlap),
  };
}

/** Answers a second, and their median time, with so many requests always in flight. */
async function closed({ inFlight, seconds }) {
  const found = [];
  const end = epochMs() + 1000 * seconds;
  onAnswer = ({ ms }) => {
    found.push(ms);
    if (epochMs() < end) send(next % Number(queryCount), epochMs());
  };
  for (let i = 0; i < inFlight; i++) send(next % Number(queryCount), epochMs());
  await sleep(1000 * seconds);
  const rate = found.length / seconds;
  await drained();
  const median = found.sort((a, b) => a - b)[Math.floor(found.length / 2)];
  return { rate, median };
}

process.on('message', async (message) => {
  if (message.learn) {
    await learnFull();
    process.send({ learnt: true });
  } else {
    process.send(await (message.inFlight ? closed(message) : open(message)));
  }
});
connection.on('connect', () => process.send({ ready: true }));
