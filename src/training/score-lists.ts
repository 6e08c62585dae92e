import { invalidArgument } from '../errors';
import type { Model } from '../models/model';
import { throwIfAborted } from './throw-if-aborted';
import type { TrainingData } from './training-data';

/** Rows that are scored at once: few enough to leave requests beside it their threads. */
const rowsAtOnce = 2048;

/**
 * What a ranker says of every row, list after list: its heads, weighted as its description says.
 *
 * @throws {FeedrankError} `INVALID_ARGUMENT` where the data lacks a feature that it reads, and what
 * {@link Model.score} and an aborted signal throw.
 */
export async function scoreLists(
  model: Model,
  data: TrainingData,
  argument: string,
  signal?: AbortSignal,
): Promise<Float64Array> {
  const places = new Map(data.features.map(({ name }, place) => [name, place]));
  const columns = model.description.features.map(({ name }) => {
    const place = places.get(name);
    if (place === undefined)
      throw invalidArgument(argument, 'a ranker that reads what is replayed', name);
    return place;
  });
  const width = data.features.length;
  const weights = model.headWeights({});
  const total = data.rows.reduce((sum, values) => sum + values.length / width, 0);
  const scores = new Float64Array(total);
  let scored = 0;
  for (let begin = 0; begin < data.lists.length;) {
    throwIfAborted(signal);
    let end = begin;
    let count = 0;
    while (end < data.lists.length && (count === 0 || count < rowsAtOnce)) {
      count += data.lists[end]!.clicked.length;
      end += 1;
    }
    const rows = new Float32Array(count * columns.length);
    let at = 0;
    for (let list = begin; list < end; list += 1) {
      const values = data.rows[list]!;
      for (let row = 0; row < values.length; row += width) {
        for (const column of columns) rows[at++] = values[row + column]!;
      }
    }
    const outputs = await model.score(rows);
    for (let row = 0; row < count; row += 1) {
      const heads = outputs.subarray(row * weights.length, (row + 1) * weights.length);
      scores[scored++] = heads.reduce((sum, value, head) => sum + weights[head]! * value, 0);
    }
    begin = end;
  }
  return scores;
}
