import type { Dataset, DatasetImpression } from '../data/dataset';

/**
 * The impressions of these splits as they happened: one split after the other, or side by side
 * where the splits overlap. Of one time, those of the earlier split come first.
 */
export async function* impressionsInOrder(
  dataset: Dataset,
  splits: Dataset['splits'],
): AsyncGenerator<DatasetImpression> {
  if (dataset.overlapping !== true) {
    // One after the other, so that one split at a time is held in memory.
    for (const { name } of splits) yield* dataset.impressions(name);
    return;
  }
  const logs = splits.map(({ name }) => dataset.impressions(name)[Symbol.asyncIterator]());
  const heads = await Promise.all(logs.map((log) => log.next()));
  for (;;) {
    let first = -1;
    for (const [index, head] of heads.entries()) {
      if (head.done === true) continue;
      const best = heads[first];
      if (!best || best.done === true || head.value.at < best.value.at) first = index;
    }
    const head = heads[first];
    if (!head || head.done === true) return;
    yield head.value;
    heads[first] = await (logs[first] as AsyncIterator<DatasetImpression>).next();
  }
}
