import { FeedrankError } from '../errors';
import { agreesWithGolden } from '../models/agrees-with-golden';
import { Model } from '../models/model';
import type { TrainedRanker } from './ranker-training';

/**
 * A ranker whose file answers to golden inputs as the networks had answered; its golden outputs are
 * the file's own. Rejects with `INTERNAL` where they differ.
 */
export async function checkedRanker(trained: TrainedRanker): Promise<TrainedRanker> {
  const { bytes, features, heads, golden } = trained;
  await using model = await Model.fromBytes(bytes, 'ranker.pt', { features, heads });
  const scores = await model.score(golden.inputs.flat());
  const outputs = golden.inputs.map((_, row) => [
    ...scores.subarray(row * heads.length, (row + 1) * heads.length),
  ]);
  golden.outputs.forEach((expected, row) =>
    expected.forEach((value, head) => {
      const got = outputs[row]![head]!;
      if (agreesWithGolden(got, value)) return;
      throw new FeedrankError(
        'INTERNAL',
        `the exported ranker says ${got} for ${heads[head]!.name} where the trained one says ${value}`,
      );
    }),
  );
  return { ...trained, golden: { inputs: golden.inputs, outputs } };
}
