'use strict';

const fs = require('node:fs');

const MACHINES = /** @type {Record<number, string>} */ ({ 3: 'x86', 62: 'x64', 183: 'arm64' });

/**
 * Why code that is compiled here cannot link with LibTorch's base library, told from the file
 * itself: opening a library of another machine or C++ interface says little, or fails later.
 * @param {string} file path of libc10.so
 * @returns {string | undefined} `undefined` where it can
 */
function binaryProblem(file) {
  const bytes = fs.readFileSync(file);
  if (bytes.length < 64 || bytes.readUInt32BE(0) !== 0x7f454c46) {
    return 'its libc10.so is not a shared library of Linux';
  }
  const machine = bytes.readUInt16LE(18);
  if (machine !== 62) {
    return `its libc10.so is for ${MACHINES[machine] ?? `machine ${machine}`}, and x64 is needed`;
  }
  // GCC writes the C++11 strings' namespace into the name of every function that takes one.
  if (!bytes.includes('__cxx11')) {
    return 'it was built with the C++ interface from before C++11 (_GLIBCXX_USE_CXX11_ABI=0)';
  }
  return undefined;
}

module.exports = { binaryProblem };
