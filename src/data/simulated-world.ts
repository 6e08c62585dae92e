import type { DatasetItem } from './dataset';
import { RandomStream } from './random-stream';

/** What is true of a simulated item; a log shows only traces of it. */
export interface SimulatedItem extends DatasetItem {
  readonly id: string;
  readonly publishTime: number;
  readonly author: string;
  readonly creator: Creator;
  readonly vector: readonly number[];
  /** Mean 0 and variance 1 within each group of creators. */
  readonly quality: number;
}

/** What is true of a simulated reader. */
export interface SimulatedUser {
  readonly id: number;
  readonly interests: readonly number[];
  /** Topics that the interests are made of, the strongest first. */
  readonly topics: readonly string[];
  /** The interests as a model would have learnt them: with an error. */
  readonly vector: readonly number[];
  readonly device: 'desktop' | 'mobile';
  readonly subscriber: boolean;
}

export type Creator = 'independent' | 'newsroom';

export const embeddingSpace = 'content';
export const embeddingDimensions = 16;

const topicWords: Readonly<Record<string, readonly string[]>> = {
  politics: ['budget', 'election', 'treaty', 'cabinet', 'senate', 'reform'],
  economy: ['rates', 'harbour', 'wages', 'housing', 'exports', 'startups'],
  science: ['telescope', 'enzyme', 'glacier', 'fossil', 'neutrino', 'reef'],
  sport: ['final', 'transfer', 'marathon', 'derby', 'record', 'relay'],
  culture: ['festival', 'novel', 'opera', 'museum', 'premiere', 'gallery'],
  local: ['bridge', 'school', 'market', 'tramline', 'library', 'park'],
  technology: ['battery', 'chip', 'satellite', 'browser', 'robot', 'network'],
  health: ['vaccine', 'sleep', 'clinic', 'allergy', 'nutrition', 'therapy'],
};
const topics = Object.keys(topicWords);
const authorsPerTopic = 4;

interface Author {
  readonly name: string;
  readonly topic: string;
  readonly creator: Creator;
  readonly followers: number;
}

/** What the world is made of. */
export interface WorldOptions {
  readonly seed: number;
  readonly items: number;
  readonly users: number;
  /** Epoch milliseconds of the first possible publication, and how long items keep coming. */
  readonly startsAt: number;
  readonly lastsMs: number;
  /** Whether readers like four topics about equally, instead of two. Defaults to `false`. */
  readonly broadInterests?: boolean;
}

/** Topics, authors, items and readers of a world. The same options give the same world. */
export interface World {
  /** By publish time. */
  readonly items: readonly SimulatedItem[];
  readonly users: readonly SimulatedUser[];
}

export function createWorld(options: WorldOptions): World {
  const random = new RandomStream(options.seed, 'topics');
  const centres = new Map(
    topics.map((topic) => [topic, unit(random.direction(embeddingDimensions))]),
  );
  return { items: createItems(options, centres), users: createUsers(options, centres) };
}

type Centres = ReadonlyMap<string, readonly number[]>;

function createAuthors(seed: number): Author[] {
  const random = new RandomStream(seed, 'authors');
  return topics.flatMap((topic) =>
    Array.from({ length: authorsPerTopic }, (_, number) => {
      // Every topic has as many independent authors as newsroom ones.
      const creator = number % 2 === 0 ? 'independent' : 'newsroom';
      const magnitude = (creator === 'independent' ? 2.8 : 4.2) + random.uniform();
      return {
        name: `${topic} ${creator === 'independent' ? 'blog' : 'desk'} ${(number >> 1) + 1}`,
        topic,
        creator,
        followers: Math.round(10 ** magnitude),
      };
    }),
  );
}

function createItems(options: WorldOptions, centres: Centres): SimulatedItem[] {
  const random = new RandomStream(options.seed, 'items');
  const authors = createAuthors(options.seed);
  const publishTimes = Array.from({ length: options.items }, () =>
    Math.floor(options.startsAt + random.uniform() * options.lastsMs),
  ).sort((a, b) => a - b);
  const drafts = publishTimes.map((publishTime, index) => {
    const author = random.pick(authors);
    const topic = random.uniform() < 0.8 ? author.topic : random.pick(topics);
    const word = random.pick(topicWords[topic] as readonly string[]);
    const centre = centres.get(topic) as readonly number[];
    return {
      id: `${topic}-${word}-${String(index + 1).padStart(4, '0')}`,
      publishTime,
      author,
      topic,
      vector: unit(add(centre, random.direction(embeddingDimensions), 0.7)),
      quality: random.normal(),
      bodyLength: Math.round(600 * Math.exp(0.6 * random.normal())),
    };
  });
  const qualities = equalise(drafts);
  return drafts.map(({ id, publishTime, author, topic, vector, bodyLength }, index) => ({
    id,
    publishTime,
    author: author.name,
    creator: author.creator,
    topics: [topic],
    labels: { creator: author.creator },
    columns: { body_length: bodyLength, followers: author.followers },
    embeddings: { [embeddingSpace]: vector },
    vector,
    quality: qualities[index] as number,
  }));
}

/** Qualities with mean 0 and variance 1 in each group of creators, so that utilities are equal. */
function equalise(
  drafts: readonly { readonly author: Author; readonly quality: number }[],
): number[] {
  const moments = new Map<Creator, { mean: number; deviation: number }>();
  for (const creator of ['independent', 'newsroom'] as const) {
    const values = drafts.filter((draft) => draft.author.creator === creator).map((d) => d.quality);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
    moments.set(creator, { mean, deviation: Math.sqrt(variance) || 1 });
  }
  return drafts.map(({ author, quality }) => {
    const { mean, deviation } = moments.get(author.creator) as { mean: number; deviation: number };
    return (quality - mean) / deviation;
  });
}

function createUsers(options: WorldOptions, centres: Centres): SimulatedUser[] {
  // A stream of its own, so that readers of two topics stay what they are.
  const broad = options.broadInterests === true;
  const random = new RandomStream(options.seed, broad ? 'broad users' : 'users');
  return Array.from({ length: options.users }, (_, index) => {
    const liked = broad ? pickDistinct(random, 4) : [random.pick(topics), random.pick(topics)];
    const [first = [], ...others] = liked.map((topic) => centres.get(topic) as readonly number[]);
    const mixed = others.reduce((sum, centre) => add(sum, centre, broad ? 0.9 : 0.6), first);
    const taste = random.direction(embeddingDimensions);
    const interests = unit(add(mixed, taste, 0.3));
    return {
      id: index + 1,
      interests,
      topics: liked,
      vector: unit(add(interests, random.direction(embeddingDimensions), 0.4)),
      device: random.uniform() < 0.65 ? 'mobile' : 'desktop',
      subscriber: random.uniform() < 0.2,
    };
  });
}

function pickDistinct(random: RandomStream, count: number): string[] {
  const picked = new Set<string>();
  while (picked.size < count) picked.add(random.pick(topics));
  return [...picked];
}

export function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, index) => sum + value * (b[index] as number), 0);
}

export function add(a: readonly number[], b: readonly number[], weight: number): number[] {
  return a.map((value, index) => value + weight * (b[index] as number));
}

export function unit(vector: readonly number[]): number[] {
  const length = Math.sqrt(dot(vector, vector));
  return vector.map((value) => value / length);
}
