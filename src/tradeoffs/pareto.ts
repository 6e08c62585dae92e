import type { Price } from './report';

/** What a row gives, and what it costs. */
export interface Offer {
  readonly id: string;
  readonly auc: number;
  readonly ms: number;
}

/**
 * The offers that no other beats: none has as much AUC for as little time, with more of the one or
 * less of the other. Cheapest first.
 */
export function paretoFront<T extends Offer>(offers: readonly T[]): T[] {
  const front: T[] = [];
  for (const offer of [...offers].sort((a, b) => a.ms - b.ms || b.auc - a.auc)) {
    if (front.length === 0 || offer.auc > front.at(-1)!.auc) front.push(offer);
  }
  return front;
}

/** What each step along a front costs. */
export function pricesAlong(front: readonly Offer[]): Price[] {
  return front.slice(1).map((to, i) => {
    const from = front[i]!;
    const auc = to.auc - from.auc;
    const ms = to.ms - from.ms;
    return { from: from.id, to: to.id, auc, ms, msPerThousandthOfAuc: (ms / auc) * 0.001 };
  });
}
