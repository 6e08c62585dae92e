import { Catalog, type Item, type RankProfile, type Slate } from '../../src';
import type { Lcg } from './random';

export const hour = 3_600_000;
/** An instant that the tests rank as of: nothing depends on the clock. */
export const now = Date.UTC(2026, 0, 15, 12);

/** Time enough that no stage is skipped on a busy machine; the default budget is 30 ms. */
export const unhurried: RankProfile = { budgetMs: 600_000 };

export interface WorldItem extends Item {
  readonly id: string;
  readonly publishTime: number;
  readonly author: string;
  readonly topics: readonly string[];
  readonly columns: { readonly quality: number; readonly length: number };
  readonly embeddings: { readonly taste: Float32Array };
}

export const dimensions = 4;

/** Items with few distinct publish times and qualities, so that ties are common. */
export function makeItems(random: Lcg, count: number): WorldItem[] {
  return Array.from({ length: count }, (_, i) => ({
    id: `item-${i}`,
    publishTime: now - random.below(12) * hour,
    author: `author-${random.below(5)}`,
    topics: Array.from({ length: random.below(3) }, () => `topic-${random.below(4)}`),
    columns: { quality: random.below(8) / 4, length: random.signed() },
    embeddings: { taste: random.floats(dimensions) },
  }));
}

export async function makeCatalog(items: readonly Item[]): Promise<Catalog> {
  const catalog = await Catalog.create({
    ids: 'string',
    spaces: { taste: { dimensions } },
    columns: ['quality', 'length'],
  });
  await catalog.upsert(items);
  return catalog;
}

/** What an answer says, without what it took. */
export function answerOf(slate: Pick<Slate, 'items'>): [unknown, number][] {
  return slate.items.map((item) => [item.id, item.score]);
}
