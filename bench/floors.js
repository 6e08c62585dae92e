'use strict';

const { task } = require('./end-to-end/task');

const items = 1_000_000;
const dimensions = 64;
const vectorBytes = items * dimensions * 4;
const { candidates, features } = task;
const rankerOperations = 2 * candidates * (features * 512 + 512 * 256 + 256);

/**
 * The least time (ms) that a row's work can take on this machine as the `machine` row measured it:
 * every vector read once as float32, every multiplication and addition at the rate of one core.
 * Codes of fewer bytes, bounds that stop a scan and matrix units (AMX) can go below it.
 */
function floorOf(id, machine) {
  const oneThread = vectorBytes / machine.gigabytesPerSecond / 1e6;
  const twoThreads = vectorBytes / machine.gigabytesPerSecondOfTwoThreads / 1e6;
  const multiply = (operations, cores = 1) =>
    operations / (cores * machine.gigaflopsOfOneCore) / 1e6;
  const gather = (candidates * features * 4) / machine.gigabytesPerSecond / 1e6;
  switch (id) {
    case 'retrieval-1q1t':
    case 'retrieval-10tau':
    case 'retrieval-worst':
      return Math.max(oneThread, multiply(2 * items * dimensions));
    case 'retrieval-8q2t':
      return Math.max(twoThreads, multiply(2 * items * dimensions * 8, 2));
    case 'ranker-fp32':
      return multiply(rankerOperations);
    case 'ranker-bf16':
      return multiply(rankerOperations / 2);
    case 'end-to-end-npm':
    case 'end-to-end-python':
      return oneThread + gather + multiply(rankerOperations);
    default:
      return null;
  }
}

module.exports = { floorOf };
