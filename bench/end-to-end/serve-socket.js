'use strict';

const { createServer } = require('node:net');
const { monitorEventLoopDelay } = require('node:perf_hooks');
const { createInterface } = require('node:readline');

/**
 * Serves a stack of the end-to-end comparison on a Unix socket: a request is its number and the
 * number of a query (two uint32), an answer the request's number and the ids (uint32). On standard
 * input, "delay" asks for the delay of this event loop since it was last asked, and for the memory;
 * "candidates N" for the candidates of the first N queries, "slates N" for what they are answered.
 * `others` says what other processes of the stack take, beside this one.
 */
function serveSocket(
  socket,
  { rank, candidates, about, others = () => ({ residentMB: 0, cpuMs: 0 }) },
) {
  const histogram = monitorEventLoopDelay({ resolution: 1 });
  histogram.enable();
  // A stack that cannot answer is not measured.
  const giveUp = (error) => {
    process.stderr.write(`${error.stack}\n`);
    process.exit(1);
  };
  const server = createServer((connection) => {
    let rest = Buffer.alloc(0);
    connection.on('data', (chunk) => {
      const all = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      let at = 0;
      for (; at + 8 <= all.length; at += 8) {
        answer(all.readUInt32LE(at), all.readUInt32LE(at + 4)).catch(giveUp);
      }
      rest = all.subarray(at);
    });
    connection.on('error', () => {});
    async function answer(request, query) {
      const ids = await rank(query);
      const answered = Buffer.alloc(8 + 4 * ids.length);
      answered.writeUInt32LE(request, 0);
      answered.writeUInt32LE(ids.length, 4);
      for (let i = 0; i < ids.length; i++) answered.writeUInt32LE(ids[i], 8 + 4 * i);
      connection.write(answered);
    }
  });
  const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
  server.listen(socket, () => say({ ready: true, ...about }));
  const lines = createInterface({ input: process.stdin });
  lines.on('line', async (line) => {
    const [command, count] = line.split(' ');
    if (command === 'candidates' || command === 'slates') {
      const answer = command === 'slates' ? rank : candidates;
      const found = [];
      for (let q = 0; q < Number(count); q++) found.push(Array.from(await answer(q)));
      return say(found);
    }
    const { residentMB, cpuMs } = others();
    const { user, system } = process.cpuUsage();
    say({
      eventLoopP99: histogram.percentile(99) / 1e6,
      eventLoopMax: histogram.max / 1e6,
      residentMB: process.memoryUsage.rss() / 2 ** 20 + residentMB,
      cpuMs: (user + system) / 1000 + cpuMs,
    });
    histogram.reset();
  });
  lines.on('close', () => process.exit());
}

module.exports = { serveSocket };
