'use strict';

// onnxruntime-node: one forward pass of the ranker, on one thread.

const path = require('node:path');
const { parseArgs } = require('node:util');
const { InferenceSession, Tensor } = require('onnxruntime-node');
const { readValues } = require('./data-set');
const { serveRounds } = require('./rounds');
const { versionOf } = require('./version-of');

const { values } = parseArgs({ options: { data: { type: 'string' } } });

async function main() {
  const session = await InferenceSession.create(path.join(values.data, 'ranker.onnx'), {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
  });
  const features = readValues(path.join(values.data, 'ranker.features'), Float32Array);
  const input = new Tensor('float32', features, [features.length / 128, 128]);
  const forward = async () => (await session.run({ features: input })).scores.data;
  await serveRounds(
    forward,
    { versions: { onnxruntimeNode: versionOf('onnxruntime-node') } },
    async () => ({ scores: Array.from((await forward()).subarray(0, 64)) }),
  );
}

main();
