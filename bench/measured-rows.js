'use strict';

const { writeFileSync } = require('node:fs');

const { describeMachine } = require('../dist/evaluation/machine');

/** Says on what machine figures were measured. */
function sayMachine() {
  const { node, cpu, cores, libtorch } = describeMachine();
  console.log(`${cpu}, ${cores} cores, Node.js ${node}, LibTorch ${libtorch}`);
}

/** Writes rows with the machine that they were measured on, where a file was asked for. */
function writeRows(file, rows) {
  if (file === undefined) return;
  writeFileSync(file, `${JSON.stringify({ machine: describeMachine(), rows }, null, 2)}\n`);
}

module.exports = { sayMachine, writeRows };
