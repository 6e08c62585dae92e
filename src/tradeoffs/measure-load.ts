import { setTimeout as sleep } from 'node:timers/promises';

import type { Bundle } from '../bundles/bundle';
import { FeedrankError } from '../errors';
import { unhurriedBudgetMs } from '../evaluation/unhurried';
import { Feed } from '../feed/feed';
import type { Slate } from '../feed/slate';
import { torchScript } from '../stages/native-stages';
import { throwIfAborted } from '../training/throw-if-aborted';
import { latencyOf } from './measure-latency';
import type { ReplayedFeed } from './measure-pipeline';
import type { LoadRow } from './report';

/** What a load made of the budget; what its mixture of tiers is worth is known elsewhere. */
export type MeasuredLoad = Omit<LoadRow, 'auc'>;

/** What is asked of the budget. */
export interface LoadOptions {
  /** Ranks where there is time. */
  readonly full: Bundle;
  /** Takes over where there is not. */
  readonly smaller: Bundle;
  readonly budgetsMs: readonly number[];
  /** Of each load, as shares of what the machine can do without a budget. */
  readonly shares: readonly number[];
  readonly seconds: number;
  readonly signal: AbortSignal | undefined;
}

const candidates = 2000;

/**
 * Asks at fixed rates, each request at its time whether those before have been answered or not, and
 * counts from that time. The loads go by turns, so that the controller meets each of them fresh.
 */
export async function measureLoad(
  { catalog, feed, stages, query }: ReplayedFeed,
  options: LoadOptions,
): Promise<MeasuredLoad[]> {
  const loaded = await Feed.attach(feed.handle(), {
    ...{ catalog, ...stages },
    ranker: torchScript(options.full.ranker!),
    bundles: { smaller: options.smaller },
    profile: { maxCandidates: candidates, smallerBundle: 'smaller' },
  });
  try {
    const ask = (budgetMs: number): Promise<Slate> =>
      loaded.rank({ ...query, profile: { budgetMs } });
    const capacity = await measureCapacity(ask, options.signal);
    const rows: MeasuredLoad[] = [];
    for (const budgetMs of options.budgetsMs) {
      for (const share of options.shares) {
        const rate = capacity * share;
        await loadAt(ask, { ...options, rate, budgetMs, seconds: options.seconds / 2 });
        rows.push(await loadAt(ask, { ...options, rate, budgetMs }));
      }
    }
    return rows;
  } finally {
    loaded.dispose();
  }
}

/** Answers a second with four requests always under way and nothing left out. */
async function measureCapacity(
  ask: (budgetMs: number) => Promise<Slate>,
  signal: AbortSignal | undefined,
): Promise<number> {
  const until = performance.now() + 1500;
  let answered = 0;
  const client = async (): Promise<void> => {
    while (performance.now() < until) {
      throwIfAborted(signal);
      await ask(unhurriedBudgetMs);
      answered += 1;
    }
  };
  const begin = performance.now();
  await Promise.all(Array.from({ length: 4 }, client));
  return answered / ((performance.now() - begin) / 1000);
}

async function loadAt(
  ask: (budgetMs: number) => Promise<Slate>,
  load: Pick<LoadOptions, 'seconds' | 'signal'> & {
    readonly rate: number;
    readonly budgetMs: number;
  },
): Promise<MeasuredLoad> {
  const { rate, budgetMs, seconds, signal } = load;
  const count = Math.max(1, Math.round(rate * seconds));
  const begin = performance.now();
  const ms: number[] = [];
  const tiers: Record<string, number> = {};
  let refused = 0;
  const one = async (at: number): Promise<void> => {
    try {
      const slate = await ask(budgetMs);
      ms.push(performance.now() - at);
      const { tier } = slate.trace.budget;
      tiers[tier] = (tiers[tier] ?? 0) + 1;
    } catch (error) {
      if (!(error instanceof FeedrankError) || error.code !== 'OVERLOADED') throw error;
      refused += 1;
    }
  };
  const asked: Promise<void>[] = [];
  for (let i = 0; i < count;) {
    throwIfAborted(signal);
    const due = Math.min(count, Math.floor(((performance.now() - begin) / 1000) * rate) + 1);
    for (; i < due; i += 1) asked.push(one(begin + (i / rate) * 1000));
    if (i < count) await sleep(Math.max(1, begin + (i / rate) * 1000 - performance.now()));
  }
  await Promise.all(asked);
  const answered = ms.length;
  return {
    ...{ rate, budgetMs },
    ...(answered > 0 ? latencyOf(ms) : { p50: null, p99: null }),
    inTime: ms.filter((value) => value <= budgetMs).length / count,
    refused: refused / count,
    tiers: Object.fromEntries(
      Object.entries(tiers).map(([tier, times]) => [tier, times / answered]),
    ),
  };
}
