'use strict';

// Does ranking hold up the event loop? Delay of the event loop while idle, and with 64 requests
// always in flight, in one process, in turns.

const { monitorEventLoopDelay } = require('node:perf_hooks');
const { setTimeout: sleep } = require('node:timers/promises');
const { makeFeed } = require('./feed-under-test');

const inFlight = 64;
const secondsEach = 4;
const rounds = 3;

async function delayDuring(work) {
  const histogram = monitorEventLoopDelay({ resolution: 1 });
  histogram.enable();
  await work();
  histogram.disable();
  const milliseconds = (nanoseconds) => nanoseconds / 1e6;
  return {
    median: milliseconds(histogram.percentile(50)),
    p99: milliseconds(histogram.percentile(99)),
    high: milliseconds(histogram.max),
  };
}

async function main() {
  const { feed, query } = await makeFeed();
  let ranked = 0;
  const load = async () => {
    const end = performance.now() + secondsEach * 1000;
    const client = async () => {
      while (performance.now() < end) {
        await feed.rank(query());
        ranked++;
      }
    };
    await Promise.all(Array.from({ length: inFlight }, client));
  };
  const idle = [];
  const loaded = [];
  for (let round = 0; round < rounds; round++) {
    idle.push(await delayDuring(() => sleep(secondsEach * 1000)));
    loaded.push(await delayDuring(load));
  }
  const middle = (list) => [...list].sort((a, b) => a.p99 - b.p99)[Math.floor(list.length / 2)];
  return {
    id: 'event-loop-delay',
    work: `event-loop delay with ${inFlight} ranks in flight, 100,000 items × 64, beside idle (ms)`,
    ours: middle(loaded),
    peers: [{ name: 'idle', ...middle(idle) }],
    added: middle(loaded).p99 - middle(idle).p99,
    rounds: { idle, loaded },
    ranksPerSecond: ranked / (rounds * secondsEach),
  };
}

main().then((row) => process.stdout.write(JSON.stringify(row)));
