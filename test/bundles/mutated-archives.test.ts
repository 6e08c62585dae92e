import fs from 'node:fs';
import path from 'node:path';
import { runChild } from '../support/child';
import { Lcg } from '../support/random';
import { temporaryFolder } from '../support/temporary-folder';
import { archiveOf, rankerBytes, rankerEntries } from './small-ranker';

/** Overwrites, cuts, doubles or moves some of the bytes. */
function mutated(bytes: Uint8Array, random: Lcg): Buffer {
  let copy = Buffer.from(bytes);
  for (let changes = 1 + random.below(3); changes > 0; changes--) {
    const at = random.below(copy.length + 1);
    const length = Math.min(1 + random.below(16), copy.length - at);
    switch (random.below(4)) {
      case 0:
        if (length > 0) copy[at] = random.below(256);
        break;
      case 1:
        copy = Buffer.concat([copy.subarray(0, at), copy.subarray(at + length)]);
        break;
      case 2:
        copy = Buffer.concat([copy.subarray(0, at + length), copy.subarray(at)]);
        break;
      default:
        copy.copyWithin(at, random.below(copy.length + 1), random.below(copy.length + 1));
    }
  }
  return copy;
}

/** How a process of its own that loads each of the files fares. */
async function outcomes(files: readonly Buffer[]): Promise<Record<string, number>> {
  const folder = temporaryFolder();
  files.forEach((bytes, i) => fs.writeFileSync(path.join(folder, `${i}.pt`), bytes));
  const { code, signal, out, err } = await runChild(`(async () => {
    const description = { formatVersion: 1, features: [{ name: 'a' }, { name: 'b' }] };
    const counts = {};
    for (let i = 0; i < ${files.length}; i++) {
      let outcome;
      try {
        const model = await Model.load(${JSON.stringify(folder)} + '/' + i + '.pt', { allowUnverified: true, description });
        await model.score([1, 2]);
        outcome = 'loaded';
      } catch (error) {
        outcome = error instanceof feedrank.FeedrankError ? error.code : 'untyped: ' + error.stack;
      }
      counts[outcome] = (counts[outcome] ?? 0) + 1;
    }
    console.log(JSON.stringify(counts));
  })();`);
  expect({ code, signal, err }).toEqual({ code: 0, signal: null, err: '' });
  return JSON.parse(out) as Record<string, number>;
}

const typed = ['MODEL_CORRUPT', 'MODEL_REFUSED', 'MODEL_SHAPE', 'MODEL_OUTPUT', 'loaded'];

test('a file with random changes is refused by a typed error, or loads; the process lives', async () => {
  const random = new Lcg(3);
  const bytes = await rankerBytes();
  const counts = await outcomes(Array.from({ length: 1500 }, () => mutated(bytes, random)));
  expect(Object.keys(counts).filter((outcome) => !typed.includes(outcome))).toEqual([]);
  expect(counts['MODEL_CORRUPT']! + counts['MODEL_REFUSED']!).toBeGreaterThan(1000);
});

test('so is one whose code or pickles are changed and whose checksums are right', async () => {
  const random = new Lcg(4);
  const entries = await rankerEntries();
  const names = [...entries.keys()].filter((name) => /\.(py|pkl)$/.test(name));
  expect(names).toEqual(expect.arrayContaining(['code/__torch__.py', 'data.pkl']));
  const files = Array.from({ length: 1500 }, () => {
    const name = random.pick(names);
    return archiveOf(new Map(entries).set(name, mutated(entries.get(name)!, random)));
  });
  const counts = await outcomes(files);
  expect(Object.keys(counts).filter((outcome) => !typed.includes(outcome))).toEqual([]);
  // Deep enough that LibTorch's own parsers meet some of them.
  expect(counts['MODEL_CORRUPT']!).toBeGreaterThan(50);
  expect(counts['MODEL_REFUSED']!).toBeGreaterThan(50);
});
