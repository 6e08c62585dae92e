'use strict';

const { setTimeout: sleep } = require('node:timers/promises');
const { eventsOf } = require('./world');

/** Pages that are brought before anything is measured, as if they were of the last minutes. */
const earlier = 1_000;
const earlierMs = 9 * 60_000;
const everyMs = 100;

async function post(url, events) {
  const response = await fetch(`${url}/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ events }),
  });
  return { status: response.status, ...(await response.json()) };
}

/** Brings the first pages, in the order of time; resolves to the others. */
async function bringEarlier(url, impressions) {
  const begin = Date.now() - earlierMs;
  for (let i = 0; i < earlier; i += 50) {
    const events = impressions
      .slice(i, i + 50)
      .flatMap((page, j) => eventsOf(page, Math.floor(begin + ((i + j) * earlierMs) / earlier)));
    const { status, recorded } = await post(url, events);
    if (recorded !== events.length) throw new Error(`POST /events: ${status}, ${recorded}`);
  }
  return impressions.slice(earlier);
}

/** Brings ten pages a second until it is told to stop, which resolves to what came of them. */
function bringEvents(url, impressions) {
  const counts = { posted: 0, recorded: 0, failed: 0 };
  let isStopped = false;
  const run = async () => {
    while (!isStopped) {
      const due = sleep(everyMs);
      const page = impressions[counts.posted++ % impressions.length];
      try {
        const { status, recorded } = await post(url, eventsOf(page, Date.now()));
        if (status === 200) counts.recorded += recorded;
        else counts.failed++;
      } catch {
        counts.failed++;
      }
      await due;
    }
    return counts;
  };
  const ended = run();
  return async () => {
    isStopped = true;
    return ended;
  };
}

module.exports = { bringEarlier, bringEvents };
