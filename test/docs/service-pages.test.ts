import { readFileSync } from 'node:fs';
import path from 'node:path';
import { ask, makeFeed, serve } from '../service/served-feed';
import { runPage } from './run-page';

const docs = path.resolve(__dirname, '../../docs');

test('docs/quick-start.md gets to a first slate in at most 12 lines, and then learns', async () => {
  const page = readFileSync(path.join(docs, 'quick-start.md'), 'utf8');
  const first = /```js\n([\s\S]*?)```/.exec(page)![1]!;
  expect(first.trim().split('\n').length).toBeLessThanOrEqual(12);
  const { blocks, stdout, stderr } = await runPage('quick-start.md');
  expect(blocks).toBe(2);
  expect(stderr).toBe('');
  const lines = stdout.trim().split('\n');
  expect(stdout.indexOf("id: 'final'")).toBeGreaterThan(0);
  expect(stdout.indexOf("id: 'final'")).toBeLessThan(stdout.indexOf("id: 'budget'"));
  expect(lines.slice(-2)).toEqual(['for others: budget, final', 'for who has read it: final']);
});

test('the blocks of docs/embedding.md are one program that serves and ranks as the page says', async () => {
  const { blocks, stdout, stderr } = await runPage('embedding.md', ['fastify']);
  expect(blocks).toBe(5);
  expect(stderr).toBe('');
  expect(stdout.trim().split('\n')).toEqual([
    '200 final, budget 0',
    '401 UNAUTHORIZED',
    "[ 'final', 'budget' ]",
    'in a worker: final, budget',
  ]);
});

test('the blocks of docs/operations.md run, and every metric that the page names is there', async () => {
  const { blocks, stdout, stderr } = await runPage('operations.md');
  expect(blocks).toBe(1);
  expect(stderr).toBe('');
  expect(stdout.trim().split('\n')).toEqual(['feedrank_catalog_items 1', '1']);
  const page = readFileSync(path.join(docs, 'operations.md'), 'utf8');
  const named = new Set(
    [...page.matchAll(/^\| (`feedrank_.*?) +\| (?:gauge|counter|histogram)/gm)].flatMap((row) =>
      [...row[1]!.matchAll(/`(feedrank_\w+)`/g)].map((match) => match[1]!),
    ),
  );
  const { url } = await serve({ plugin: { feed: await makeFeed() } });
  const text = (await ask(url, 'GET', '/metrics')).body as string;
  const registered = [...text.matchAll(/^# TYPE (\w+) /gm)].map((match) => match[1]!);
  expect([...named].sort()).toEqual(registered.sort());
});
