'use strict';

// How does `feedrank serve` answer at fixed rates over HTTP, 100,000 items × 64, on this machine?
// Open-loop load from a process of its own: requests are due whether or not answers come, and
// latencies count from when they were due. The event-loop delay is the server's own, from /metrics.
//
//     node bench/service.js [--items 100000] [--seconds 3] [--rates 100,200,400]

const { spawn } = require('node:child_process');
const { once } = require('node:events');
const { createWriteStream, mkdtempSync, rmSync, writeFileSync } = require('node:fs');
const { tmpdir } = require('node:os');
const path = require('node:path');
const { createInterface } = require('node:readline');
const { parseArgs } = require('node:util');
const Table = require('cli-table3');
const { hour, randomNumbers } = require('./feed-under-test');
const { quantile } = require('./quantile');

const dimensions = 64;
const root = path.join(__dirname, '..');
const { values: flags } = parseArgs({
  options: {
    items: { type: 'string', default: '100000' },
    seconds: { type: 'string', default: '3' },
    rates: { type: 'string', default: '100,200,400' },
  },
});

async function writeItems(file, count) {
  const random = randomNumbers(1);
  const now = Date.now();
  const stream = createWriteStream(file);
  for (let i = 0; i < count; i++) {
    const item = {
      id: `item-${i}`,
      publishTime: now - Math.floor(random() * 240 * hour),
      author: `author ${i % 997}`,
      topics: [`topic ${i % 40}`],
      embeddings: {
        content: Array.from({ length: dimensions }, () => Math.fround(random() - 0.5)),
      },
    };
    if (!stream.write(`${JSON.stringify(item)}\n`)) await once(stream, 'drain');
  }
  stream.end();
  await once(stream, 'finish');
}

/** Starts a program of ours; its lines are JSON. */
function start(script, args) {
  const child = spawn(process.execPath, [path.join(root, script), ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    child,
    next: async () => JSON.parse((await lines.next()).value),
    ask: (request) => child.stdin.write(`${JSON.stringify(request)}\n`),
  };
}

async function eventLoopDelayMs(url) {
  const text = await (await fetch(`${url}/metrics`)).text();
  const seconds = /^feedrank_event_loop_delay_seconds\{quantile="0.99"\} (\S+)$/m.exec(text)[1];
  return Number(seconds) * 1000;
}

async function main() {
  const folder = mkdtempSync(path.join(tmpdir(), 'feedrank-bench-'));
  try {
    const items = path.join(folder, 'items.jsonl');
    const profile = path.join(folder, 'profile.json');
    await writeItems(items, Number(flags.items));
    writeFileSync(profile, JSON.stringify({ budgetMs: 30, limit: 50 }));
    const began = performance.now();
    const server = start('dist/cli/main.js', ['serve', '--items', items, '--profile', profile]);
    const { listening: url } = await server.next();
    console.log(
      `loaded ${flags.items} items in ${((performance.now() - began) / 1000).toFixed(1)} s`,
    );
    const load = start('bench/service-load.js', [url, String(dimensions)]);
    const measure = async (rate, seconds) => {
      await eventLoopDelayMs(url);
      load.ask({ rate, seconds });
      const measured = await load.next();
      return { ...measured, delay: await eventLoopDelayMs(url) };
    };
    await measure(100, 1);
    const table = new Table({
      head: ['asked/s', 'p50 ms', 'p99 ms', '200', '503', 'other', 'degraded', 'loop p99 ms'],
      style: { head: [], border: [] },
    });
    for (const rate of flags.rates.split(',').map(Number)) {
      const { ms, answered, refused, failed, degraded, delay } = await measure(
        rate,
        Number(flags.seconds),
      );
      ms.sort((a, b) => a - b);
      const times = [quantile(ms, 0.5) ?? NaN, quantile(ms, 0.99) ?? NaN, delay];
      const [p50, p99, loop] = times.map((time) => time.toFixed(1));
      table.push([rate, p50, p99, answered, refused, failed, degraded, loop]);
    }
    console.log(table.toString());
    load.child.stdin.end();
    server.child.kill('SIGTERM');
    const [code] = await once(server.child, 'exit');
    if (code !== 0) throw new Error(`the server ended with ${code}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
