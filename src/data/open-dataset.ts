import { FeedrankError, invalidArgument } from '../errors';
import type { Dataset, MalformedRows } from './dataset';
import { openEbnerd } from './ebnerd';
import { openMind } from './mind';
import { openMovielens } from './movielens';
import { simulatedScenarios, simulateFeed } from './simulated-feed';
import type { SimulatedScenario } from './simulated-feed';

/** Names of the datasets that {@link openDataset} knows. */
export const datasetNames = ['ebnerd', 'mind', 'movielens', 'simulated'] as const;

const folderReaders = { ebnerd: openEbnerd, mind: openMind, movielens: openMovielens } as const;

/** Which dataset, and where it is. */
export interface DatasetSource {
  /** `ebnerd`, `mind`, `movielens` or `simulated`. */
  readonly dataset: string;
  /** The dataset's folder; needed by all but `simulated`. */
  readonly data?: string;
  /** Seed of a simulated world. Defaults to `1`. */
  readonly seed?: number;
  /** Scenario of a simulated world. Defaults to `feed`. */
  readonly scenario?: string;
  /** What becomes of malformed rows. Defaults to `fail`. */
  readonly malformed?: MalformedRows;
}

/**
 * Opens a dataset by name.
 * @throws {FeedrankError} `INVALID_ARGUMENT`, `DATA_MISSING`, `DATA_MALFORMED`
 */
export async function openDataset(source: DatasetSource): Promise<Dataset> {
  const { dataset, data, seed = 1, scenario, malformed = 'fail' } = source;
  if (malformed !== 'fail' && malformed !== 'skip') {
    throw invalidArgument('malformed', 'fail or skip', malformed);
  }
  if (dataset !== 'simulated' && scenario !== undefined) {
    throw invalidArgument(
      'scenario',
      'nothing, because only simulated data has scenarios',
      scenario,
    );
  }
  switch (dataset) {
    case 'simulated': {
      if (data !== undefined) {
        throw invalidArgument('data', 'nothing, because simulated data has no folder', data);
      }
      return simulateFeed({ seed, scenario: toScenario(scenario ?? 'feed') });
    }
    case 'ebnerd':
    case 'mind':
    case 'movielens': {
      if (typeof data !== 'string' || data === '') {
        throw new FeedrankError('INVALID_ARGUMENT', `data: ${dataset} needs its folder`, 'data');
      }
      return folderReaders[dataset](data, { malformed });
    }
    default:
      throw invalidArgument('dataset', `one of ${datasetNames.join(', ')}`, dataset);
  }
}

function toScenario(name: string): SimulatedScenario {
  const scenario = simulatedScenarios.find((known) => known === name);
  if (scenario === undefined) {
    throw invalidArgument('scenario', `one of ${simulatedScenarios.join(', ')}`, name);
  }
  return scenario;
}
