'use strict';

const { spawn } = require('node:child_process');
const { createInterface } = require('node:readline');
const { setTimeout: sleep } = require('node:timers/promises');
const { quantile } = require('./quantile');

/**
 * A process that does one kind of work in rounds. It prints a first line of JSON when it is ready,
 * answers each line "COUNT" with the milliseconds of so many rounds, and prints a last line of JSON
 * with what else it has to say when its standard input ends.
 */
class Contender {
  #child;
  #lines;
  #stderr = '';

  constructor(name, child) {
    this.name = name;
    this.ms = [];
    /** Median of each turn. */
    this.turns = [];
    this.#child = child;
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    child.stderr.on('data', (text) => (this.#stderr = (this.#stderr + text).slice(-4_096)));
    child.stdin.on('error', () => {});
  }

  /** Rejects, saying why, where the process ends before it is ready. */
  static async start(name, program, args, env = {}) {
    const child = spawn(program, args, { env: { ...process.env, ...env } });
    const failed = new Promise((_, reject) => child.on('error', reject));
    const contender = new Contender(name, child);
    contender.about = await Promise.race([contender.#line(), failed]);
    return contender;
  }

  get pid() {
    return this.#child.pid;
  }

  /** Milliseconds of so many rounds. */
  rounds(count) {
    return this.ask(count);
  }

  /** Writes a line, and resolves to the one that answers it. */
  ask(line) {
    this.#child.stdin.write(`${line}\n`);
    return this.#line();
  }

  /** Ends the process; resolves to its last words. */
  async end() {
    this.#child.stdin.end();
    const { value } = await this.#lines.next();
    return value === undefined ? {} : JSON.parse(value);
  }

  kill() {
    this.#child.kill();
  }

  async #line() {
    const { value, done } = await this.#lines.next();
    if (!done) return JSON.parse(value);
    const lines = this.#stderr.trim().split('\n');
    throw new Error(`${this.name}: ${lines.find((line) => /Error/.test(line)) ?? lines.at(-1)}`);
  }
}

/** What a row says of some times. */
function summary(ms) {
  const sorted = [...ms].sort((a, b) => a - b);
  return {
    median: quantile(sorted, 0.5),
    low: sorted[0],
    high: sorted.at(-1),
    p99: quantile(sorted, 0.99),
    rounds: sorted.length,
  };
}

/**
 * Gives each contender turns of about `turnMs`, one after another, so that whatever else the
 * machine does falls on all of them. The first turn is a warm-up.
 */
async function takeTurns(contenders, { turns = 10, turnMs = 300 } = {}) {
  const counts = new Map();
  for (const contender of contenders) {
    await contender.rounds(1);
    const { median } = summary(await contender.rounds(3));
    counts.set(contender, Math.min(2_000, Math.max(1, Math.round(turnMs / median))));
  }
  for (let turn = 0; turn <= turns; turn++) {
    for (const contender of contenders) {
      // Threads of the one before may still be spinning.
      await sleep(20);
      const ms = await contender.rounds(counts.get(contender));
      if (turn === 0) continue;
      contender.ms.push(...ms);
      contender.turns.push(summary(ms).median);
    }
  }
}

/** Median ratio of a to b, with the least and the greatest of any turn. */
function ratioOf(a, b) {
  const ratios = a.turns.map((median, turn) => median / b.turns[turn]);
  return {
    ratio: summary(a.ms).median / summary(b.ms).median,
    ratioLow: Math.min(...ratios),
    ratioHigh: Math.max(...ratios),
  };
}

module.exports = { Contender, ratioOf, summary, takeTurns };
