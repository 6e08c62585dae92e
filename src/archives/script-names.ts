import type { ArchiveEntries } from './read-archive';
import {
  allowedClassFields,
  allowedMagicMethods,
  allowedNamespacedOperators,
  allowedOperators,
  allowedWords,
  keywords,
  tensorAttributes,
} from './allowed-operators';
import { refusedArchive, type ArchiveName } from './archive-error';
import { tokenise, type ScriptLine, type Token } from './script-tokens';

/** What the code of an archive defines and uses. */
export interface ScriptNames {
  /** Qualified names of its classes, such as `__torch__.Ranker`. */
  readonly classes: ReadonlySet<string>;
  /** Attributes and methods that its classes declare and its code uses, beside allowed operators. */
  readonly usedAttributes: ReadonlySet<string>;
}

interface Source {
  readonly file: string;
  readonly lines: readonly ScriptLine[];
  /** Names that some line of the file binds: parameters, targets of assignments and loops. */
  readonly bound: Set<string>;
  readonly refuse: (what: string) => Error;
}

const codeFile = /^code\/(__torch__(?:\/[A-Za-z0-9_]+)*)\.py$/;

/**
 * Reads all code of an archive as text, and refuses each name that is not allowed: an operator that
 * is no plain tensor arithmetic, a class of native code, a method that runs while the file is
 * loaded. Every name in it must be an allowed operator or word, or be declared by the code itself.
 * Throws `MODEL_REFUSED`.
 * @internal
 */
export function readScriptNames(entries: ArchiveEntries, name: ArchiveName): ScriptNames {
  const definitions = new Definitions();
  const sources: Source[] = [];
  for (const [file, bytes] of entries) {
    if (!file.endsWith('.py')) continue;
    const refuse = (what: string) => refusedArchive(name, `${file} holds ${what}`);
    const prefix = codeFile.exec(file)?.[1]?.replaceAll('/', '.');
    if (prefix === undefined) throw refuse('code where no saved model has any');
    if (prefix.startsWith('__torch__.torch.classes')) throw refuse('a class of native code');
    const source = {
      file,
      lines: tokenise(bytes.toString('latin1'), refuse),
      bound: new Set<string>(),
      refuse,
    };
    definitions.read(source, prefix);
    sources.push(source);
  }
  const usedAttributes = new Set<string>();
  for (const source of sources) {
    const uses = new Uses(source, definitions, usedAttributes);
    for (const line of source.lines) uses.check(line.tokens);
  }
  return { classes: definitions.classes, usedAttributes };
}

class Definitions {
  readonly classes = new Set<string>();
  /** Classes and functions. */
  readonly qualified = new Set<string>();
  /** Attributes and methods of any class. */
  readonly members = new Set<string>();

  read(source: Source, prefix: string): void {
    let classIndent = Infinity;
    let methodIndent = Infinity;
    for (const { indent, tokens } of source.lines) {
      if (indent <= methodIndent) methodIndent = Infinity;
      if (indent <= classIndent) classIndent = Infinity;
      const inClass = indent > classIndent && methodIndent === Infinity;
      const [first, second] = tokens;
      if (first?.text === 'class') {
        this.#addClass(source, `${prefix}.${second?.text}`, tokens);
        classIndent = indent;
      } else if (first?.text === 'def') {
        const method = second?.text ?? '';
        if (method.startsWith('__') && !isForward(method) && !allowedMagicMethods.has(method)) {
          throw source.refuse(`method ${method}`);
        }
        if (inClass) this.members.add(method);
        else this.qualified.add(`${prefix}.${method}`);
        methodIndent = indent;
        bindParameters(tokens, source.bound);
      } else if (inClass) {
        this.#addField(source, tokens);
      } else {
        bindTargets(tokens, source.bound);
      }
    }
  }

