'use strict';

const { once } = require('node:events');
const { createWriteStream } = require('node:fs');
const { simulateFeed } = require('../../dist/data/simulated-feed');

/** Readers' pages from the world's last hours: who asks, and what was shown and clicked then. */
const pages = 5_000;

/**
 * The world that `feedrank train --dataset simulated` learns from, with more items and readers, moved
 * in time so that it ends now.
 */
async function makeWorld(items) {
  const world = simulateFeed({ seed: 1, items, users: 10_000, validationImpressions: 6 * pages });
  const impressions = [];
  for await (const impression of world.impressions('validation')) impressions.push(impression);
  const shift = Date.now() - impressions.at(-1).at;
  return {
    items: world.items.map(({ id, publishTime, author, topics, labels, columns, embeddings }) => ({
      ...{ id, publishTime: publishTime + shift, author, topics, labels, columns, embeddings },
    })),
    impressions: impressions.slice(-pages),
  };
}

async function writeLines(file, values) {
  const stream = createWriteStream(file);
  for (const value of values) {
    if (!stream.write(`${JSON.stringify(value)}\n`)) await once(stream, 'drain');
  }
  stream.end();
  await once(stream, 'finish');
}

/** The body of `POST /rank` by which the reader of a page asks for another one. */
function queryOf({ userId, userVectors, context }) {
  return { userId, userVector: userVectors, context };
}

/** What happened on a page, as if it were `at`. */
function eventsOf({ userId, itemIds, clickedIds, outcome }, at) {
  const dwellMs = outcome?.dwellMs;
  return [
    ...itemIds.map((itemId) => ({ type: 'impression', userId, itemId, at })),
    ...clickedIds.map((itemId) => ({ type: 'click', userId, itemId, at })),
    ...(dwellMs === undefined
      ? []
      : [{ type: 'dwell', userId, itemId: clickedIds[0], at, dwellMs }]),
  ];
}

module.exports = { eventsOf, makeWorld, queryOf, writeLines };
