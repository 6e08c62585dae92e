import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { KnowledgeQueue } from '../../src/evaluation/knowledge-queue';

describe('KnowledgeQueue', () => {
  it('gives out what has happened in the order of time, and of adding within one time', () => {
    const steps = fc.array(fc.record({ at: fc.integer({ min: 0, max: 20 }), take: fc.boolean() }), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(steps, (list) => {
        const queue = new KnowledgeQueue();
        let waiting: { at: number; name: string }[] = [];
        for (const [index, { at, take }] of list.entries()) {
          const name = `${index}`;
          queue.add(at, [{ type: 'click', userId: 1, itemId: name, at }]);
          waiting.push({ at, name });
          if (!take) continue;
          // Array.sort is stable, so equal times stay in the order of adding.
          const expected = waiting.filter((event) => event.at <= at).sort((a, b) => a.at - b.at);
          waiting = waiting.filter((event) => event.at > at);
          const taken = queue.takeUpTo(at).map(({ itemId }) => itemId);
          expect(taken).toEqual(expected.map((event) => event.name));
        }
      }),
    );
  });
});
