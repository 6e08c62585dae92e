'use strict';

// What does an explanation cost? Reranking 500 items into a slate of 50, with and without, in turns.

const { makeFeed } = require('./feed-under-test');

const rounds = 9;
const requestsEach = 300;

async function measure(request) {
  const times = [];
  for (let i = 0; i < requestsEach; i++) {
    const start = performance.now();
    await request();
    times.push(performance.now() - start);
  }
  times.sort((a, b) => a - b);
  return {
    median: times[Math.floor(times.length / 2)],
    p99: times[Math.floor(times.length * 0.99)],
  };
}

/** The middle of the rounds' medians and their range, and the middle of their 99th percentiles. */
function summary(measured) {
  const sorted = (name) => measured.map((round) => round[name]).sort((a, b) => a - b);
  const medians = sorted('median');
  return {
    median: medians[Math.floor(rounds / 2)],
    low: medians[0],
    high: medians.at(-1),
    p99: sorted('p99')[Math.floor(rounds / 2)],
  };
}

async function main() {
  const { feed, now } = await makeFeed({ items: 5_000 });
  const ids = Array.from({ length: 500 }, (_, i) => i);
  const plain = [];
  const explained = [];
  for (let round = 0; round < rounds; round++) {
    plain.push(await measure(() => feed.rerank({ now, limit: 50 }, ids)));
    explained.push(await measure(() => feed.rerank({ now, limit: 50, explain: true }, ids)));
  }
  return {
    id: 'explanations',
    work: 'rerank of 500 items into 50 with explanations, beside without (ms)',
    ours: summary(explained),
    peers: [{ name: 'without', ...summary(plain) }],
    added: summary(explained).median - summary(plain).median,
  };
}

main().then((row) => process.stdout.write(JSON.stringify(row)));
