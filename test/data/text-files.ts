import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import type { Dataset, DatasetImpression, ReaderHistory } from '../../src/data/dataset';

/** Lines, or the bytes of the whole file. */
export type FileContent = readonly string[] | Buffer;

/** Writes text files into a new folder, and returns the folder. */
export function writeFiles(files: Readonly<Record<string, FileContent>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'feedrank-text-'));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    const bytes = Buffer.isBuffer(content) ? content : content.map((line) => `${line}\n`).join('');
    writeFileSync(join(folder, path), bytes);
  }
  return folder;
}

export async function readAll(dataset: Dataset, split: string): Promise<DatasetImpression[]> {
  const impressions: DatasetImpression[] = [];
  for await (const impression of dataset.impressions(split)) impressions.push(impression);
  return impressions;
}

export async function readHistories(dataset: Dataset, split: string): Promise<ReaderHistory[]> {
  const histories: ReaderHistory[] = [];
  for await (const history of dataset.history?.(split) ?? []) histories.push(history);
  return histories;
}
