import type * as OpenTelemetry from '@opentelemetry/api';
import { FeedrankError } from '../errors';
import { requestBegan, requestEnded, type RequestMessage } from '../feed/request-channel';
import type { Slate } from '../feed/slate';

/**
 * Makes a span of every rank and rerank of this thread, under the caller's active span: `feedrank.rank`
 * with the profile, the counts of candidates and items, what was degraded, and what each stage took.
 * Without `@opentelemetry/api`, or while no SDK is registered, nothing is recorded. Whoever
 * calls it several times gets one span a request, until all of what it returned has been called.
 */
export function traceRequests(): () => void {
  if (users === 0) endTracing = startTracing();
  users++;
  let hasEnded = false;
  return () => {
    if (hasEnded) return;
    hasEnded = true;
    users--;
    if (users === 0) endTracing();
  };
}

let users = 0;
let endTracing: () => void = () => undefined;

function startTracing(): () => void {
  const api = openTelemetry();
  if (api === undefined) return () => undefined;
  const tracer = api.trace.getTracer('feedrank');
  const spans = new WeakMap<RequestMessage, OpenTelemetry.Span>();
  const began = (message: unknown): void => {
    const { kind } = message as RequestMessage;
    const span = tracer.startSpan(`feedrank.${kind}`);
    if (span.isRecording()) spans.set(message as RequestMessage, span);
  };
  const ended = (message: unknown): void => {
    const { slate, error } = message as RequestMessage;
    const span = spans.get(message as RequestMessage);
    if (span === undefined) return;
    if (slate === undefined) {
      const code = error instanceof FeedrankError ? error.code : 'INTERNAL';
      span.setAttribute('error.type', code);
      span.setStatus({ code: api.SpanStatusCode.ERROR, message: code });
    } else {
      span.setAttributes(attributesOf(slate));
    }
    span.end();
  };
  requestBegan.subscribe(began);
  requestEnded.subscribe(ended);
  return () => {
    requestBegan.unsubscribe(began);
    requestEnded.unsubscribe(ended);
  };
}

/** The API, where the service has it: an optional peer. */
function openTelemetry(): typeof OpenTelemetry | undefined {
  try {
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- It need not be installed.
    return require('@opentelemetry/api') as typeof OpenTelemetry;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND') return undefined;
    throw error;
  }
}

function attributesOf({ profile, items, degraded, epoch, trace }: Slate): OpenTelemetry.Attributes {
  const { budget, stages, queueMs, nativeMs } = trace;
  return {
    'feedrank.profile': profile,
    'feedrank.epoch': epoch,
    'feedrank.items': items.length,
    'feedrank.candidates': budget.ranked,
    'feedrank.tier': budget.tier,
    'feedrank.budget_ms': budget.budgetMs,
    'feedrank.queue_ms': queueMs,
    'feedrank.native_ms': nativeMs,
    'feedrank.degraded': degraded.map(({ stage, reason }) => `${stage}: ${reason}`),
    // Position i of each is stage i.
    'feedrank.stages': stages.map(({ name }) => name),
    'feedrank.stage_ms': stages.map(({ ms }) => ms),
  };
}
