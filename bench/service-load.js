'use strict';

// Open-loop load over HTTP from a process of its own. A line of JSON on standard input,
// { rate, seconds }, asks for so many requests a second, evenly spaced whether or not answers come;
// the line that answers has the latencies of the answers with 200, from when they were due.

const http = require('node:http');
const { createInterface } = require('node:readline');
const { setTimeout: sleep } = require('node:timers/promises');
const { randomNumbers } = require('./feed-under-test');

const [, , url, dimensions] = process.argv;
const agent = new http.Agent({ keepAlive: true, maxSockets: 256 });
const random = randomNumbers(2);
const bodies = Array.from({ length: 200 }, (_, i) =>
  Buffer.from(
    JSON.stringify({
      userId: `reader ${i}`,
      userVector: {
        space: 'content',
        values: Array.from({ length: Number(dimensions) }, () => Math.fround(random() - 0.5)),
      },
    }),
  ),
);

/** Status, or 0 where there was none, and whether the answer is a full one. */
function post(body) {
  return new Promise((resolve) => {
    const headers = { 'content-type': 'application/json', 'content-length': body.length };
    const request = http.request(`${url}/rank`, { method: 'POST', agent, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk) => (text += chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode, isFull: text.includes('"degraded":[]') }),
      );
    });
    request.on('error', () => resolve({ status: 0, isFull: false }));
    request.end(body);
  });
}

async function run({ rate, seconds }) {
  const result = { ms: [], answered: 0, refused: 0, failed: 0, degraded: 0 };
  const pending = [];
  const begin = performance.now();
  const count = Math.round(rate * seconds);
  for (let sent = 0; sent < count;) {
    while (sent < count && begin + (sent * 1000) / rate <= performance.now()) {
      const due = begin + (sent * 1000) / rate;
      const answer = post(bodies[sent % bodies.length]).then(({ status, isFull }) => {
        if (status === 200) {
          result.ms.push(performance.now() - due);
          result.answered++;
          if (!isFull) result.degraded++;
        } else if (status === 503) result.refused++;
        else result.failed++;
      });
      pending.push(answer);
      sent++;
    }
    await sleep(1);
  }
  await Promise.all(pending);
  return result;
}

async function main() {
  for await (const line of createInterface({ input: process.stdin })) {
    process.stdout.write(`${JSON.stringify(await run(JSON.parse(line)))}\n`);
  }
  agent.destroy();
}

void main();
