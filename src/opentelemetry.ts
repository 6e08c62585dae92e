/**
 * Spans of rankings, through `@opentelemetry/api` where it is installed.
 * @packageDocumentation
 */
export { traceRequests } from './telemetry/trace-requests';
