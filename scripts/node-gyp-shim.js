#!/usr/bin/env node
'use strict';

/**
 * What prebuildify runs in node-gyp's place. It asks for `rebuild --target=… --arch=… --release`;
 * Node-API needs no target version, so all that counts is to compile everything anew.
 */

const { buildAddon } = require('../lib/build-native.js');

buildAddon({ clean: true, log: (line) => console.log(line) }).catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
