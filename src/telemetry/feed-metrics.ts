import { monitorEventLoopDelay, type IntervalHistogram } from 'node:perf_hooks';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Bundle } from '../bundles/bundle';
import { FeedrankError, invalidArgument } from '../errors';
import { Feed } from '../feed/feed';
import { requestEnded, type RequestMessage } from '../feed/request-channel';
import type { SliceGaps } from '../feed/slices';
import { runtimeStatus } from '../runtime';
import { checkObject } from '../validation';

/** Options of {@link FeedMetrics}. */
export interface FeedMetricsOptions {
  readonly feed: Feed;
  /** Where the metrics are registered; one feed a registry. Defaults to a new `Registry`. */
  readonly registry?: Registry;
  /**
   * Bundles that `feedrank_bundle_info` is to tell of, by what you call them. Where the feed ranks by
   * one of them, its name stands for whatever a swap puts in its place. Defaults to none.
   */
  readonly bundles?: Readonly<Record<string, Bundle>>;
}

/** Seconds: from what one stage takes to what nobody waits for. */
const buckets = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.25, 1, 5,
];

/** Milliseconds between the timers whose lateness is the delay of the event loop. */
const timerMs = 10;

const gapNames = ['clickThroughRate', 'exposureShare', 'meanScore', 'scoreDisparity'] as const;

/**
 * What a feed does, for Prometheus: how long requests and their stages take, what was left out and
 * why, what was refused, how full the queue and the memory are, which bundle ranks, how far slices
 * of readers and items lie apart, and how late the event loop is. Sees every request of this thread
 * to the feed, whoever made it, until {@link FeedMetrics.dispose}.
 */
export class FeedMetrics {
  readonly registry: Registry;
  readonly #feed: Feed;
  readonly #requests: Histogram<'operation' | 'outcome'>;
  readonly #stages: Histogram<'stage' | 'kind'>;
  readonly #queueWait: Histogram;
  readonly #degradations: Counter<'stage' | 'reason'>;
  readonly #refusals: Counter<'code'>;
  readonly #eventLoop: IntervalHistogram;
  readonly #listen = (message: unknown): void => this.#observe(message as RequestMessage);

