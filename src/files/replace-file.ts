import { rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

/** Writes a file beside its place and then puts it there: a full disk costs no older one. */
export async function replaceFile(file: string, content: string | Buffer): Promise<void> {
  const partial = path.join(path.dirname(file), `.${path.basename(file)}.partial`);
  try {
    await writeFile(partial, content);
    await rename(partial, file);
  } catch (error) {
    await rm(partial, { force: true }).catch(() => undefined);
    throw error;
  }
}
