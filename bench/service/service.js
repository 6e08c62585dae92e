'use strict';

const { spawn } = require('node:child_process');
const { once } = require('node:events');
const path = require('node:path');
const { createInterface } = require('node:readline');

const program = path.join(__dirname, '../../dist/cli/main.js');

/** `feedrank serve` in a process of its own. */
class Service {
  #child;

  constructor(child, url) {
    this.#child = child;
    this.url = url;
  }

  /** Resolves when the service listens, with all of its items loaded. */
  static async start(args) {
    const child = spawn(process.execPath, [program, 'serve', ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    for await (const line of createInterface({ input: child.stdout })) {
      return new Service(child, JSON.parse(line).listening);
    }
    throw new Error('the service ended before it listened');
  }

  /** What /metrics says now; the delay of the event loop is that since the last call. */
  async metrics() {
    const text = await (await fetch(`${this.url}/metrics`)).text();
    const value = (name) => {
      const line = text.split('\n').find((one) => one.startsWith(`${name} `));
      if (line === undefined) throw new Error(`/metrics does not tell ${name}`);
      return Number(line.slice(name.length + 1));
    };
    const megabytes = (name) => value(name) / 2 ** 20;
    return {
      loopP99: 1000 * value('feedrank_event_loop_delay_seconds{quantile="0.99"}'),
      residentMB: megabytes('process_resident_memory_bytes'),
      heapMB: megabytes('nodejs_heap_size_used_bytes'),
      nativeMB:
        megabytes('feedrank_catalog_bytes') +
        megabytes('feedrank_user_bytes') +
        megabytes('feedrank_counter_bytes'),
    };
  }

  kill() {
    this.#child.kill('SIGKILL');
  }

  /** Ends the service as an operator would, and rejects where it does not end well. */
  async stop() {
    if (this.#child.exitCode === null) {
      this.#child.kill('SIGTERM');
      await once(this.#child, 'exit');
    }
    if (this.#child.exitCode !== 0) throw new Error(`the service: ${this.#child.exitCode}`);
  }
}

module.exports = { Service };
