import type { RandomStream } from './random-stream';
import { add, unit } from './simulated-world';
import type { SimulatedItem, SimulatedUser, World } from './simulated-world';

/** Share of a list that comes from the topic which its reader has clicked the most. */
const chamberShare = 0.85;

interface Chamber {
  /** Clicks by topic; one stands for how the reader came in. */
  readonly clicks: Map<string, number>;
  /** What a model that learns from the log alone would know of the reader. */
  learnt: readonly number[];
}

/**
 * A service that shows readers more of what they clicked before: most of every list comes from the
 * topic that its reader has clicked the most so far, so the log shows one interest where there are
 * several. Every reader comes in by one of the topics that they like.
 */
export class EchoChamber {
  readonly #itemsByTopic = new Map<string, SimulatedItem[]>();
  readonly #chambers: ReadonlyMap<number, Chamber>;

  constructor({ items, users }: World) {
    for (const item of items) {
      for (const topic of item.topics ?? []) {
        const others = this.#itemsByTopic.get(topic);
        if (others) others.push(item);
        else this.#itemsByTopic.set(topic, [item]);
      }
    }
    this.#chambers = new Map(
      users.map(({ id, topics, vector }) => [
        id,
        { clicks: new Map([[topics[0] as string, 1]]), learnt: vector },
      ]),
    );
  }

  /** The items that one place of a reader's list is drawn from: by publish time. */
  itemsFor(
    user: SimulatedUser,
    all: readonly SimulatedItem[],
    random: RandomStream,
  ): readonly SimulatedItem[] {
    if (random.uniform() >= chamberShare) return all;
    return this.#itemsByTopic.get(this.dominantTopic(user)) ?? all;
  }

  /** The topic that the reader has clicked the most so far. */
  dominantTopic(user: SimulatedUser): string {
    const clicks = [...this.#of(user).clicks];
    return clicks.reduce((best, entry) => (entry[1] > best[1] ? entry : best))[0];
  }

  /** The reader's vector as learnt from the clicks so far: the direction that they lie in. */
  vectorOf(user: SimulatedUser): readonly number[] {
    return unit(this.#of(user).learnt);
  }

  addClicks(user: SimulatedUser, clicked: readonly SimulatedItem[]): void {
    const chamber = this.#of(user);
    for (const { topics, vector } of clicked) {
      for (const topic of topics ?? []) {
        chamber.clicks.set(topic, (chamber.clicks.get(topic) ?? 0) + 1);
      }
      chamber.learnt = add(chamber.learnt, vector, 1);
    }
  }

  #of({ id }: SimulatedUser): Chamber {
    return this.#chambers.get(id) as Chamber;
  }
}
