import type { FastifyInstance } from 'fastify';
import type { Feed } from '../feed/feed';
import { FeedrankError } from '../errors';
import { isLoopback } from './bearer-token';
import { watchSilentConnections } from './silent-connections';

/** Whether a service listens, to whom, and whether it is about to end. */
export class ServiceState {
  readonly #feed: Feed;
  #isClosing = false;
  #isExposed = false;

  constructor(routes: FastifyInstance, feed: Feed) {
    this.#feed = feed;
    routes.addHook('onListen', (done) => {
      // A server on a socket file has a text in place of an address.
      const addresses = routes.addresses();
      this.#isExposed = addresses.some(
        (bound) => typeof bound !== 'string' && !isLoopback(bound.address),
      );
      done();
    });
    const endSilent = watchSilentConnections(routes.server);
    routes.addHook('preClose', (done) => {
      this.#isClosing = true;
      endSilent();
      done();
    });
  }

  /** Whether the server has begun to close. */
  get isClosing(): boolean {
    return this.#isClosing;
  }

  /** Whether other machines can reach the server. */
  get isExposed(): boolean {
    return this.#isExposed;
  }

  /** Whether requests can be answered. */
  get isReady(): boolean {
    return !this.#isClosing && this.isAlive;
  }

  /** Whether the feed has not been disposed of. */
  get isAlive(): boolean {
    try {
      return this.#feed.stats.users >= 0;
    } catch (error) {
      if (error instanceof FeedrankError) return false;
      throw error;
    }
  }
}
