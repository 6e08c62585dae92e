/**
 * Serves a feed from a Fastify server. Apart from the package's main entry, because Fastify and the
 * library that checks requests are for those who serve alone.
 * @packageDocumentation
 */
export { feedPlugin, type FeedPluginOptions } from './service/feed-plugin';
export { transportCodes, type ErrorBody, type TransportCode } from './service/http-error';
