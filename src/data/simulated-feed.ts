import { FeedrankError, invalidArgument } from '../errors';
import type { ItemId, UserId } from '../identity';
import type { Dataset, DatasetImpression } from './dataset';
import { RandomStream } from './random-stream';
import { EchoChamber } from './simulated-echo-chamber';
import { createWorld, dot, embeddingDimensions, embeddingSpace } from './simulated-world';
import type { SimulatedItem, SimulatedUser, World } from './simulated-world';

/**
 * `feed` is a plain news feed. In `biased-exposure` the train part's log lacks most clicks on items
 * of independent creators; the validation part's clicks follow the true utilities, which are equal
 * between the groups of the item label `creator`. In `echo-chamber` readers like four topics, but
 * most of what they are shown, in both parts, is of the topic that they have clicked the most so far.
 */
export const simulatedScenarios = ['feed', 'biased-exposure', 'echo-chamber'] as const;

/** One of {@link simulatedScenarios}. */
export type SimulatedScenario = (typeof simulatedScenarios)[number];

export interface SimulatedFeedOptions {
  /** One seed is one world. Defaults to `1`. */
  readonly seed?: number;
  /** Defaults to `feed`. */
  readonly scenario?: SimulatedScenario;
  /** Items over the seven days. Defaults to `2000`. */
  readonly items?: number;
  /** Defaults to `400`. */
  readonly users?: number;
  /** Impressions of the first five days. Defaults to `8000`. */
  readonly trainImpressions?: number;
  /** Impressions of the last two days. Defaults to `3000`. */
  readonly validationImpressions?: number;
}

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** Monday, 1 January 2024, 00:00 UTC. */
const startsAt = 1_704_067_200_000;
const days = 7;
const trainDays = 5;
/** Items are there before the first reader comes. */
const firstImpressionAt = startsAt + 12 * hourMs;
const listLength = 12;
/** Share of the clicks on independent creators that a biased log keeps. */
const keptClicks = 0.35;

interface Part {
  readonly name: 'train' | 'validation';
  readonly from: number;
  readonly to: number;
  readonly impressions: number;
  readonly firstId: number;
}

/**
 * A seeded world of topics, authors, items and readers, as an interaction log: items arrive over
 * seven days with embeddings, authors and topics; readers see lists of 12 and click by how well an
 * item matches their interests, its quality, its age and its position. Reads last longer where
 * interest and quality are high. The same options give the same log, byte for byte.
 *
 * Item label: `creator` (`independent` or `newsroom`). User slices: `device`, `subscriber`. Columns:
 * `body_length`, `followers` (of the author; newsroom authors have more). Embedding space:
 * `content`, 16 dimensions.
 *
 * @throws {FeedrankError} `INVALID_ARGUMENT`
 */
export function simulateFeed(options: SimulatedFeedOptions = {}): Dataset {
  const { seed = 1, scenario = 'feed' } = options;
  if (!Number.isSafeInteger(seed)) throw invalidArgument('seed', 'a safe integer', seed);
  if (!simulatedScenarios.includes(scenario)) {
    throw invalidArgument('scenario', `one of ${simulatedScenarios.join(', ')}`, scenario);
  }
  const items = count('items', options.items ?? 2000);
  const users = count('users', options.users ?? 400);
  const trainImpressions = count('trainImpressions', options.trainImpressions ?? 8000);
  const validationImpressions = count(
    'validationImpressions',
    options.validationImpressions ?? 3000,
  );
  const broadInterests = scenario === 'echo-chamber';
  const world = createWorld({
    ...{ seed, items, users, broadInterests },
    ...{ startsAt, lastsMs: days * dayMs },
  });
  const trainEnd = startsAt + trainDays * dayMs;
  const parts: readonly Part[] = [
    {
      name: 'train',
      from: firstImpressionAt,
      to: trainEnd,
      impressions: trainImpressions,
      firstId: 1,
    },
    {
      name: 'validation',
      from: trainEnd,
      to: startsAt + days * dayMs,
      impressions: validationImpressions,
      firstId: trainImpressions + 1,
    },
  ];
  return {
    name: 'simulated',
    ids: 'string',
    spaces: { [embeddingSpace]: { dimensions: embeddingDimensions } },
    columns: ['body_length', 'followers'],
    labels: ['creator'],
    userSlices: ['device', 'subscriber'],
    segments: {},
    splits: parts.map(({ name, impressions }) => ({ name, impressions })),
    items: world.items,
    malformedRows: 0,
    // eslint-disable-next-line @typescript-eslint/require-await
    async *impressions(split: string): AsyncGenerator<DatasetImpression> {
      const part = parts.find(({ name }) => name === split);
      if (!part) throw new FeedrankError('DATA_MISSING', `there is no split ${split}`, 'split');
      const chamber = scenario === 'echo-chamber' ? new EchoChamber(world) : undefined;
      for (const before of chamber ? parts.slice(0, parts.indexOf(part)) : []) {
        // What readers clicked there is what the chamber shows them now.
        for (const impression of simulateImpressions(world, before, { seed, scenario }, chamber))
          void impression;
      }
      yield* simulateImpressions(world, part, { seed, scenario }, chamber);
    },
    utility: utilityIn(world),
  };
}

