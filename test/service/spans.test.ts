import { context, SpanStatusCode, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { traceRequests } from '../../src/opentelemetry';
import { requestBegan } from '../../src/feed/request-channel';
import { now } from '../support/world';
import { makeFeed } from './served-feed';

const exporter = new InMemorySpanExporter();

beforeEach(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  const spanProcessors = [new SimpleSpanProcessor(exporter)];
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors }));
});

afterEach(() => {
  trace.disable();
  context.disable();
  exporter.reset();
});

test('each ranking is a span under the one that is active, and says what happened', async () => {
  const feed = await makeFeed();
  const end = traceRequests();
  const tracer = trace.getTracer('service');
  await tracer.startActiveSpan('request', async (parent) => {
    await feed.rank({ now, profile: 'short' });
    await feed.rerank({ now }, ['item-1', 'item-2']);
    await feed.rank({ now, limit: -1 }).catch(() => undefined);
    parent.end();
  });
  end();
  await feed.rank({ now });
  const spans = exporter.getFinishedSpans();
  expect(spans.map(({ name }) => name)).toEqual([
    'feedrank.rank',
    'feedrank.rerank',
    'feedrank.rank',
    'request',
  ]);
  const [rank, rerank, failed, parent] = spans;
  for (const span of [rank, rerank, failed]) {
    expect(span!.parentSpanContext?.spanId).toBe(parent!.spanContext().spanId);
  }
  expect(rank!.attributes).toMatchObject({
    'feedrank.profile': 'short',
    'feedrank.items': 3,
    'feedrank.degraded': [],
    'feedrank.tier': 'full',
  });
  const stages = rank!.attributes['feedrank.stages'] as string[];
  expect(stages).toEqual(expect.arrayContaining(['fresh', 'seen', 'weighted-sum', 'top-n']));
  expect(rank!.attributes['feedrank.stage_ms']).toHaveLength(stages.length);
  expect(rank!.attributes['feedrank.candidates']).toBeGreaterThan(0);
  expect(failed!.status).toEqual({ code: SpanStatusCode.ERROR, message: 'INVALID_ARGUMENT' });
});

test('several users of tracing get one span a request, until the last of them ends', async () => {
  const feed = await makeFeed();
  const [first, second] = [traceRequests(), traceRequests()];
  await feed.rank({ now });
  expect(exporter.getFinishedSpans()).toHaveLength(1);
  first();
  first();
  await feed.rank({ now });
  expect(exporter.getFinishedSpans()).toHaveLength(2);
  second();
  await feed.rank({ now });
  expect(exporter.getFinishedSpans()).toHaveLength(2);
});

test('where no SDK is registered nothing is recorded, and where nobody listens nothing is told', async () => {
  trace.disable();
  const feed = await makeFeed();
  const end = traceRequests();
  await feed.rank({ now });
  expect(exporter.getFinishedSpans()).toEqual([]);
  end();
  expect(requestBegan.hasSubscribers).toBe(false);
});
