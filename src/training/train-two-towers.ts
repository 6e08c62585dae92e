import type * as Training from './two-tower-training';
import type { TwoTowerTrainingOptions } from './two-tower-options';

/**
 * Trains an item tower and a user tower on the clicks of a log, from what was known of each reader
 * when the list was shown: in-batch sampled softmax with log-q correction (Yi et al. 2019,
 * "Sampling-bias-corrected neural modeling for large corpus item recommendations"). The latest clicks
 * validate; training ends when they are no longer predicted better. Runs on the native threads in
 * short jobs, so that requests are answered meanwhile.
 *
 * @throws {FeedrankError} `INVALID_ARGUMENT`, `EMPTY_DATA` where nothing was clicked,
 * `TRAINING_DIVERGED` naming epoch and batch where the loss is not finite, `ABORTED`,
 * `DATA_MISSING`, `DATA_MALFORMED`.
 */
export async function trainTwoTowers(
  options: TwoTowerTrainingOptions,
): Promise<Training.TrainedTowers> {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- What only serves does not load it.
  const training = require('./two-tower-training') as typeof Training;
  return training.trainTwoTowers(options);
}
