import type { AddressInfo } from 'node:net';
import type { Command } from 'commander';
import type { FastifyInstance } from 'fastify';

import { FeedrankError } from '../errors';
import { bearerCheck, isLoopback } from '../service/bearer-token';
import type * as FeedServer from '../service/feed-server';
import type * as ServedFeeds from '../service/served-feed';
import { toNumber } from './numbers';
import { say } from './output';
import { UsageError } from './report-error';

interface ServeFlags {
  readonly items: string;
  readonly bundle?: string;
  readonly profile?: string;
  readonly host: string;
  readonly port: number;
  readonly tokenEnv?: string;
}

/** Adds `feedrank serve` to the program. */
export function addServeCommand(program: Command): void {
  program
    .command('serve')
    .description('Serve a feed over HTTP; GET /openapi.json says what its routes take.')
    .requiredOption('--items <file>', 'the items, one JSON object a line as PUT /items takes them')
    .option(
      '--bundle <folder>',
      'what ranks (default: decayed dot products, or clicks and age where items have no embeddings)',
    )
    .option('--profile <file>', 'JSON of the profile of requests that name none')
    .option(
      '--host <address>',
      'where to listen; beyond this machine only with a token',
      '127.0.0.1',
    )
    .option('--port <number>', 'port; 0 takes a free one', toNumber, 0)
    .option('--token-env <name>', 'environment variable that holds the bearer token of requests')
    .action(run);
}

async function run({ host, port, tokenEnv, ...files }: ServeFlags): Promise<void> {
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new UsageError(`port: expected an integer from 0 to 65535, got ${port}`, 'port');
  }
  const token = tokenEnv === undefined ? undefined : readToken(tokenEnv);
  if (token === undefined && !isLoopback(host)) {
    const how = `--host ${host} is beyond this machine, which needs --token-env`;
    throw new UsageError(`host: expected a loopback address, since ${how}`, 'host');
  }
  const stop = stopSignal();
  // The other commands need not load what serves.
  /* eslint-disable @typescript-eslint/no-require-imports -- An import could not wait. */
  const { createServedFeed } = require('../service/served-feed') as typeof ServedFeeds;
  const { closeFeedServer, createFeedServer } =
    require('../service/feed-server') as typeof FeedServer;
  /* eslint-enable @typescript-eslint/no-require-imports */
  let served: ServedFeeds.ServedFeed | undefined;
  try {
    served = await createServedFeed({ ...files, signal: stop });
    const server = await createFeedServer(served, token);
    try {
      say(JSON.stringify({ listening: await listen(server, host, port) }));
      await aborted(stop);
    } finally {
      await closeFeedServer(server);
    }
  } catch (error) {
    // Whoever stops a service that is still loading has what was asked for.
    if (error !== stop.reason || !stop.aborted) throw error;
  } finally {
    served?.dispose();
  }
}

/** Aborts at the first SIGTERM or SIGINT; later ones change nothing, so that work is finished. */
function stopSignal(): AbortSignal {
  const stop = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => stop.abort(new Error(signal)));
  }
  return stop.signal;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

function readToken(name: string): string {
  const token = process.env[name];
  if (token === undefined || token === '') {
    throw new UsageError(`token-env: the variable ${name} is not set`, 'token-env');
  }
  try {
    bearerCheck(token);
  } catch (error) {
    throw new UsageError((error as Error).message, 'token-env');
  }
  return token;
}

async function listen(server: FastifyInstance, host: string, port: number): Promise<string> {
  try {
    await server.listen({ host, port });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const where = code === 'EADDRINUSE' || code === 'EACCES' ? 'port' : 'host';
    throw new FeedrankError(
      'INVALID_ARGUMENT',
      `${where}: cannot listen on ${host}, port ${port}: ${message}`,
      where,
    );
  }
  const { address, port: bound, family } = server.addresses()[0] as AddressInfo;
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${bound}`;
}
