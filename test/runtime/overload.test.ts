import { runChild } from '../support/child';

test('far beyond capacity every request settles, and the feed recovers', async () => {
  const { code, out, err } = await runChild(`
    (async () => {
      configure({ threads: 2 });
      const catalog = await makeCatalog();
      const feed = await Feed.create({ catalog, ...stages(), profile });
      for (let i = 0; i < 20; i++) await feed.rank(query(i));
      const asked = Array.from({ length: 400 }, (_, i) => feed.rank({ ...query(i), budgetMs: 3 }));
      // Writes have their turn meanwhile.
      const written = catalog.upsert([{ id: 1e6, publishTime: now, columns: {}, embeddings: {} }]);
      const settled = await Promise.allSettled(asked);
      await written;
      const errors = settled.filter((one) => one.status === 'rejected').map((one) => one.reason);
      const answers = settled.filter((one) => one.status === 'fulfilled').map((one) => one.value);
      const after = await feed.rank(query());
      process.stdout.write(JSON.stringify({
        settled: settled.length,
        refused: errors.length,
        answered: answers.filter((slate) => slate.items.length === 50).length,
        codes: [...new Set(errors.map((error) => error.code + ' ' + error.argument))],
        retries: errors.every((error) => Number.isInteger(error.retryAfterMs) && error.retryAfterMs >= 1),
        degraded: after.degraded,
        seesWrite: after.items.some(({ id }) => id === 1e6) || catalog.has(1e6),
      }));
    })();
  `);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  const result = JSON.parse(out) as Record<string, number>;
  expect(result).toMatchObject({
    settled: 400,
    codes: ['OVERLOADED budgetMs'],
    retries: true,
    degraded: [],
    seesWrite: true,
  });
  expect(result['refused']).toBeGreaterThan(0);
  expect(result['answered']).toBeGreaterThan(0);
  expect(result['answered']! + result['refused']!).toBe(400);
});
