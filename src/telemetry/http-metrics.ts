import { Histogram, type Registry } from 'prom-client';

/** How long the routes of a service take, for Prometheus. */
export class HttpMetrics {
  readonly #durations: Histogram<'method' | 'route' | 'status'>;

  constructor(registry: Registry) {
    this.#durations = new Histogram({
      name: 'feedrank_http_request_duration_seconds',
      help: 'From the first byte of a request to the last of its answer.',
      labelNames: ['method', 'route', 'status'],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.25, 1, 5],
      registers: [registry],
    });
  }

  /** `route` is the pattern, of which there are few, and not the path. */
  observe(method: string, route: string, status: number, milliseconds: number): void {
    this.#durations.observe({ method, route, status }, milliseconds / 1000);
  }
}
