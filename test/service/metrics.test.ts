import { Registry } from 'prom-client';
import { Bundle, type Feed } from '../../src';
import { FeedMetrics } from '../../src/metrics';
import { sumBundle } from '../feed/smaller-bundle';
import { now, unhurried } from '../support/world';
import { makeFeed, serve } from './served-feed';

/** The value of one sample, by its name and labels as they are written. */
function sample(text: string, name: string): number | undefined {
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${name} `));
  return line === undefined ? undefined : Number(line.slice(name.length + 1));
}

test('requests, stages, degradations and refusals are counted, over HTTP and beside it', async () => {
  const slow = { name: 'slow', filter: () => new Promise<boolean[]>(() => undefined) };
  const feed = await makeFeed({ filters: [slow], profile: { ...unhurried, stageBudgetMs: 5 } });
  const { ask } = await serve({ plugin: { feed } });
  await ask('POST', '/rank', { now });
  await ask('POST', '/rerank', { now, ids: ['item-1'] });
  await feed.rank({ now });
  await feed.rank({ now, limit: -1 }).catch(() => undefined);
  const { body, headers } = await ask('GET', '/metrics');
  const text = body as string;
  expect(headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
  const request = 'feedrank_request_duration_seconds_count';
  expect(sample(text, `${request}{operation="rank",outcome="degraded"}`)).toBe(2);
  expect(sample(text, `${request}{operation="rerank",outcome="full"}`)).toBe(1);
  expect(sample(text, `${request}{operation="rank",outcome="failed"}`)).toBe(1);
  expect(sample(text, 'feedrank_refusals_total{code="INVALID_ARGUMENT"}')).toBe(1);
  expect(sample(text, 'feedrank_degradations_total{stage="slow",reason="deadline"}')).toBe(2);
  const stage = 'feedrank_stage_duration_seconds_count{stage="fresh",kind="generator"}';
  expect(sample(text, stage)).toBe(2);
  expect(sample(text, 'feedrank_queue_wait_seconds_count')).toBe(3);
  const http = 'feedrank_http_request_duration_seconds_count';
  expect(sample(text, `${http}{method="POST",route="/rank",status="200"}`)).toBe(1);
});

test('gauges say what the feed, its catalog and the process hold', async () => {
  const { ask, feed } = await serve();
  const { body } = await ask('GET', '/metrics');
  const text = body as string;
  expect(sample(text, 'feedrank_catalog_items')).toBe(40);
  expect(sample(text, 'feedrank_catalog_bytes')).toBe(feed.catalog.bytes);
  expect(sample(text, 'feedrank_users')).toBe(0);
  expect(sample(text, 'feedrank_counter_bytes')).toBe(feed.stats.counterBytes);
  expect(sample(text, 'feedrank_queued_requests')).toBe(0);
  expect(sample(text, 'feedrank_queue_limit')).toBeGreaterThan(0);
  expect(sample(text, 'feedrank_event_loop_delay_seconds{quantile="0.99"}')).toBeGreaterThanOrEqual(
    0,
  );
  expect(text).toMatch(/^feedrank_info\{version="[\d.]+",libtorch="2\.[\d.]+.*"\} 1$/m);
  await feed.record(
    [
      {
        type: 'impression',
        userId: 'r',
        itemId: 'item-0',
        at: now,
        segments: { device: 'mobile' },
      },
      { type: 'click', userId: 'r', itemId: 'item-0', at: now, segments: { device: 'mobile' } },
      {
        type: 'impression',
        userId: 's',
        itemId: 'item-0',
        at: now,
        segments: { device: 'desktop' },
      },
    ],
    { now },
  );
  const later = (await ask('GET', '/metrics')).body as string;
  expect(sample(later, 'feedrank_users')).toBe(2);
  const gap = 'feedrank_slice_gap{by="segment",name="device",measure="clickThroughRate"}';
  expect(sample(later, gap)).toBeCloseTo(1, 6);
});

test('reasons that hold words of an error become one word, whatever it says', async () => {
  const failing = {
    name: 'failing',
    filter: () => {
      throw new Error(`request ${Math.random()} "}\nforged 1`);
    },
  };
  const feed = await makeFeed({ filters: [failing] });
  const metrics = new FeedMetrics({ feed });
  for (let i = 0; i < 3; i++) await feed.rank({ now });
  const text = await metrics.text();
  const lines = text.split('\n').filter((line) => line.startsWith('feedrank_degradations_total{'));
  expect(lines).toEqual(['feedrank_degradations_total{stage="failing",reason="failed"} 3']);
  expect(text).not.toMatch(/^forged/m);
  metrics.dispose();
});

test('a registry of the service takes the metrics of one feed, and what is disposed of is not counted', async () => {
  const registry = new Registry();
  const [feed, other] = [await makeFeed(), await makeFeed()];
  const metrics = new FeedMetrics({ feed, registry });
  expect(metrics.registry).toBe(registry);
  await feed.rank({ now });
  await other.rank({ now });
  const name = 'feedrank_request_duration_seconds_count{operation="rank",outcome="full"}';
  expect(sample(await registry.metrics(), name)).toBe(1);
  metrics.dispose();
  await feed.rank({ now });
  expect(sample(await registry.metrics(), name)).toBe(1);
  feed.dispose();
  expect(sample(await registry.metrics(), 'feedrank_users')).toBeUndefined();
  expect(() => new FeedMetrics({ feed: {} as Feed })).toThrow(
    expect.objectContaining({ code: 'INVALID_ARGUMENT', argument: 'feed' }) as Error,
  );
});

test('bundles that the feed ranks by are told of as swaps replace them, and others as they were given', async () => {
  const folders = [await sumBundle({ quality: 1 }), await sumBundle({ quality: 2 })];
  const [one, two, three] = [
    await Bundle.open(folders[0]!),
    await Bundle.open(folders[1]!),
    await Bundle.open(await sumBundle({ length: 1 })),
  ];
  const feed = await makeFeed({ ranker: undefined, bundle: folders[0]!, bundles: { next: two } });
  const { ask } = await serve({
    plugin: { feed, bundles: { served: one, next: two, elsewhere: three } },
  });
  const told = async (): Promise<Record<string, string>> => {
    const text = (await ask('GET', '/metrics')).body as string;
    const rows = text.matchAll(
      /^feedrank_bundle_info\{bundle="(\w+)",checksum="(\w+)",created_at="(.+)"\} 1$/gm,
    );
    return Object.fromEntries([...rows].map(([, name, ...of]) => [name!, of.join(' ')] as const));
  };
  const as = ({ manifest }: Bundle): string => `${manifest.checksum} ${manifest.createdAt}`;
  expect(await told()).toEqual({ served: as(one), next: as(two), elsewhere: as(three) });
  await feed.swapBundle(folders[1]!);
  expect(await told()).toEqual({ served: as(two), next: as(two), elsewhere: as(three) });
  await feed.swapBundle(three, { name: 'next' });
  expect(await told()).toEqual({ served: as(two), next: as(three), elsewhere: as(three) });
  feed.dispose();
  expect(await told()).toEqual({ served: as(two), next: as(three), elsewhere: as(three) });
  for (const bundle of [one, two, three]) bundle.dispose();
});
