import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { FeedrankError } from '../errors';

/**
 * The folder of a dataset: `directory` itself, or the folder of this name in it where that holds
 * the file by which the dataset is known.
 *
 * @throws {FeedrankError} `DATA_MISSING` where `directory` is no folder.
 */
export function findDataFolder(directory: string, name: string, file: string): string {
  if (!existsSync(directory) || !statSync(directory).isDirectory()) {
    throw new FeedrankError('DATA_MISSING', `there is no folder ${directory}`, 'data');
  }
  const inside = join(directory, name);
  const isParent = !existsSync(join(directory, file)) && existsSync(join(inside, file));
  return isParent ? inside : directory;
}
