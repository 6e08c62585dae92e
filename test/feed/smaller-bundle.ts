import path from 'node:path';
import { readFileSync } from 'node:fs';
import { Bundle, saveScriptedNetwork, type FeatureDefinition } from '../../src';
import { writeBundle } from '../../src/bundles/write-bundle';
import { temporaryFolder } from '../support/temporary-folder';

const definitions = {
  quality: { name: 'quality', source: 'column', column: 'quality' },
  length: { name: 'length', source: 'column', column: 'length' },
  age: { name: 'age', source: 'age', transformation: 'log1p' },
  /** Of a column that the tests' catalogs have not. */
  absent: { name: 'absent', source: 'column', column: 'absent' },
  listed: { name: 'listed', source: 'column', column: 'quality', reference: 'list' },
} satisfies Record<string, FeatureDefinition>;

/** A bundle whose ranker adds up these features, behind `width` hidden units that do nothing. */
export async function sumBundle(
  weights: Partial<Record<keyof typeof definitions, number>>,
  width = 0,
): Promise<string> {
  const names = Object.keys(weights) as (keyof typeof definitions)[];
  const inputs = names.length;
  // relu(x) − relu(−x) = x, so that the sum passes through the hidden layers unchanged.
  const outputs = 2 + width;
  const first = new Float32Array(inputs * outputs);
  names.forEach((name, i) => {
    first[i] = weights[name]!;
    first[inputs + i] = -weights[name]!;
  });
  const second = new Float32Array(outputs * outputs);
  second[0] = 1;
  second[outputs + 1] = 1;
  const last = new Float32Array(outputs);
  last[0] = 1;
  last[1] = -1;
  const layers = [
    { inputs, outputs, weights: first, bias: new Float32Array(outputs) },
    { inputs: outputs, outputs, weights: second, bias: new Float32Array(outputs) },
    { inputs: outputs, outputs: 1, weights: last, bias: Float32Array.of(0) },
  ].map((layer) => ({ ...layer, weights: [...layer.weights], bias: [...layer.bias] }));
  const file = path.join(temporaryFolder(), 'sum.pt');
  const zeros = names.map(() => 0);
  await saveScriptedNetwork({ mean: zeros, scale: names.map(() => 1), layers }, file);
  const folder = path.join(temporaryFolder(), 'bundle');
  const row = names.map((_, i) => i + 1);
  const sum = names.reduce((total, name, i) => total + weights[name]! * row[i]!, 0);
  await writeBundle(folder, {
    ranker: {
      bytes: readFileSync(file),
      features: names.map((name) => definitions[name]),
      heads: [{ name: 'sum', weight: 1 }],
      golden: { inputs: [zeros, row], outputs: [[0], [sum]] },
    },
    training: {},
    data: {},
    metrics: {},
  });
  await (await Bundle.open(folder))[Symbol.asyncDispose]();
  return folder;
}
