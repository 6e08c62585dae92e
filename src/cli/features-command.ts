import type { Command } from 'commander';

import { datasetNames, openDataset } from '../data/open-dataset';
import {
  datasetFeatures,
  documentedSignals,
  signalsOf,
  type DatasetSignals,
} from '../features/dataset-features';
import { plainTable } from '../text-table';
import { say } from './output';
import { withUsageErrors } from './report-error';

interface FeaturesFlags {
  readonly dataset?: string;
  readonly data?: string;
  readonly json?: boolean;
}

/** Adds `feedrank features` to the program. */
export function addFeaturesCommand(program: Command): void {
  program
    .command('features')
    .description('List the features that a feed can serve by name, in order.')
    .option('--dataset <name>', `with those of a dataset: ${datasetNames.join(', ')}`)
    .option('--data <folder>', 'folder of the dataset (default: what its documentation says)')
    .option('--json', 'print one JSON object')
    .action(run);
}

async function run({ dataset, data, json }: FeaturesFlags): Promise<void> {
  const signals = await withUsageErrors(['dataset', 'data'], () => findSignals(dataset, data));
  const features = datasetFeatures(signals).map(
    ({ name, source, transformation = 'identity', reference = 'none' }) => ({
      name,
      source,
      transformation,
      reference,
    }),
  );
  say(
    json
      ? JSON.stringify({ features })
      : plainTable(
          ['name', 'source', 'transformation', 'reference'],
          features.map((feature) => Object.values(feature)),
        ),
  );
}

async function findSignals(
  dataset: string | undefined,
  data: string | undefined,
): Promise<DatasetSignals | undefined> {
  if (dataset === undefined) return undefined;
  const known = data === undefined ? documentedSignals(dataset) : undefined;
  if (known !== undefined) return known;
  return signalsOf(await openDataset({ dataset, ...(data === undefined ? {} : { data }) }));
}
