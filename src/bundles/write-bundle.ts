import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { access, lstat, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { sha256 } from '../archives/in-slices';
import { FeedrankError } from '../errors';
import { checkFlag, checkPath } from '../validation';
import { encodeParts, type BundleParts } from './bundle-parts';
import { shortMessage } from './bundle-error';
import { bundleFiles, bundleKind, manifestName } from './manifest';
import { sealManifest } from './seal-manifest';

export type { BundleParts } from './bundle-parts';

/**
 * Writes a bundle: a new folder beside the target, whose files and names are on disk before it is
 * renamed to `target`. Rejects with `INVALID_ARGUMENT`; with `OUTPUT_EXISTS` where there is
 * something at `target`, which `force` lets it replace if that is a bundle or an empty folder; or
 * with `FILE_NOT_WRITTEN`, after which nothing is left behind and an older bundle is as it was.
 * @internal
 */
export async function writeBundle(
  target: string,
  parts: BundleParts,
  options: { readonly force?: boolean; readonly createdAt?: Date } = {},
): Promise<void> {
  const folder = path.resolve(checkPath(target, 'path'));
  const force = checkFlag(options.force ?? false, 'force');
  const { files, manifest } = encodeParts(parts, options.createdAt ?? new Date());
  await checkTarget(folder, force);
  const beside = path.join(path.dirname(folder), `.${path.basename(folder)}-`);
  const suffix = randomBytes(6).toString('hex');
  const partial = `${beside}${suffix}.partial`;
  try {
    await mkdir(partial);
    const listed: Record<string, { bytes: number; sha256: string }> = {};
    for (const [name, bytes] of files) {
      await writeDurably(path.join(partial, name), bytes);
      listed[name] = { bytes: bytes.length, sha256: await sha256(bytes) };
    }
    const sealed = sealManifest({ ...manifest(listed) });
    await writeDurably(path.join(partial, manifestName), sealed);
    await syncFolder(partial);
    if (force) await replace(folder, partial, `${beside}${suffix}.old`);
    else await rename(partial, folder);
    await syncFolder(path.dirname(folder));
  } catch (error) {
    await rm(partial, { recursive: true, force: true }).catch(() => undefined);
    // Somebody else was first.
    if (isTaken(error)) throw exists(folder, force);
    throw notWritten(folder, error);
  }
}

function notWritten(folder: string, error: unknown): FeedrankError {
  return new FeedrankError(
    'FILE_NOT_WRITTEN',
    `path: cannot write bundle '${folder.slice(0, 500)}': ${shortMessage(error)}`,
    'path',
    { cause: error },
  );
}

/** Puts `partial` in the place of `folder`, which is not lost if that fails. */
async function replace(folder: string, partial: string, old: string): Promise<void> {
  let moved = true;
  try {
    await rename(folder, old);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
    moved = false;
  }
  try {
    await rename(partial, folder);
  } catch (error) {
    if (moved) await rename(old, folder);
    throw error;
  }
  if (moved) await rm(old, { recursive: true, force: true });
}

/**
 * Refuses a target that {@link writeBundle} would refuse: a wrong path must not cost anybody a folder
 * that was no bundle. Rejects with `OUTPUT_EXISTS`.
 * @internal
 */
export async function checkBundleTarget(target: string, force: boolean): Promise<void> {
  await checkTarget(path.resolve(checkPath(target, 'path')), force);
}

async function checkTarget(folder: string, force: boolean): Promise<void> {
  const there = await lstat(folder).catch(() => undefined);
  if (there !== undefined) {
    if (!force) throw exists(folder, force);
    const names = await readdir(folder).catch(() => undefined);
    if (names === undefined || (names.length > 0 && !(await isBundle(folder, names)))) {
      throw exists(folder, force);
    }
  }
  await checkParent(folder);
}

/** Whether a folder holds a bundle and nothing else; other things have a manifest.json as well. */
async function isBundle(folder: string, names: readonly string[]): Promise<boolean> {
  const own: readonly string[] = [manifestName, ...Object.values(bundleFiles)];
  if (!names.includes(manifestName) || !names.every((name) => own.includes(name))) return false;
  const text = await readFile(path.join(folder, manifestName), 'utf8').catch(() => '');
  return text.includes(`"kind": "${bundleKind}"`);
}

/** What cannot be written is better told before anything is learnt. */
async function checkParent(folder: string): Promise<void> {
  const parent = path.dirname(folder);
  try {
    await access(parent, constants.W_OK | constants.X_OK);
    await readdir(parent);
  } catch (error) {
    throw notWritten(folder, error);
  }
}

function exists(folder: string, force: boolean): FeedrankError {
  const way = force
    ? 'something else than a bundle, which is not replaced'
    : 'something, which only force replaces';
  return new FeedrankError(
    'OUTPUT_EXISTS',
    `path: there is ${way}, at '${folder.slice(0, 500)}'`,
    'path',
  );
}

async function writeDurably(file: string, bytes: Uint8Array): Promise<void> {
  const handle = await open(file, 'wx');
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Makes the names in a folder durable. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Whether the last rename found something in its way. */
function isTaken(error: unknown): boolean {
  return (
    (error as NodeJS.ErrnoException).syscall === 'rename' &&
    ['ENOTEMPTY', 'EEXIST', 'ENOTDIR'].includes(codeOf(error))
  );
}

function codeOf(error: unknown): string {
  return String((error as { code?: unknown } | null)?.code);
}
