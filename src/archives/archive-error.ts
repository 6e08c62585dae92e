import { FeedrankError } from '../errors';

/** What a model file is called in the messages about it. */
export interface ArchiveName {
  /** The argument of the caller that named the file. */
  readonly argument: string;
  readonly file: string;
}

/** The file is damaged, or no TorchScript file at all. @internal */
export function corruptArchive(
  { argument, file }: ArchiveName,
  what: string,
  cause?: unknown,
): FeedrankError {
  return new FeedrankError(
    'MODEL_CORRUPT',
    `${argument}: '${file}' is not a whole TorchScript file: ${what}`,
    argument,
    { cause },
  );
}

/** The file holds something that no ranking model needs. @internal */
export function refusedArchive({ argument, file }: ArchiveName, what: string): FeedrankError {
  return new FeedrankError('MODEL_REFUSED', `${argument}: '${file}' is refused: ${what}`, argument);
}
