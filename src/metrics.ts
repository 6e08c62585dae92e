/**
 * Metrics of a feed for Prometheus. Apart from the package's main entry, because prom-client is for
 * those who measure alone.
 * @packageDocumentation
 */
export { FeedMetrics, type FeedMetricsOptions } from './telemetry/feed-metrics';
