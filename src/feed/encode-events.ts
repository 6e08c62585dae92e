import type { NativeEvents } from '../binding';
import type { ItemId } from '../identity';
import { invalidArgument } from '../errors';
import { toMilliseconds } from '../instant';
import { checkBatch, checkItemId, checkObject, checkUserId } from '../validation';
import { noSegment, segmentCodes, type Segmentation } from './segmentation';

/** In the order of the native core's EventType; any other type comes after them. */
const types = ['impression', 'click', 'dwell', 'hide', 'report', 'read'];

const longestDwellMs = 7 * 24 * 3_600_000;

/**
 * Checks events and lays them out as the native core takes them. Everything is checked before
 * anything is handed over, so a bad event leaves the counters as they were.
 * @internal
 */
export function encodeEvents(
  events: unknown,
  ids: 'string' | 'integer',
  segmentation: Segmentation,
  now: number,
  latestMs: number,
): NativeEvents {
  const batch = checkBatch(events, 'events');
  const n = batch.length;
  const userIds: ItemId[] = [];
  const itemIds: ItemId[] = [];
  const eventIds: string[] = [];
  const codes = new Uint8Array(n);
  const at = new Float64Array(n);
  const dwellMs = new Float64Array(n);
  const scrolled = new Float64Array(n).fill(NaN);
  const segments = new Uint8Array(n * segmentCodes).fill(noSegment);
  const fromIds: ItemId[] = [];
  const fromEvents: number[] = [];
  for (let i = 0; i < n; i++) {
    const path = `events[${i}]`;
    const event = checkObject(batch[i], path);
    const type = event['type'];
    if (typeof type !== 'string' || type.length === 0) {
      throw invalidArgument(`${path}.type`, `a name such as ${types.join(', ')}`, type);
    }
    const code = types.indexOf(type);
    codes[i] = code < 0 ? types.length : code;
    userIds.push(checkUserId(event['userId'], `${path}.userId`));
    itemIds.push(checkItemId(event['itemId'], ids, `${path}.itemId`));
    at[i] = toMilliseconds(event['at'], `${path}.at`);
    if (at[i]! > now + latestMs) {
      throw invalidArgument(`${path}.at`, `at most ${latestMs} ms after now (${now})`, at[i]);
    }
    if (type === 'dwell' || (type === 'read' && event['dwellMs'] !== undefined)) {
      dwellMs[i] = checkDwell(event['dwellMs'], `${path}.dwellMs`);
    }
    if (event['scrollPercentage'] !== undefined) {
      scrolled[i] = checkPercentage(event['scrollPercentage'], `${path}.scrollPercentage`) / 100;
    }
    if (event['segments'] !== undefined) {
      segments.set(segmentation.encode(event['segments'], `${path}.segments`), i * segmentCodes);
    }
    if (event['fromItemId'] !== undefined) {
      fromIds.push(checkItemId(event['fromItemId'], ids, `${path}.fromItemId`));
      fromEvents.push(i);
    }
    const eventId = event['eventId'];
    if (eventId !== undefined && !isEventId(eventId)) {
      throw invalidArgument(`${path}.eventId`, 'a string of 1 to 256 characters', eventId);
    }
    eventIds.push(eventId ?? '');
  }
  return {
    types: codes,
    userIds,
    itemIds,
    at,
    dwellMs,
    scrolled,
    segments,
    fromIds,
    fromEvents: Uint32Array.from(fromEvents),
    // Reading texts costs the event loop most of a batch, so none are sent where none were given.
    eventIds: eventIds.some((id) => id !== '') ? eventIds : [],
    now,
  };
}

function checkPercentage(value: unknown, argument: string): number {
  if (typeof value === 'number' && value >= 0 && value <= 100) return value;
  throw invalidArgument(argument, 'a percentage from 0 to 100', value);
}

function isEventId(value: unknown): value is string {
  return (
    typeof value === 'string' && value.length > 0 && value.length <= 256 && value.isWellFormed()
  );
}

function checkDwell(value: unknown, argument: string): number {
  if (typeof value === 'number' && value >= 0 && value <= longestDwellMs) return value;
  throw invalidArgument(argument, `milliseconds from 0 to ${longestDwellMs}`, value);
}
