import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from '@jest/globals';

import { temporaryFolder } from '../support/temporary-folder';
import { trainSmall } from './trained-towers';

const python = process.env['FEEDRANK_TEST_PYTHON'] ?? 'python3';
const hasTorch = spawnSync(python, ['-c', 'import torch'], { timeout: 60_000 }).status === 0;

const script = `
import json, sys, torch
folder = sys.argv[1]
golden = json.load(open(folder + '/golden.json'))
nan = float('nan')
def floats(value):
    if isinstance(value, list):
        return [floats(v) for v in value]
    return nan if value is None else value
def tensor(value, *shape):
    return torch.tensor(floats(value), dtype=torch.float32).reshape(*shape)
item, user = golden['item'], golden['user']
n, m = len(item['ids']), len(user['reads'])
itemTower = torch.jit.load(folder + '/item-tower.pt')
userTower = torch.jit.load(folder + '/user-tower.pt')
r = len(user['hours'][0])
with torch.no_grad():
    items = itemTower(torch.tensor(item['ids']), tensor(item['attributes'], n, -1), torch.tensor(item['categories']).reshape(n, -1))
    users = userTower(tensor(user['reads'], m, r, -1), tensor(user['hours'], m, r), tensor(user['present'], m, r), tensor(user['context'], m, -1))
print(json.dumps({'items': items.tolist(), 'users': users.tolist()}))
`;

(hasTorch ? describe : describe.skip)(
  `both towers in Python${hasTorch ? '' : ` (skipped: ${python} has no torch; FEEDRANK_TEST_PYTHON names one)`}`,
  () => {
    it('answer within 1e-5 of what was stored with them', async () => {
      const trained = await trainSmall({ epochs: 2 });
      const folder = temporaryFolder();
      writeFileSync(join(folder, 'item-tower.pt'), trained.itemTower);
      writeFileSync(join(folder, 'user-tower.pt'), trained.userTower);
      writeFileSync(join(folder, 'golden.json'), JSON.stringify(trained.golden));
      const run = spawnSync(python, ['-c', script, folder], { encoding: 'utf8', timeout: 120_000 });
      expect(run.stderr).toBe('');
      const answer = JSON.parse(run.stdout) as { items: number[][]; users: number[][] };
      expectClose(answer.items, trained.golden.item.outputs);
      expectClose(answer.users, trained.golden.user.outputs);
    }, 180_000);
  },
);

function expectClose(actual: number[][], expected: number[][]): void {
  expect(actual).toHaveLength(expected.length);
  const gaps = expected.flatMap((row, i) =>
    row.map((value, d) => Math.abs(value - actual[i]![d]!)),
  );
  expect(gaps.length).toBeGreaterThan(0);
  expect(Math.max(...gaps)).toBeLessThan(1e-5);
}
