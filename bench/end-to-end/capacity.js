'use strict';

const { quantile } = require('../quantile');

/** What every stack has to hold. */
const targetMs = 30;

/** One step of open-loop load, and what came of it. */
async function loadAt(load, rate, seconds) {
  const { ms, unanswered } = await load.ask(JSON.stringify({ rate, seconds }));
  const sorted = ms.sort((a, b) => a - b);
  return {
    rate,
    answered: sorted.length,
    unanswered,
    median: quantile(sorted, 0.5),
    low: sorted[0],
    high: sorted.at(-1),
    p99: quantile(sorted, 0.99),
    passes: unanswered === 0 && quantile(sorted, 0.99) < targetMs,
  };
}

/** Requests a second with four always in flight: no open-loop rate can be higher for long. */
async function closedLoopRate(load, seconds) {
  const { ms, elapsedMs } = await load.ask(JSON.stringify({ closed: 4, seconds }));
  return (1000 * ms.length) / elapsedMs;
}

/** Whether a rate passes. A second try lets one hiccup of a shared machine pass, for all alike. */
async function holds(load, rate, seconds) {
  const first = await loadAt(load, rate, seconds);
  return first.passes ? first : loadAt(load, rate, seconds);
}

/**
 * The highest rate, in requests a second, whose p99 is below 30 ms: bisected between nothing and
 * the closed-loop rate, or around an earlier result.
 */
async function findCapacity(load, { seconds = 4, steps = 5, around } = {}) {
  let high = around === undefined ? 1.1 * (await closedLoopRate(load, 2)) : 1.2 * around;
  let low = around === undefined ? 0 : 0.8 * around;
  let best;
  // Most stacks stand near their closed-loop rate, so the first step is not the middle.
  let rate = around ?? 0.85 * high;
  for (let step = 0; step < steps; step++) {
    const found = await holds(load, rate, seconds);
    if (found.passes) {
      best = found;
      low = rate;
    } else {
      high = rate;
    }
    rate = (low + high) / 2;
  }
  return best;
}

module.exports = { findCapacity, loadAt, targetMs };
