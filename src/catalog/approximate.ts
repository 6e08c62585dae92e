import type { NativeSchema } from '../binding';
import { invalidArgument } from '../errors';

/** Where a search goes. @internal */
export interface RetrievalTarget {
  readonly device: string;
  readonly spaces: NativeSchema['spaces'];
}

/** Throws `INVALID_ARGUMENT` where a search cannot be approximate. @internal */
export function checkApproximate({ device, spaces }: RetrievalTarget, argument: string): void {
  if (device !== 'cpu') {
    throw invalidArgument(argument, `'exact', as is all retrieval on ${device}`, 'approximate');
  }
  const exact = spaces.find(({ index }) => index === 'exact');
  if (exact !== undefined) {
    throw invalidArgument(
      argument,
      `'exact', as space ${exact.name} was created without index: 'approximate'`,
      'approximate',
    );
  }
}
