import type { FastifyError } from 'fastify';
import { FeedrankError, type ErrorCode } from '../errors';

/** Codes of what can go wrong before a request reaches the feed; beside those of the library. */
export const transportCodes = [
  'UNAUTHORIZED',
  'NOT_FOUND',
  'BODY_TOO_LARGE',
  'UNSUPPORTED_MEDIA_TYPE',
  'TIMED_OUT',
  'SHUTTING_DOWN',
] as const;

/** One of {@link transportCodes}. */
export type TransportCode = (typeof transportCodes)[number];

const transportStatus: Readonly<Record<TransportCode, number>> = {
  UNAUTHORIZED: 401,
  NOT_FOUND: 404,
  BODY_TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  TIMED_OUT: 503,
  SHUTTING_DOWN: 503,
};

/** What a client is told of an error. */
export interface ErrorBody {
  readonly error: {
    readonly code: ErrorCode | TransportCode;
    readonly message: string;
    readonly argument: string | null;
  };
}

/** An answer that is no success. */
export interface ErrorAnswer {
  readonly status: number;
  readonly body: ErrorBody;
  /** Whole seconds after which it is worth asking again, where that is so. */
  readonly retryAfterSeconds?: number;
}

/** A request that is refused before the feed sees it. */
export class TransportError extends Error {
  readonly code: TransportCode;

  constructor(code: TransportCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** The answer to a request that failed with this error. */
export function toErrorAnswer(error: unknown): ErrorAnswer {
  const known = error instanceof FeedrankError ? error : fromFastify(error);
  if (known instanceof TransportError) {
    const status = transportStatus[known.code];
    return {
      status,
      body: bodyOf(known.code, known.message, null),
      ...(status === 503 && { retryAfterSeconds: 1 }),
    };
  }
  const status = known === undefined ? 500 : (statuses[known.code] ?? 500);
  if (known === undefined || status === 500) {
    // What went wrong inside is for the log: it may name what clients should not learn of.
    const code = known?.code ?? 'INTERNAL';
    return { status: 500, body: bodyOf(code, 'the request failed; the log says why', null) };
  }
  const { code, message, argument = null, retryAfterMs } = known;
  return {
    status,
    body: bodyOf(code, message, argument),
    ...(status === 503 && {
      retryAfterSeconds: Math.max(1, Math.ceil((retryAfterMs ?? 0) / 1000)),
    }),
  };
}

function bodyOf(code: ErrorCode | TransportCode, message: string, argument: string | null) {
  return { error: { code, message, argument } };
}

/** Everything that a request's own body can be the cause of, an unknown profile too, is 400. */
const statuses: Partial<Readonly<Record<ErrorCode, number>>> = {
  INVALID_ARGUMENT: 400,
  DIMENSION_MISMATCH: 400,
  DUPLICATE_ID: 400,
  UNKNOWN_SPACE: 400,
  UNKNOWN_COLUMN: 400,
  UNKNOWN_FEATURE: 400,
  UNKNOWN_PROFILE: 400,
  UNKNOWN_STAGE: 400,
  UNKNOWN_SEGMENT: 400,
  UNKNOWN_GROUP: 400,
  UNKNOWN_BUNDLE: 400,
  OVERLOADED: 503,
  ABORTED: 503,
  DISPOSED: 503,
};

/** What Fastify itself refused, by its own codes and statuses. */
function fromFastify(error: unknown): TransportError | FeedrankError | undefined {
  if (error instanceof TransportError) return error;
  const { statusCode, code, message = '' } = error as Partial<FastifyError>;
  if (statusCode === 404) return new TransportError('NOT_FOUND', 'there is no such route');
  if (statusCode === 413) {
    return new TransportError('BODY_TOO_LARGE', 'the body is larger than this route takes');
  }
  if (statusCode === 415) {
    const expected = 'expected a body of content-type application/json';
    return new TransportError('UNSUPPORTED_MEDIA_TYPE', expected);
  }
  if (statusCode === undefined || statusCode < 400 || statusCode > 499) return undefined;
  const argument = code === 'FST_ERR_BAD_URL' ? 'url' : 'body';
  return new FeedrankError('INVALID_ARGUMENT', `${argument}: ${message}`, argument);
}
