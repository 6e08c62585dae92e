'use strict';

// Open-loop load from a process of its own. A line of JSON on standard input, { rate, seconds }, asks
// for so many requests a second, evenly spaced whether or not answers come; the answer has the
// latencies from the moments at which requests were due. { closed, seconds } keeps so many requests
// in flight instead.

const { connect } = require('node:net');
const { createInterface } = require('node:readline');
const { setTimeout: sleep } = require('node:timers/promises');

const [, , socket, queries] = process.argv;
/** Longer than any latency that would pass. */
const patienceMs = 2_000;

const connection = connect(socket);
const due = new Map();
let next = 0;
let latencies = [];
let onAnswer = () => {};
let rest = Buffer.alloc(0);

connection.on('data', (chunk) => {
  const now = performance.now();
  rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
  while (rest.length >= 8) {
    const length = 8 + 4 * rest.readUInt32LE(4);
    if (rest.length < length) return;
    const request = rest.readUInt32LE(0);
    rest = rest.subarray(length);
    if (!due.has(request)) continue;
    latencies.push(now - due.get(request));
    due.delete(request);
    onAnswer();
  }
});

function send(at) {
  const request = Buffer.alloc(8);
  request.writeUInt32LE(next, 0);
  request.writeUInt32LE(next % Number(queries), 4);
  due.set(next++, at);
  connection.write(request);
}

async function open(rate, seconds) {
  const begin = performance.now();
  const count = Math.round(rate * seconds);
  for (let sent = 0; sent < count;) {
    const now = performance.now();
    while (sent < count && begin + (sent * 1000) / rate <= now) {
      send(begin + (sent * 1000) / rate);
      sent++;
    }
    // A timer may come a millisecond late, which counts as latency, for all stacks alike.
    await sleep(Math.max(0, Math.floor(begin + (sent * 1000) / rate - performance.now())));
  }
  await drained();
}

async function closed(inFlight, seconds) {
  const end = performance.now() + 1000 * seconds;
  onAnswer = () => {
    if (performance.now() < end) send(performance.now());
  };
  for (let i = 0; i < inFlight; i++) send(performance.now());
  await sleep(1000 * seconds);
  await drained();
  onAnswer = () => {};
}

async function drained() {
  const end = performance.now() + patienceMs;
  while (due.size > 0 && performance.now() < end) await sleep(2);
}

async function run({ rate, closed: inFlight, seconds }) {
  latencies = [];
  due.clear();
  const begin = performance.now();
  await (rate === undefined ? closed(inFlight, seconds) : open(rate, seconds));
  const unanswered = due.size;
  due.clear();
  return { ms: latencies, unanswered, elapsedMs: performance.now() - begin };
}

connection.on('connect', async () => {
  process.stdout.write(`${JSON.stringify({ ready: true })}\n`);
  for await (const line of createInterface({ input: process.stdin })) {
    process.stdout.write(`${JSON.stringify(await run(JSON.parse(line)))}\n`);
  }
  process.exit();
});
