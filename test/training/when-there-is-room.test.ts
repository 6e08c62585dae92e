import { FeedrankError } from '../../src';
import { whenThereIsRoom } from '../../src/training/when-there-is-room';
import { expectRefusal } from '../support/errors';

/** As the binding tells of a full queue: by throwing at once, or by rejecting. */
function full(): never {
  throw Object.assign(new Error('the queue is full'), { code: 'OVERLOADED', argument: '' });
}

test('a job waits while the queue is full, and its answer comes back', async () => {
  let calls = 0;
  const job = async (): Promise<string> => {
    calls += 1;
    return calls < 4 ? full() : Promise.resolve('done');
  };
  expect(await whenThereIsRoom(job, undefined)).toBe('done');
  expect(calls).toBe(4);
  expect(await whenThereIsRoom(() => Promise.resolve(7), undefined)).toBe(7);
});

test('what waits can be aborted, and any other failure is told at once', async () => {
  const controller = new AbortController();
  let calls = 0;
  const job = (): Promise<never> => {
    calls += 1;
    if (calls === 3) controller.abort();
    full();
  };
  await expectRefusal(() => whenThereIsRoom(job, controller.signal), {
    code: 'ABORTED',
    argument: 'signal',
  });
  expect(calls).toBe(3);
  const diverged = new FeedrankError('TRAINING_DIVERGED', 'epoch 1, batch 1');
  await expectRefusal(() => whenThereIsRoom(() => Promise.reject(diverged), undefined), {
    code: 'TRAINING_DIVERGED',
  });
});
