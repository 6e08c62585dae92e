import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { FeedrankError } from '../errors';
import { replaceFile } from '../files/replace-file';
import type { TradeoffReport } from './report';

/** Names in a report's folder. */
export const reportFiles = {
  json: 'report.json',
  page: 'report.html',
  bundles: 'bundles',
  /** Says what run has begun here, until it has ended. */
  begun: 'begun.json',
} as const;

const ours: readonly string[] = Object.values(reportFiles);

/** A text that differs where what a run measures differs. */
export function fingerprintOf(options: unknown): string {
  return createHash('sha256').update(JSON.stringify(options)).digest('hex');
}

/**
 * Makes ready the folder of a report: a new one, or one that a run of the same fingerprint has begun.
 * Rejects with `OUTPUT_EXISTS` where anything else is there, unless `force` throws it away, which it
 * does to reports alone; and with `FILE_NOT_WRITTEN`.
 */
export async function openReportFolder(
  folder: string,
  fingerprint: string,
  force: boolean,
): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    const names = await readdir(folder);
    // A run that was killed may have left a file half written.
    const stranger = names.find((name) => !ours.includes(name.replace(/^\.(.*)\.partial$/, '$1')));
    if (stranger !== undefined) throw taken(folder, `holds ${JSON.stringify(stranger)}`);
    if (names.includes(reportFiles.json) && !force) throw taken(folder, 'holds a report');
    const begun = await begunBy(folder);
    const isOwn = begun === fingerprint && !names.includes(reportFiles.json);
    if (names.length > 0 && !isOwn && !force) {
      throw taken(folder, 'holds what a run with other options has begun');
    }
    if (!isOwn) for (const name of names) await rm(join(folder, name), { recursive: true });
    await mkdir(join(folder, reportFiles.bundles), { recursive: true });
    await writeFile(join(folder, reportFiles.begun), `${JSON.stringify({ fingerprint })}\n`);
  } catch (error) {
    throw asNotWritten(folder, error);
  }
}

async function begunBy(folder: string): Promise<unknown> {
  try {
    const text = await readFile(join(folder, reportFiles.begun), 'utf8');
    return (JSON.parse(text) as { fingerprint?: unknown }).fingerprint;
  } catch {
    return undefined;
  }
}

/** Writes the report, its JSON last: where that is, everything is. */
export async function writeReport(
  folder: string,
  report: TradeoffReport,
  page: string,
): Promise<void> {
  try {
    await replaceFile(join(folder, reportFiles.page), page);
    await replaceFile(join(folder, reportFiles.json), `${JSON.stringify(report, null, 2)}\n`);
    await rm(join(folder, reportFiles.begun), { force: true });
  } catch (error) {
    throw asNotWritten(folder, error);
  }
}

/** The finished report of a folder; undefined where there is none. Rejects with `DATA_MALFORMED`. */
export async function readReport(folder: string): Promise<TradeoffReport | undefined> {
  const file = join(folder, reportFiles.json);
  if (!existsSync(file)) return undefined;
  try {
    const report = JSON.parse(await readFile(file, 'utf8')) as TradeoffReport;
    if (report.formatVersion === 1 && Array.isArray(report.rows)) return report;
  } catch (error) {
    throw notAReport(file, error);
  }
  throw notAReport(file);
}

function notAReport(file: string, cause?: unknown): FeedrankError {
  return new FeedrankError(
    'DATA_MALFORMED',
    `out: expected a report of format 1 in '${file}', got something else`,
    'out',
    { cause },
  );
}

function taken(folder: string, what: string): FeedrankError {
  return new FeedrankError(
    'OUTPUT_EXISTS',
    `out: expected a new folder, or one that the same options have begun, got '${folder}', which ${what}`,
    'out',
  );
}

function asNotWritten(folder: string, error: unknown): FeedrankError {
  if (error instanceof FeedrankError) return error;
  return new FeedrankError(
    'FILE_NOT_WRITTEN',
    `out: cannot write to '${folder}': ${(error as Error).message}`,
    'out',
    { cause: error },
  );
}
