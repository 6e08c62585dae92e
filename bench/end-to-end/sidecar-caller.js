'use strict';

// A Node.js service that asks a Python sidecar over HTTP with kept connections:
//
//     node sidecar-caller.js DATA SOCKET THREADS

const { readFileSync } = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const { Contender } = require('../contender');
const { provideSidecar } = require('../peers/provide');
const { serveSocket } = require('./serve-socket');
const { readTask } = require('./task');

const [, , folder, socket, threads] = process.argv;
const service = path.join(__dirname, '../peers/sidecar_service.py');

/** What a process holds in memory now, and the time that processors have spent on it. */
function taken(pid) {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  // Ticks of 10 ms; the second field, in brackets, may hold blanks.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return {
    residentMB: Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)[1]) / 1024,
    cpuMs: 10 * (Number(fields[11]) + Number(fields[12])),
  };
}

async function main() {
  const { python } = await provideSidecar();
  const sidecar = await Contender.start('sidecar', python, [service, folder, threads]);
  process.once('exit', () => sidecar.kill());
  process.once('SIGTERM', () => process.exit());
  const { port, versions } = sidecar.about;
  const agent = new http.Agent({ keepAlive: true });
  const data = readTask(folder);
  const vectors = Array.from({ length: data.queries }, (_, q) => Array.from(data.query(q)));

  const rank = (query) =>
    new Promise((resolve, reject) => {
      const body = JSON.stringify({ vector: vectors[query], limit: data.limit });
      const headers = {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
      };
      const options = { host: '127.0.0.1', port, path: '/rank', method: 'POST', agent, headers };
      const request = http.request(options, (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk) => (text += chunk));
        response.on('error', reject);
        response.on('end', () => {
          if (response.statusCode === 200) resolve(JSON.parse(text).ids);
          else reject(new Error(`the sidecar answered ${response.statusCode}: ${text}`));
        });
      });
      request.on('error', reject);
      request.end(body);
    });
  await rank(0);
  serveSocket(socket, {
    rank,
    about: { versions },
    others: () => taken(sidecar.pid),
  });
}

main();