  /** Begins to listen. Throws `INVALID_ARGUMENT`. */
  constructor(options: FeedMetricsOptions) {
    const {
      feed,
      registry = new Registry(),
      bundles = {},
    } = checkObject(options, 'options') as unknown as FeedMetricsOptions;
    if (!(feed instanceof Feed)) throw invalidArgument('feed', 'a Feed', feed);
    this.#feed = feed;
    this.registry = registry;
    const registers = [registry];
    this.#requests = new Histogram({
      name: 'feedrank_request_duration_seconds',
      help: 'From the call of rank or rerank to its end; outcome is full, degraded, refused or failed.',
      labelNames: ['operation', 'outcome'],
      buckets,
      registers,
    });
    this.#stages = new Histogram({
      name: 'feedrank_stage_duration_seconds',
      help: 'What one stage of a request took.',
      labelNames: ['stage', 'kind'],
      buckets,
      registers,
    });
    this.#queueWait = new Histogram({
      name: 'feedrank_queue_wait_seconds',
      help: 'How long a request waited for a native thread.',
      buckets,
      registers,
    });
    this.#degradations = new Counter({
      name: 'feedrank_degradations_total',
      help: 'Stages that took no part, or not in full, by the first word of the reason.',
      labelNames: ['stage', 'reason'],
      registers,
    });
    this.#refusals = new Counter({
      name: 'feedrank_refusals_total',
      help: 'Requests to the feed that were rejected, by code.',
      labelNames: ['code'],
      registers,
    });
    this.#eventLoop = monitorEventLoopDelay({ resolution: timerMs });
    this.#eventLoop.enable();
    this.#addGauges();
    this.#addVersions();
    this.#addBundles(bundles);
    requestEnded.subscribe(this.#listen);
  }

  /** The metrics in Prometheus's text format. */
  text(): Promise<string> {
    return this.registry.metrics();
  }

  /** The type of {@link FeedMetrics.text}, as a header. */
  get contentType(): string {
    return this.registry.contentType;
  }

  /** Stops listening. What was counted stays in the registry. */
  dispose(): void {
    requestEnded.unsubscribe(this.#listen);
    this.#eventLoop.disable();
  }

  #observe({ feed, kind, ms, slate, error }: RequestMessage): void {
    if (feed !== this.#feed) return;
    if (slate === undefined) {
      const code = error instanceof FeedrankError ? error.code : 'INTERNAL';
      this.#refusals.inc({ code });
      const outcome = code === 'OVERLOADED' ? 'refused' : 'failed';
      this.#requests.observe({ operation: kind, outcome }, ms / 1000);
      return;
    }
    const outcome = slate.degraded.length === 0 ? 'full' : 'degraded';
    this.#requests.observe({ operation: kind, outcome }, ms / 1000);
    this.#queueWait.observe(slate.trace.queueMs / 1000);
    for (const { name, kind, ms } of slate.trace.stages) {
      this.#stages.observe({ stage: name, kind }, ms / 1000);
    }
    for (const { stage, reason } of slate.degraded) {
      this.#degradations.inc({ stage, reason: firstWord(reason) });
    }
  }

  #addGauges(): void {
    const feed = this.#feed;
    this.#gauge('feedrank_queued_requests', 'Requests that wait for a native thread.', () => {
      return runtimeStatus().queued;
    });
    this.#gauge('feedrank_queue_limit', 'Requests that may wait before others are refused.', () => {
      return runtimeStatus().queueLimit;
    });
    this.#gauge('feedrank_native_threads', 'Native threads of the process.', () => {
      return runtimeStatus().threads;
    });
    this.#gauge('feedrank_users', 'Readers that are remembered.', () => feed.stats.users);
    this.#gauge('feedrank_user_bytes', 'Native memory that readers take.', () => {
      return feed.stats.userBytes;
    });
    this.#gauge('feedrank_counter_bytes', 'Native memory that counters take.', () => {
      return feed.stats.counterBytes;
    });
    this.#gauge('feedrank_catalog_items', 'Items of the catalog.', () => feed.catalog.size);
    this.#gauge('feedrank_catalog_bytes', 'Native memory that the catalog takes.', () => {
      return feed.catalog.bytes;
    });
    this.#gauge('feedrank_catalog_epoch', 'Rises with every write to the catalog.', () => {
      return feed.catalog.epoch;
    });
    this.#addEventLoopDelay();
    this.#addSliceGaps();
  }

  /** A gauge that is read when it is asked for, and left out where it cannot be. */
  #gauge(name: string, help: string, read: () => number): void {
    new Gauge({
      name,
      help,
      registers: [this.registry],
      collect() {
        ifAlive(
          () => this.set(read()),
          () => this.remove(),
        );
      },
    });
  }

  #addEventLoopDelay(): void {
    const delay = this.#eventLoop;
    new Gauge({
      name: 'feedrank_event_loop_delay_seconds',
      help: 'How late timers of this thread were since they were last asked for.',
      labelNames: ['quantile'],
      registers: [this.registry],
      collect() {
        for (const percentile of [50, 99, 100]) {
          // What Node measures is from one timer to the next.
          const late = delay.count === 0 ? 0 : delay.percentile(percentile) / 1e9 - timerMs / 1000;
          this.set({ quantile: String(percentile / 100) }, Math.max(0, late));
        }
        delay.reset();
      },
    });
  }

  #addSliceGaps(): void {
    const feed = this.#feed;
    new Gauge({
      name: 'feedrank_slice_gap',
      help: 'Highest minus lowest value of a segment of readers or a group of items, by measure.',
      labelNames: ['by', 'name', 'measure'],
      registers: [this.registry],
      collect() {
        this.reset();
        ifAlive(() => {
          const { segments, groups } = feed.slices();
          const add = (by: string, name: string, gaps: SliceGaps) => {
            for (const measure of gapNames) {
              const gap = gaps[measure];
              if (gap !== null) this.set({ by, name, measure }, gap);
            }
          };
          for (const [name, { gaps }] of Object.entries(segments)) add('segment', name, gaps);
          for (const [name, { gaps }] of Object.entries(groups)) add('group', name, gaps);
        });
      },
    });
  }

  #addVersions(): void {
    const { version, libtorchVersion } = runtimeStatus();
    new Gauge({
      name: 'feedrank_info',
      help: 'Versions of what runs; always 1.',
      labelNames: ['version', 'libtorch'],
      registers: [this.registry],
    }).set({ version, libtorch: libtorchVersion }, 1);
  }

  #addBundles(bundles: Readonly<Record<string, Bundle>>): void {
    const feed = this.#feed;
    const told = Object.entries(bundles).map(([name, { manifest }]) => {
      const { checksum, createdAt } = manifest;
      return { name, place: placeOf(feed, name, checksum), checksum, createdAt };
    });
    new Gauge({
      name: 'feedrank_bundle_info',
      help: 'Which bundles rank, and when they were made; always 1.',
      labelNames: ['bundle', 'checksum', 'created_at'],
      registers: [this.registry],
      collect() {
        this.reset();
        for (const { name, place, ...given } of told) {
          const served = place && feed.bundles.get(place.name);
          const { checksum, createdAt } = served ? { ...served, ...served.identity } : given;
          this.set({ bundle: name, checksum, created_at: createdAt }, 1);
        }
      },
    });
  }
}

/** By which of the feed's bundles a given one is in service, if by any; by its own name first. */
function placeOf(
  feed: Feed,
  given: string,
  checksum: string,
): { readonly name: string | undefined } | undefined {
  const places = [...feed.bundles].filter(([, { identity }]) => identity.checksum === checksum);
  const [name] = places.find(([name]) => name === given) ?? places[0] ?? [];
  return places.length === 0 ? undefined : { name };
}

/** A reason may hold an error's own words, of which there is no end. */
function firstWord(reason: string): string {
  if (reason.startsWith("stage '")) return 'failed';
  return /^[A-Za-z][\w-]{0,40}/.exec(reason)?.[0] ?? 'other';
}

/** Metrics are asked for after a feed or its catalog has been disposed of, too. */
function ifAlive(read: () => void, otherwise: () => void = () => undefined): void {
  try {
    read();
  } catch (error) {
    if (!(error instanceof FeedrankError && error.code === 'DISPOSED')) throw error;
    otherwise();
  }
}
