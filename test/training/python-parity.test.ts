import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect } from '@jest/globals';

import { Bundle, train, type Calibration } from '../../src';
import { runPython, testWithPython } from '../support/python-torch';
import { temporaryFolder } from '../support/temporary-folder';
import { smallTowers, smallWorld } from './trained-towers';

const script = `
import json, sys, torch
folder = sys.argv[1]
manifest = json.load(open(folder + '/manifest.json'))
nan = float('nan')
def floats(value):
    if isinstance(value, list):
        return [floats(v) for v in value]
    return nan if value is None else value
def tensor(value, *shape):
    return torch.tensor(floats(value), dtype=torch.float32).reshape(*shape)
answer = {}
with torch.no_grad():
    inputs = json.load(open(folder + '/../inputs.json'))
    answer['ranker'] = torch.jit.load(folder + '/ranker.pt')(tensor(inputs, len(inputs), -1)).tolist()
    if 'towers' in manifest:
        golden = manifest['towers']['golden']
        item, user = golden['item'], golden['user']
        n, m, r = len(item['ids']), len(user['reads']), len(user['hours'][0])
        answer['items'] = torch.jit.load(folder + '/item-tower.pt')(
            torch.tensor(item['ids']), tensor(item['attributes'], n, -1),
            torch.tensor(item['categories']).reshape(n, -1)).tolist()
        answer['users'] = torch.jit.load(folder + '/user-tower.pt')(
            tensor(user['reads'], m, r, -1), tensor(user['hours'], m, r),
            tensor(user['present'], m, r), tensor(user['context'], m, -1)).tolist()
print(json.dumps(answer))
`;

const towers = { ...smallTowers, epochs: 2 };

for (const calibration of ['isotonic', 'platt', 'none'] satisfies Calibration[]) {
  testWithPython(
    `Python answers as a bundle does, to 1e-5, in every file: calibration ${calibration}`,
    async (python) => {
      const folder = temporaryFolder();
      const out = join(folder, 'bundle');
      await train({
        ...{ dataset: smallWorld(), out, calibration, epochs: 3 },
        network: { hidden: [32, 16], crossLayers: 1, members: 2 },
        ...(calibration === 'isotonic' ? { towers } : {}),
      }).result;
      await using bundle = await Bundle.open(out);
      const ranker = bundle.manifest.ranker!;
      // A thousand rows between the golden ones and beyond them.
      const { inputs } = ranker.golden;
      const rows = Array.from({ length: 1000 }, (_, i) =>
        inputs[i % inputs.length]!.map((value, f) =>
          Math.fround(value * (0.2 + 0.003 * ((i * 7 + f) % 1000))),
        ),
      );
      writeFileSync(join(folder, 'inputs.json'), JSON.stringify(rows));
      const answer = JSON.parse(runPython(python, ['-c', script, out])) as Answer;
      const scores = await bundle.ranker!.score(rows.flat());
      expectClose(answer.ranker.flat(), [...scores]);
      const { towers: stored } = bundle.manifest;
      if (calibration !== 'isotonic') return;
      expectClose(answer.items!.flat(), stored!.golden.item.outputs.flat());
      expectClose(answer.users!.flat(), stored!.golden.user.outputs.flat());
    },
  );
}

interface Answer {
  readonly ranker: number[][];
  readonly items?: number[][];
  readonly users?: number[][];
}

function expectClose(actual: readonly number[], expected: readonly number[]): void {
  expect(actual).toHaveLength(expected.length);
  const gaps = expected.map(
    (value, i) => Math.abs(value - actual[i]!) / Math.max(1, Math.abs(value)),
  );
  expect(Math.max(...gaps)).toBeLessThan(1e-5);
}
