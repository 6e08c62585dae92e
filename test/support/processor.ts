import fs from 'node:fs';

const hasBfloat16 = fs.existsSync('/proc/cpuinfo')
  ? /\bavx512_bf16\b/.test(fs.readFileSync('/proc/cpuinfo', 'utf8'))
  : false;

/** Like `test`, but skipped, saying why, where the processor lacks instructions for bfloat16. */
export const testWithBfloat16 = (name: string, body: () => Promise<void>): void => {
  if (hasBfloat16) test(name, body);
  else test.skip(`${name} (needs a processor with avx512_bf16)`, () => undefined);
};

/** Like `test`, but skipped, saying why, where the processor has instructions for bfloat16. */
export const testWithoutBfloat16 = (name: string, body: () => Promise<void>): void => {
  if (!hasBfloat16) test(name, body);
  else test.skip(`${name} (needs a processor without avx512_bf16)`, () => undefined);
};