  #addClass(source: Source, qualified: string, tokens: readonly Token[]): void {
    const bases = tokens.slice(2).filter(({ kind }) => kind === 'name');
    if (bases.some(({ text }) => !['Module', 'NamedTuple', 'Enum'].includes(text))) {
      throw source.refuse(`a class of another kind: ${qualified}`);
    }
    this.classes.add(qualified);
    this.qualified.add(qualified);
  }

  /** `name : type`, `name = value` or `__annotations__["name"] = type`. */
  #addField(source: Source, tokens: readonly Token[]): void {
    const [first, bracket, string] = tokens;
    if (first?.kind !== 'name') throw source.refuse('a field without a name');
    if (first.text === '__annotations__' && bracket?.text !== '=') {
      if (bracket?.text !== '[' || string?.kind !== 'string') {
        throw source.refuse('an annotation without a name');
      }
      this.members.add(plainText(string, source));
    } else if (first.text.startsWith('__') && !allowedClassFields.has(first.text)) {
      throw source.refuse(`field ${first.text}`);
    } else if (first.text !== 'pass') {
      this.members.add(first.text);
      // The name stands in this line as a word, too.
      source.bound.add(first.text);
    }
  }
}

/** Python mangles a second `forward` of a class so. */
function isForward(method: string): boolean {
  return /^__?forward\d*$/.test(method);
}

function bindParameters(tokens: readonly Token[], bound: Set<string>): void {
  tokens.forEach((token, i) => {
    const before = tokens[i - 1]?.text;
    const opens = before === '(' || before === ',' || before === '*';
    if (token.kind === 'name' && token.depth === 1 && opens) bound.add(token.text);
  });
}

/** Targets of assignments, of loops, of comprehensions and of `with`. */
function bindTargets(tokens: readonly Token[], bound: Set<string>): void {
  const bindPlain = (from: number, to: number) => {
    for (let i = from; i < to; i++) {
      const next = tokens[i + 1]?.text ?? '';
      const plain = tokens[i - 1]?.text !== '.' && !['.', '[', '('].includes(next);
      if (tokens[i]?.kind === 'name' && plain) bound.add(tokens[i]!.text);
    }
  };
  const assigned = tokens.findLastIndex(({ text, depth }) => text === '=' && depth === 0);
  const annotated = tokens.findIndex(({ text, depth }) => text === ':' && depth === 0);
  if (assigned > 0) bindPlain(0, annotated > 0 && annotated < assigned ? annotated : assigned);
  tokens.forEach(({ text }, i) => {
    if (text === 'for') {
      const end = tokens.findIndex((token, j) => j > i && token.text === 'in');
      bindPlain(i + 1, end);
    }
    if (text === 'as') bindPlain(i + 1, i + 2);
  });
}

/** A string's content, where it needs no decoding. */
function plainText({ text }: Token, source: Source): string {
  if (text.includes('\\')) throw source.refuse(`the name ${text}`);
  return text.slice(1, -1);
}

/** Checks what the lines of one file name. */
class Uses {
  constructor(
    readonly source: Source,
    readonly definitions: Definitions,
    readonly usedAttributes: Set<string>,
  ) {}

  check(tokens: readonly Token[]): void {
    for (let i = 0; i < tokens.length; i++) {
      const token = tokens[i]!;
      if (token.kind === 'sign' && token.text === '.') {
        this.#attribute(nameAt(tokens, ++i, this.source));
      } else if (token.kind === 'name') {
        const chain = [token.text];
        while (tokens[i + 1]?.text === '.') {
          chain.push(nameAt(tokens, i + 2, this.source));
          i += 2;
        }
        this.#chain(chain, tokens, i);
      }
    }
  }

