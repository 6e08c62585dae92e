'use strict';

// Load over HTTP by autocannon, in a process of its own. A line of JSON on standard input,
// { rate, seconds }, asks for so many requests a second; the line that answers says what came of them.
//
// A connection of autocannon sends all that `overallRate` allots it at the beginning of each second,
// one after another, and all connections do so at once. So there are as many connections as requests a
// second, each with one to send, and they are opened evenly over a second: then requests are due at even
// intervals whether or not answers come. A request would wait for its connection only where the answer
// before took a second, and those are counted as late.
//
// autocannon's own percentiles are of whole milliseconds, of all statuses together, and its correction
// for coordinated omission adds an answer of every shorter millisecond to each answer. So what is
// reported are the times that it measures of each answer, from the request's last byte written to the
// answer's last byte read, and only of answers with 200.

const { readFileSync } = require('node:fs');
const { createInterface } = require('node:readline');
const autocannon = require('../peers/node_modules/autocannon');
const { summary } = require('../contender');

const [, , url, file] = process.argv;
const bodies = readFileSync(file, 'utf8').trim().split('\n');
const sleeping = new Int32Array(new SharedArrayBuffer(4));
let asked = 0;

/** Opens connections, one after another, over a second. */
function spreadOver(rate) {
  const begin = performance.now();
  let opened = 0;
  return (client) => {
    const due = begin + (1000 * opened++) / rate;
    // A client begins to count its seconds when it is made, so making them must take the time.
    Atomics.wait(sleeping, 0, 0, Math.max(0, due - performance.now()));
    // It has spent its first second's request: otherwise all would send one when the last is made.
    client.reqsMadeThisSecond = 1;
  };
}

async function run({ rate, seconds }) {
  const ms = [];
  const counts = { refused: 0, failed: 0, degraded: 0, late: 0, withoutRetryAfter: 0 };
  const statuses = {};
  let answer;
  const load = autocannon({
    ...{ url, connections: rate, overallRate: rate, amount: rate * seconds },
    setupClient: spreadOver(rate),
    requests: [
      {
        ...{ method: 'POST', path: '/rank', headers: { 'content-type': 'application/json' } },
        setupRequest: (request) => ({ ...request, body: bodies[asked++ % bodies.length] }),
        onResponse: (_status, body, _context, headers) => (answer = { body, headers }),
      },
    ],
  });
  let [first, last] = [Infinity, 0];
  load.on('response', (_client, status, _bytes, took) => {
    last = performance.now();
    first = Math.min(first, last - took);
    statuses[status] = (statuses[status] ?? 0) + 1;
    if (took >= 1000) counts.late++;
    if (status === 200) {
      ms.push(took);
      if (!answer.body.includes('"degraded":[]')) counts.degraded++;
    } else if (status === 503) {
      counts.refused++;
      if (!('retry-after' in answer.headers)) counts.withoutRetryAfter++;
    } else counts.failed++;
  });
  // Connections that broke or timed out.
  const { errors } = await load;
  counts.failed += errors;
  const { median, high, p99 } = summary(ms);
  const ratePerSecond = (1000 * (rate * seconds - 1)) / (last - first);
  return {
    ...{ asked: rate, seconds, sent: rate * seconds, ratePerSecond, answered: ms.length },
    ...{ p50: median, p99, high, ...counts, statuses },
  };
}

async function main() {
  process.stdout.write('{}\n');
  for await (const line of createInterface({ input: process.stdin })) {
    process.stdout.write(`${JSON.stringify(await run(JSON.parse(line)))}\n`);
  }
}

void main();
