import { inspectArchive } from '../../src/archives/inspect-archive';
import { expectRefusal } from '../support/errors';
import { archiveOf, rankerEntries } from './small-ranker';

const inspect = (bytes: Buffer) => inspectArchive(bytes, { argument: 'path', file: 'ranker.pt' });

/** A real model whose code has these lines in its forward, and these after its class. */
async function withCode(forward: readonly string[], after: readonly string[] = []) {
  const code = [
    'class Ranker(Module):',
    '  __parameters__ = []',
    '  __buffers__ = ["mean", ]',
    '  mean : Tensor',
    '  training : bool',
    '  __annotations__["0"] = Tensor',
    '  def forward(self: __torch__.Ranker,',
    '    x: Tensor) -> Tensor:',
    ...forward.map((line) => `    ${line}`),
    '    return x',
    ...after,
    '',
  ];
  return archiveOf((await rankerEntries()).set('code/__torch__.py', Buffer.from(code.join('\n'))));
}

test.each<[string[], string[]?]>([
  [['y = torch.add(x, self.mean, alpha=1)']],
  [['y = getattr(self, "0")']],
  [['y = torch.relu_(torch.linear(x, self.mean)).add(1)']],
  [['a, b, = torch.split(x, 1)', 'c = [torch.abs(d) for d in [a, b]]']],
  [['for i in range(3):', '  y = annotate(Dict[str, Tensor], {"torch.save": x})']],
  [['ops.prim.RaiseException("torch.save(x) \\" os.system # ", "builtins.ValueError")']],
  [['y = x # torch.save(x, "file"); fork()']],
  [['y = __torch__.helper(x, )'], ['def helper(x: Tensor) -> Tensor:', '  return x']],
  [['y = x if torch.__is__(x, None) else torch.neg(x)', 'z = -1.5e-06']],
  [['with self:', '  y = not torch.eq(x, x)', 'z = x is not None', 'w = 1 not in [1]']],
  [['y = "a" # \'"\'', "z = 'it\\'s'", 'w = "\\\\"', 'v = torch.len(w)']],
])('code that only computes is accepted: %j', async (forward, after = []) => {
  await inspect(await withCode(forward, after));
});

test.each<[string, RegExp, string[], string[]?]>([
  ['an operator on files', /operator torch\.save/, ['torch.save(x, "f")']],
  ['an operator on files', /operator torch\.from_file/, ['y = torch.from_file("f")']],
  ['an operator that draws at random', /operator torch\.rand_like/, ['y = torch.rand_like(x)']],
  ['uninitialised memory', /operator torch\.empty/, ['y = torch.empty([1])']],
  ['views of foreign memory', /operator torch\.as_strided/, ['y = torch.as_strided(x, [9], [1])']],
  ['torch.jit', /operator torch\.jit\.load/, ['y = torch.jit.load("f")']],
  ['torch.ops', /operator torch\.ops\.aten\.save/, ['y = torch.ops.aten.save(x)']],
  ['torch alone', /operator torch/, ['y = torch', 'y.save(x)']],
  ['ops alone', /operator ops/, ['y = ops', 'y.aten.save(x)']],
  ['a namespace', /operator ops\.prim/, ['y = ops.prim', 'y.rpc_sync(x)']],
  ['another namespace', /operator ops\.evil\.run/, ['y = ops.evil.run(x)']],
  ['an unknown primitive', /operator ops\.prim\.rpc_sync/, ['ops.prim.rpc_sync(x)']],
  ['an unknown operator', /operator ops\.aten\.save/, ['ops.aten.save(x, "f")']],
  ['dots apart', /operator torch\.save/, ['torch . save(x, "f")']],
  ['dots on several lines', /operator torch\.save/, ['y = (torch', '.', 'save)(x, "f")']],
  ['a method of a tensor', /method or attribute save/, ['x.save("f")']],
  ['a method of an expression', /method or attribute save/, ['(torch.add(x, x)).save("f")']],
  ['a method in a string', /method or attribute save/, ['y = getattr(x, "save")']],
  ['an escaped method', /the name "\\x73ave"/, ['y = getattr(x, "\\x73ave")']],
  ['a method in two strings', /getattr/, ['y = getattr(x, "sa" "ve")']],
  ['a method in a variable', /getattr/, ['n = "save"', 'y = getattr(x, n)']],
  ['getattr by another name', /getattr/, ['g = getattr', 'y = g(x, "save")']],
  [
    'a declared name of an operator',
    /names from_file/,
    ['self.from_file("f")'],
    ['class A(Module):', '  from_file : Tensor'],
  ],
  [
    'a method named as an operator',
    /names save/,
    ['x.save("f")'],
    ['class A(Module):', '  def save(self, f: str) -> int:', '    return 1'],
  ],
  [
    '__setstate__',
    /method __setstate__/,
    [],
    ['class A(Module):', '  def __setstate__(self, state: int) -> NoneType:', '    return None'],
  ],
  [
    '__getstate__',
    /method __getstate__/,
    [],
    ['class A(Module):', '  def __getstate__(self) -> int:', '    return 1'],
  ],
  ['a call of __setstate__', /__setstate__/, ['self.__setstate__(1)']],
  [
    'a class of native code',
    /__torch__\.torch\.classes\.a\.B/,
    ['y = __torch__.torch.classes.a.B(1)'],
  ],
  [
    'a type of native code',
    /__torch__\.torch\.classes\.a\.B/,
    ['y = annotate(__torch__.torch.classes.a.B, x)'],
  ],
  [
    'a class that is not there',
    /__torch__\.Other, which its code does not define/,
    ['y = __torch__.Other(x)'],
  ],
  ['a class of another kind', /another kind: __torch__\.A/, [], ['class A(Interface):', '  pass']],
  ['fork', /the name fork/, ['y = fork(self.forward, x)']],
  ['fork that is bound', /the name fork/, ['fork = x', 'y = fork(x)']],
  ['print', /the name print/, ['print(x)']],
  ['a free name', /the name open/, ['y = open("f")']],
  ['an unknown free name', /the name surprise/, ['y = surprise(x)']],
  ['import', /the name import/, ['import os']],
  ['lambda', /the name lambda/, ['y = lambda z: z']],
  ['a type comment', /type comment/, ['y = x # type: torch.save(x, "f")']],
  ['a triple quote', /string over several lines/, ['y = """', '"""']],
  ['a string that does not end', /string over several lines/, ['y = "abc']],
  ['a continued line', /the sign \\/, ['y = x \\', '.save("f")']],
  ['two words that LibTorch reads as others', /the words is not/, ['y = x is nottorch.save(x)']],
  ['two words that LibTorch reads as others', /the words not in/, ['y = not infork(x)']],
  ['a number with letters', /an odd number/, ['y = 0x1torch.save(x)']],
  ['a carriage return', /characters that no saved code has/, ['y = x # \rtorch.save(x)']],
  ['letters beyond ASCII', /characters that no saved code has/, ['y = x.ſave("f")']],
  ['brackets that do not match', /brackets/, ['y = (x']],
  ['a field with underscores', /field __del__/, [], ['class A(Module):', '  __del__ : int']],
])('code with %s is refused: %s', async (_, message, forward, after = []) => {
  const bytes = await withCode(forward, after);
  await expectRefusal(() => inspect(bytes), { code: 'MODEL_REFUSED', argument: 'path', message });
});

