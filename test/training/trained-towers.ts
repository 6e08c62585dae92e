import type { Dataset } from '../../src';
import { simulateFeed } from '../../src/data/simulated-feed';
import type { TrainedTowers, TwoTowerTrainingOptions } from '../../src';
import { trainTwoTowers } from '../../src';

/** A small world to train towers in. */
export function smallWorld(seed = 1): Dataset {
  return simulateFeed({
    ...{ seed, items: 500, users: 100 },
    ...{ trainImpressions: 3000, validationImpressions: 600 },
  });
}

/** Towers that a test can wait for. */
export const smallTowers = {
  dimensions: 16,
  hidden: 32,
  idBuckets: 1024,
  categoryBuckets: 256,
  maxReads: 8,
  context: ['hour'],
  batchSize: 64,
  epochs: 4,
} satisfies Omit<TwoTowerTrainingOptions, 'dataset'>;

export async function trainSmall(
  options: Partial<TwoTowerTrainingOptions> = {},
): Promise<TrainedTowers> {
  return trainTwoTowers({ dataset: smallWorld(), ...smallTowers, ...options });
}
