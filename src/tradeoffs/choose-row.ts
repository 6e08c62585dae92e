import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { FeedrankError } from '../errors';
import { replaceFile } from '../files/replace-file';
import { checkFlag, checkName, checkPath } from '../validation';
import { readReport, reportFiles } from './report-folder';

/** A row of a report, ready to go live. */
export interface ChosenRow {
  readonly id: string;
  /** Path of the profile that was written. */
  readonly profile: string;
  /** Folder of the bundle that ranks; `null` where the row needs none. */
  readonly bundle: string | null;
  /** What the bundle is opened in. */
  readonly precision: string | null;
}

/**
 * Saves a row of a finished report as a `RankProfile`, and says which bundle ranks with it. Rejects
 * with `INVALID_ARGUMENT` where there is no such row or no report, `OUTPUT_EXISTS` where the file
 * exists, unless `force`, and `FILE_NOT_WRITTEN`.
 */
export async function chooseRow(
  folder: string,
  id: string,
  file: string,
  options: { readonly force?: boolean } = {},
): Promise<ChosenRow> {
  checkName(id, 'choose');
  checkPath(file, 'profile');
  const force = checkFlag(options.force ?? false, 'force');
  const report = await readReport(checkPath(folder, 'out'));
  if (report === undefined) {
    throw new FeedrankError('INVALID_ARGUMENT', `out: '${folder}' holds no finished report`, 'out');
  }
  const row = report.rows.find((one) => one.id === id);
  const profile = report.profiles[id];
  if (row === undefined || profile === undefined) {
    throw new FeedrankError(
      'INVALID_ARGUMENT',
      `choose: the report has no row ${JSON.stringify(id)}, only ${report.rows.map((one) => one.id).join(', ')}`,
      'choose',
    );
  }
  if (existsSync(file) && !force) {
    throw new FeedrankError('OUTPUT_EXISTS', `profile: '${file}' exists`, 'profile');
  }
  try {
    await replaceFile(file, `${JSON.stringify(profile, null, 2)}\n`);
  } catch (error) {
    throw new FeedrankError(
      'FILE_NOT_WRITTEN',
      `profile: cannot write '${file}': ${(error as Error).message}`,
      'profile',
      { cause: error },
    );
  }
  const { bundle, precision } = row.settings;
  return {
    ...{ id, profile: file },
    bundle: typeof bundle === 'string' ? join(folder, reportFiles.bundles, bundle) : null,
    precision: typeof precision === 'string' ? precision : null,
  };
}
