/** What one opcode of a pickle takes: a number of bytes, lines of text, or bytes that it counts. */
type Operand = number | 'line-pair' | 'counted-1' | 'counted-4';

/** The opcodes that LibTorch writes (protocol 2), but for `GLOBAL` and `STOP`. */
const operands: ReadonlyMap<number, Operand> = new Map<number, Operand>([
  [0x28, 0], // MARK
  [0x29, 0], // EMPTY_TUPLE
  [0x42, 'counted-4'], // BINBYTES
  [0x47, 8], // BINFLOAT
  [0x4a, 4], // BININT
  [0x4b, 1], // BININT1
  [0x4d, 2], // BININT2
  [0x4e, 0], // NONE
  [0x51, 0], // BINPERSID
  [0x52, 0], // REDUCE
  [0x55, 'counted-1'], // SHORT_BINSTRING
  [0x58, 'counted-4'], // BINUNICODE
  [0x5d, 0], // EMPTY_LIST
  [0x61, 0], // APPEND
  [0x62, 0], // BUILD
  [0x63, 'line-pair'], // GLOBAL
  [0x65, 0], // APPENDS
  [0x68, 1], // BINGET
  [0x6a, 4], // LONG_BINGET
  [0x71, 1], // BINPUT
  [0x72, 4], // LONG_BINPUT
  [0x73, 0], // SETITEM
  [0x74, 0], // TUPLE
  [0x75, 0], // SETITEMS
  [0x7d, 0], // EMPTY_DICT
  [0x80, 1], // PROTO
  [0x81, 0], // NEWOBJ
  [0x85, 0], // TUPLE1
  [0x86, 0], // TUPLE2
  [0x87, 0], // TUPLE3
  [0x88, 0], // NEWTRUE
  [0x89, 0], // NEWFALSE
  [0x8a, 'counted-1'], // LONG1
]);
const stop = 0x2e;
const textOpcodes = new Set([0x55, 0x58]);

const storages = ['Float', 'Double', 'Half', 'BFloat16', 'Long', 'Int', 'Short', 'Char', 'Byte'];

/** What LibTorch itself writes beside the archive's own classes. */
const allowedGlobals: ReadonlySet<string> = new Set([
  'collections OrderedDict',
  'torch._utils _rebuild_tensor_v2',
  'torch.jit._pickle build_boollist',
  'torch.jit._pickle build_doublelist',
  'torch.jit._pickle build_intlist',
  'torch.jit._pickle build_tensorlist',
  'torch.jit._pickle restore_type_tag',
  'torch device',
  ...[...storages, 'Bool'].map((type) => `torch ${type}Storage`),
]);

/**
 * Walks through a pickle's opcodes, without running them, and refuses it where it names anything
 * but tensors, plain containers and `classes`: names of classes that the archive's own code
 * defines. `refuse` makes the error.
 * @internal
 */
export function scanPickle(
  bytes: Buffer,
  classes: ReadonlySet<string>,
  refuse: (what: string) => Error,
): void {
  const ended = () => refuse('a pickle that ends before its end');
  let at = 0;
  const take = (length: number) => {
    if (at + length > bytes.length) throw ended();
    at += length;
    return bytes.subarray(at - length, at);
  };
  const takeLine = () => {
    const end = bytes.indexOf(0x0a, at);
    if (end < 0) throw ended();
    const line = bytes.toString('latin1', at, end);
    at = end + 1;
    return line;
  };
  for (;;) {
    const opcode = take(1)[0]!;
    if (opcode === stop) break;
    const operand = operands.get(opcode);
    if (operand === undefined) throw refuse(`pickle opcode 0x${opcode.toString(16)}`);
    if (typeof operand === 'number') {
      take(operand);
    } else if (operand === 'line-pair') {
      checkGlobal(takeLine(), takeLine(), classes, refuse);
    } else {
      const length = operand === 'counted-1' ? take(1)[0]! : take(4).readUInt32LE(0);
      const content = take(length);
      // Types may be spelt in strings.
      if (textOpcodes.has(opcode) && content.includes('torch.classes')) {
        throw refuse('a class of native code');
      }
    }
  }
  if (at !== bytes.length) throw refuse('bytes behind the end of a pickle');
}

function checkGlobal(
  module: string,
  name: string,
  classes: ReadonlySet<string>,
  refuse: (what: string) => Error,
): void {
  if (allowedGlobals.has(`${module} ${name}`) || classes.has(`${module}.${name}`)) return;
  const shown = `${module}.${name}`.replace(/[^\x20-\x7e]/g, '?').slice(0, 120);
  throw refuse(`the global ${shown}`);
}
