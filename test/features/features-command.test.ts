import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';

const cli = path.resolve(__dirname, '../../dist/cli/main.js');

async function features(...args: string[]) {
  const { stdout } = await promisify(execFile)(process.execPath, [
    cli,
    'features',
    ...args,
    '--json',
  ]);
  return (JSON.parse(stdout) as { features: { name: string; reference: string }[] }).features;
}

test('lists the features of every feed in order, with their reference sets', async () => {
  const all = await features();
  expect(all[0]).toEqual({
    name: 'impressions_0.5h',
    source: 'impressions',
    transformation: 'log1p',
    reference: 'none',
  });
  const references = new Map(all.map(({ name, reference }) => [name, reference]));
  expect(references.get('ctr_48h')).toBe('none');
  expect(references.get('ctr_48h_vs_pool')).toBe('pool');
  expect(references.get('time_since_first_seen_vs_list')).toBe('list');
});

test('adds those of a dataset, with and without its files', async () => {
  const names = (await features('--dataset', 'ebnerd')).map(({ name }) => name);
  expect(names).toEqual(
    expect.arrayContaining(['ctr_2h_device', 'clicks_12h_surface', 'premium', 'hour']),
  );
  const simulated = (await features('--dataset', 'simulated')).map(({ name }) => name);
  expect(simulated).toEqual(expect.arrayContaining(['list_length']));
  expect(simulated.some((name) => name.startsWith('dot_'))).toBe(true);
});

test('an unknown dataset is wrong usage', async () => {
  await expect(features('--dataset', 'netflix')).rejects.toMatchObject({ code: 2 });
});
