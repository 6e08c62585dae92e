import path from 'node:path';
import { runChild } from '../support/child';
import { temporaryFolder } from '../support/temporary-folder';

test('requests do not wait for a model that is being loaded, not even with a single thread', async () => {
  const file = path.join(temporaryFolder(), 'wide.pt');
  const { code, out, err } = await runChild(`(async () => {
    const { readFileSync } = require('node:fs');
    const { binding } = require('./dist/binding');
    configure({ threads: 1 });
    const feed = await Feed.create({ catalog: await makeCatalog(100), ...stages(), profile });
    await feed.rank(query());
    const width = 600;
    const layer = (inputs, outputs) => ({
      inputs, outputs, weights: new Array(inputs * outputs).fill(0.001), bias: new Array(outputs).fill(0),
    });
    const layers = [layer(1, width), layer(width, width), layer(width, 1)];
    await saveScriptedNetwork({ mean: [0], scale: [1], layers }, ${JSON.stringify(file)});
    const order = [];
    const load = binding().loadModel({
      bytes: readFileSync(${JSON.stringify(file)}),
      name: 'wide.pt', features: 1, heads: [], precision: 'float32', compiled: false,
      device: 'cpu',
    }).then(() => order.push('model'));
    const rank = feed.rank(query()).then(() => order.push('slate'));
    await Promise.all([load, rank]);
    console.log(order.join(' '));
  })();`);
  expect({ code, out, err }).toEqual({ code: 0, out: 'slate model', err: '' });
});
