'use strict';

const { createInterface } = require('node:readline');

/** Runs rounds as standard input asks for them; see ../contender.js. */
async function serveRounds(round, about, lastWords = () => ({})) {
  const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
  await round(0);
  say({ ready: true, ...about });
  let number = 0;
  for await (const line of createInterface({ input: process.stdin })) {
    const ms = [];
    for (let i = 0; i < Number(line); i++) {
      const begin = performance.now();
      await round(number++);
      ms.push(performance.now() - begin);
    }
    say(ms);
  }
  say(await lastWords());
}

module.exports = { serveRounds };
