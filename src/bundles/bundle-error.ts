import { FeedrankError } from '../errors';

/** Something of a bundle is not what was written; `file` says which. @internal */
export function corruptBundle(
  folder: string,
  file: string,
  what: string,
  cause?: unknown,
): FeedrankError {
  return new FeedrankError(
    'BUNDLE_CORRUPT',
    `path: ${file} of bundle '${folder.slice(0, 500)}' is not what was written: ${what}`,
    'path',
    { cause },
  );
}

/** What a system call failed with, short enough for a message. @internal */
export function shortMessage(error: unknown): string {
  return (error instanceof Error ? error.message : String(error))
    .replace(/\s+/g, ' ')
    .slice(0, 500);
}
