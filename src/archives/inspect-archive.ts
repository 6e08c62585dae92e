import { binding } from '../binding';
import { corruptArchive, refusedArchive, type ArchiveName } from './archive-error';
import { readArchive } from './read-archive';
import { scanPickle } from './scan-pickle';
import { readScriptNames } from './script-names';

/** Entries of a TorchScript file: its data, its constants, its code, what else was put with it. */
const knownEntry =
  /^(?:(?:data|constants|traced_inputs)(?:\.pkl|\/\d+)|code\/.+\.py(?:\.debug_pkl)?|(?:\.data\/)?(?:version|byteorder|serialization_id)|\.format_version|\.storage_alignment|extra\/.+)$/;

/**
 * Inspects the bytes of a TorchScript file before LibTorch sees them: its zip structure, its sizes
 * and checksums, the operators that its code names and the classes that its pickles name. What
 * passes can compute on tensors and do nothing else. Rejects with `MODEL_CORRUPT` where it is
 * damaged, and with `MODEL_REFUSED` where it holds what no ranking model needs.
 * @internal
 */
export async function inspectArchive(bytes: Buffer, name: ArchiveName): Promise<void> {
  const entries = await readArchive(bytes, name);
  for (const needed of ['data.pkl', 'constants.pkl']) {
    if (!entries.has(needed)) throw corruptArchive(name, `it has no ${needed}`);
  }
  for (const entry of entries.keys()) {
    if (!knownEntry.test(entry))
      throw refusedArchive(name, `it holds an entry ${entry.slice(0, 80)}`);
  }
  const { classes, usedAttributes } = readScriptNames(entries, name);
  for (const [entry, content] of entries) {
    if (!entry.endsWith('pkl') || entry.startsWith('extra/')) continue;
    scanPickle(content, classes, (what) => refusedArchive(name, `${entry} holds ${what}`));
  }
  // A tensor has a method for each operator, so an attribute must not share its name with one that
  // is not allowed: text does not tell on what an attribute is looked up.
  const [operator] = binding().operatorsAmong({ names: [...usedAttributes] });
  if (operator !== undefined) {
    throw refusedArchive(name, `its code names ${operator}, an operator that is not allowed`);
  }
}
