'use strict';

// How requests and answers of bench/budget.js look on the socket.

const tiers = ['full', 'smaller', 'decayed-dot', 'merged-order'];
const requestBytes = 16;
const headBytes = 20;
const refusedTier = 255;

/** One clock for both processes. */
const epochMs = () => performance.timeOrigin + performance.now();

/** A request: its number, which query it asks, and when it was due. */
function requestOf(number, query, dueMs) {
  const bytes = Buffer.allocUnsafe(requestBytes);
  bytes.writeUInt32LE(number, 0);
  bytes.writeUInt32LE(query, 4);
  bytes.writeDoubleLE(dueMs, 8);
  return bytes;
}

function answerBytes(number, { refused = false, tier = 0, ranked = 0, quality = 1, ids }) {
  const bytes = Buffer.allocUnsafe(headBytes + 4 * ids.length);
  bytes.writeUInt32LE(number, 0);
  bytes.writeUInt32LE(ids.length, 4);
  bytes.writeUInt32LE(refused ? refusedTier : tier, 8);
  bytes.writeUInt32LE(ranked, 12);
  bytes.writeFloatLE(quality, 16);
  ids.forEach((id, i) => bytes.writeUInt32LE(id, headBytes + 4 * i));
  return bytes;
}

/** The answers in what has come so far, and the bytes of the one that is not whole yet. */
function readAnswers(bytes) {
  const answers = [];
  let at = 0;
  while (bytes.length - at >= headBytes) {
    const count = bytes.readUInt32LE(at + 4);
    const end = at + headBytes + 4 * count;
    if (bytes.length < end) break;
    const tier = bytes.readUInt32LE(at + 8);
    answers.push({
      number: bytes.readUInt32LE(at),
      refused: tier === refusedTier,
      tier,
      ranked: bytes.readUInt32LE(at + 12),
      quality: bytes.readFloatLE(at + 16),
      ids: Array.from({ length: count }, (_, i) => bytes.readUInt32LE(at + headBytes + 4 * i)),
    });
    at = end;
  }
  return { answers, rest: bytes.subarray(at) };
}

module.exports = { answerBytes, epochMs, readAnswers, requestBytes, requestOf, tiers };