  /** A name and the names behind its dots; `end` is where the last of them stands. */
  #chain(chain: readonly string[], tokens: readonly Token[], end: number): void {
    const [head, ...rest] = chain as [string, ...string[]];
    if (head === 'torch') {
      const [operator] = rest;
      if (rest.length !== 1 || !allowedOperators.has(operator!)) {
        throw this.source.refuse(`operator ${chain.join('.')}`);
      }
    } else if (head === 'ops') {
      if (rest.length !== 2 || !allowedNamespacedOperators.has(rest.join('.'))) {
        throw this.source.refuse(`operator ${chain.join('.')}`);
      }
    } else if (head === 'CONSTANTS') {
      if (!/^c\d+$/.test(rest[0] ?? '')) throw this.source.refuse(chain.join('.'));
      rest.slice(1).forEach((attribute) => this.#attribute(attribute));
    } else if (head === '__torch__') {
      this.#qualified(chain);
    } else {
      if (chain.length === 1) this.#word(head, tokens, end);
      else this.#value(head);
      rest.forEach((attribute) => this.#attribute(attribute));
    }
  }

  #qualified(chain: readonly string[]): void {
    for (let length = chain.length; length > 1; length--) {
      if (!this.definitions.qualified.has(chain.slice(0, length).join('.'))) continue;
      chain.slice(length).forEach((attribute) => this.#attribute(attribute));
      return;
    }
    throw this.source.refuse(`${chain.join('.')}, which its code does not define`);
  }

  #word(word: string, tokens: readonly Token[], at: number): void {
    const before = tokens[at - 1]?.text;
    const next = tokens[at + 1]?.text;
    if (word === 'getattr' || word === 'hasattr') return this.#getattr(tokens, at);
    // What follows `def` and `class` has been checked where it is defined.
    if (at === 1 && (before === 'def' || before === 'class')) return;
    if (at === 0 && allowedClassFields.has(word)) return;
    // The name of an argument that is passed by name.
    if (next === '=' && tokens[at]!.depth > 0 && (before === ',' || before === '(')) {
      if (word.startsWith('__')) throw this.source.refuse(word);
      return;
    }
    this.#value(word);
  }

  #value(word: string): void {
    if (keywords.has(word) || allowedWords.has(word)) return;
    if (forbiddenWords.has(word) || word.startsWith('__') || !this.source.bound.has(word)) {
      throw this.source.refuse(`the name ${word}`);
    }
  }

  /** `getattr(value, "name")`, whose string is a name like any other. */
  #getattr(tokens: readonly Token[], at: number): void {
    const opening = tokens[at + 1];
    const closing = tokens.findIndex(
      ({ text, depth }, i) => i > at + 1 && text === ')' && depth === opening?.depth,
    );
    const [comma, string] = tokens.slice(closing - 2, closing);
    const whole =
      opening?.text === '(' &&
      closing > at + 4 &&
      comma?.text === ',' &&
      comma.depth === opening.depth + 1 &&
      string?.kind === 'string';
    if (!whole) throw this.source.refuse(`${tokens[at]!.text} of a name that is not in its text`);
    this.#attribute(plainText(string, this.source));
  }

  #attribute(attribute: string): void {
    if (allowedOperators.has(attribute) || tensorAttributes.has(attribute)) return;
    if (!this.definitions.members.has(attribute)) {
      throw this.source.refuse(`the method or attribute ${attribute.slice(0, 80)}`);
    }
    this.usedAttributes.add(attribute);
  }
}

/** Words of LibTorch's own that do more than compute, bound or not. */
const forbiddenWords = new Set([
  ...['fork', 'awaitable', 'awaitable_wait', 'awaitable_nowait', 'print', 'open', 'super'],
  ...['exec', 'eval', 'compile', 'globals', 'locals', 'vars', 'torch', 'ops', 'CONSTANTS'],
  ...[
    'getattr',
    'hasattr',
    'setattr',
    'delattr',
    'import',
    'from',
    'lambda',
    'global',
    'rpc_async',
  ],
]);

function nameAt(tokens: readonly Token[], at: number, source: Source): string {
  const token = tokens[at];
  if (token?.kind !== 'name') throw source.refuse('a dot without a name');
  return token.text;
}