test('code in odd places is refused', async () => {
  const code = Buffer.from('def f(x: Tensor) -> Tensor:\n  return x\n');
  for (const [file, message] of [
    ['code/__torch__/torch/classes/a.py', /native code/],
    ['code/os.py', /code where/],
    ['code/__torch__/a b.py', /code where/],
    ['extra/a.py', /code where/],
  ] as const) {
    const bytes = archiveOf((await rankerEntries()).set(file, code));
    await expectRefusal(() => inspect(bytes), { code: 'MODEL_REFUSED', message });
  }
});

const protocol = '\u0080\u0002';
const pickle = (text: string) => Buffer.from(text, 'latin1');

test.each<[string, RegExp, string]>([
  ['a function of the system', /the global posix\.system/, `${protocol}cposix\nsystem\n.`],
  ['eval', /the global builtins\.eval/, `${protocol}cbuiltins\neval\n.`],
  ['a class that is not there', /the global __torch__\.Other/, `${protocol}c__torch__\nOther\n.`],
  [
    'a class of native code',
    /the global __torch__\.torch\.classes\.a\.B/,
    `${protocol}c__torch__.torch.classes.a\nB\n.`,
  ],
  [
    'a type of native code',
    /class of native code/,
    `${protocol}X\u001b\u0000\u0000\u0000__torch__.torch.classes.a.B.`,
  ],
  ['an opcode that LibTorch does not write', /opcode 0x69/, `${protocol}ios\nsystem\n.`],
  ['a global taken from the stack', /opcode 0x93/, `${protocol}\u0093.`],
  ['no end', /ends before its end/, protocol],
  ['an operand cut short', /ends before its end/, `${protocol}X\u00ff\u0000\u0000\u0000abc`],
  ['a line cut short', /ends before its end/, `${protocol}cposix`],
  ['bytes behind its end', /bytes behind/, `${protocol}N.N.`],
])('a pickle with %s is refused', async (_, message, text) => {
  for (const entry of ['data.pkl', 'constants.pkl', 'code/__torch__.py.debug_pkl']) {
    const bytes = archiveOf((await rankerEntries()).set(entry, pickle(text)));
    await expectRefusal(() => inspect(bytes), { code: 'MODEL_REFUSED', argument: 'path', message });
  }
});