function count(argument: string, value: number): number {
  if (!Number.isSafeInteger(value) || value < 1 || value > 10_000_000) {
    throw invalidArgument(argument, 'a whole number between 1 and 10000000', value);
  }
  return value;
}

function* simulateImpressions(
  world: World,
  part: Part,
  { seed, scenario }: Required<Pick<SimulatedFeedOptions, 'seed' | 'scenario'>>,
  chamber: EchoChamber | undefined,
): Generator<DatasetImpression> {
  const random = new RandomStream(seed, part.name);
  const times = Array.from({ length: part.impressions }, () =>
    Math.floor(part.from + random.uniform() * (part.to - part.from)),
  ).sort((a, b) => a - b);
  const isBiased = scenario === 'biased-exposure' && part.name === 'train';
  for (const [index, at] of times.entries()) {
    const user = random.pick(world.users);
    const shown = drawList(at, random, () =>
      chamber ? chamber.itemsFor(user, world.items, random) : world.items,
    );
    if (shown.length === 0) continue;
    const clicked = shown.filter((item, position) => {
      const isClicked = random.uniform() < clickProbability(user, item, position, at);
      // Drawn in every scenario, so that the scenarios differ in nothing else.
      const isKept = random.uniform() < keptClicks;
      return isClicked && (!isBiased || item.creator !== 'independent' || isKept);
    });
    yield {
      impressionId: part.firstId + index,
      userId: user.id,
      at,
      itemIds: shown.map(({ id }) => id),
      clickedIds: clicked.map(({ id }) => id),
      context: {
        device: user.device === 'mobile' ? 2 : 1,
        subscriber: Number(user.subscriber),
        hour: new Date(at).getUTCHours(),
        list_length: shown.length,
      },
      userSlices: { device: user.device, subscriber: user.subscriber ? 'yes' : 'no' },
      userVectors: [{ space: embeddingSpace, values: chamber?.vectorOf(user) ?? user.vector }],
      ...readOf(user, clicked, random),
      split: part.name,
    };
    chamber?.addClicks(user, clicked);
  }
}

/** The truth that clicks are drawn from. */
function utilityIn({ items, users }: World): NonNullable<Dataset['utility']> {
  const itemOf = new Map<ItemId, SimulatedItem>(items.map((item) => [item.id, item]));
  const userOf = new Map<UserId, SimulatedUser>(users.map((user) => [user.id, user]));
  return (userId, itemId, at) => {
    const user = userOf.get(userId);
    const item = itemOf.get(itemId);
    return user && item ? clickProbability(user, item, 0, at) : NaN;
  };
}

/** A page that favours what is new, like a front page run by hand. */
function drawList(
  at: number,
  random: RandomStream,
  itemsForPlace: () => readonly SimulatedItem[],
): SimulatedItem[] {
  const drawn = new Set<SimulatedItem>();
  // A young world has few items, so drawing stops after a while.
  for (let tries = 0; drawn.size < listLength && tries < 10 * listLength; tries += 1) {
    const item = newestBefore(itemsForPlace(), at - random.exponential(10 * hourMs));
    if (item) drawn.add(item);
  }
  return [...drawn];
}

function newestBefore(items: readonly SimulatedItem[], at: number): SimulatedItem | undefined {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((items[middle] as SimulatedItem).publishTime <= at) low = middle + 1;
    else high = middle;
  }
  return items[low - 1];
}

function clickProbability(
  user: SimulatedUser,
  item: SimulatedItem,
  position: number,
  at: number,
): number {
  const age = (at - item.publishTime) / dayMs;
  const utility = -2.2 + 2.2 * dot(user.interests, item.vector) + 1.3 * item.quality - age;
  const examination = 1 / (1 + (user.device === 'mobile' ? 0.3 : 0.15) * position);
  return examination / (1 + Math.exp(-utility));
}

function readOf(
  user: SimulatedUser,
  clicked: readonly SimulatedItem[],
  random: RandomStream,
): Pick<DatasetImpression, 'outcome'> {
  const [item] = clicked;
  const noise = random.normal();
  if (!item || clicked.length !== 1) return {};
  const interest = dot(user.interests, item.vector);
  const dwellMs = Math.round(40_000 * Math.exp(0.5 * interest + 0.4 * item.quality + 0.6 * noise));
  const scrollPercentage = Math.min(100, Math.round(dwellMs / 800));
  return { outcome: { dwellMs, scrollPercentage } };
}
