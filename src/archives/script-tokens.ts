/** A word, number, string or sign of TorchScript source. */
export interface Token {
  readonly kind: 'name' | 'number' | 'string' | 'sign';
  /** As it stands in the source, quotes included. */
  readonly text: string;
  /** How many brackets are open around it. */
  readonly depth: number;
}

/** What stands on one line, or on several where brackets hold them together. */
export interface ScriptLine {
  readonly indent: number;
  readonly tokens: readonly Token[];
}

const name = /[A-Za-z_][A-Za-z0-9_]*/y;
const number = /(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?j?/y;
const string = /"(?:[^"\\\n]|\\[^\n])*"|'(?:[^'\\\n]|\\[^\n])*'/y;
const sign = /\.\.\.|->|\*\*=?|\/\/=?|<<=?|>>=?|[-+*/%@&|^=!<>]=?|[()[\]{}:,.~?]/y;

/**
 * Splits TorchScript source into tokens as LibTorch's own lexer does. Where the two could ever read
 * a text differently, the text is refused rather than read: saved code has no need of such forms.
 * `refuse` makes the error.
 * @internal
 */
export function tokenise(source: string, refuse: (what: string) => Error): ScriptLine[] {
  const lines: ScriptLine[] = [];
  let tokens: Token[] = [];
  let indent = 0;
  let depth = 0;
  let lineStart = 0;
  const endLine = () => {
    if (tokens.length > 0) lines.push({ indent, tokens });
    tokens = [];
  };
  const matchAt = (pattern: RegExp, at: number) => {
    pattern.lastIndex = at;
    return pattern.exec(source)?.[0];
  };
  if (/[^\n\x20-\x7e]/.test(source)) throw refuse('characters that no saved code has');
  for (let at = 0; at < source.length;) {
    const character = source[at]!;
    if (character === '\n') {
      at++;
      if (depth === 0) endLine();
      lineStart = at;
      continue;
    }
    if (character === ' ') {
      at++;
      continue;
    }
    if (character === '#') {
      // LibTorch takes what follows this mark as code.
      if (source.startsWith('# type:', at)) throw refuse('a type comment');
      const end = source.indexOf('\n', at);
      at = end < 0 ? source.length : end;
      continue;
    }
    const [kind, text] = nextToken(source, at, matchAt, refuse);
    if (tokens.length === 0) indent = at - lineStart;
    if (')]}'.includes(text) && --depth < 0) throw refuse('brackets that do not match');
    tokens.push({ kind, text, depth });
    if ('([{'.includes(text)) depth++;
    at += text.length;
  }
  if (depth !== 0) throw refuse('brackets that do not match');
  endLine();
  return lines;
}

function nextToken(
  source: string,
  at: number,
  matchAt: (pattern: RegExp, at: number) => string | undefined,
  refuse: (what: string) => Error,
): [Token['kind'], string] {
  const word = matchAt(name, at);
  if (word !== undefined) {
    // LibTorch reads `is not` and `not in` as one token, whatever letters come next.
    const joined = word === 'is' ? ' not' : word === 'not' ? ' in' : undefined;
    const after = at + word.length;
    if (joined !== undefined && source.startsWith(joined, after)) {
      if (/[A-Za-z0-9_]/.test(source[after + joined.length] ?? ' ')) {
        throw refuse(`the words ${source.slice(at, after + joined.length + 1)}…`);
      }
    }
    return ['name', word];
  }
  const digits = matchAt(number, at);
  if (digits !== undefined) {
    if (/[A-Za-z0-9_]/.test(source[at + digits.length] ?? ' ')) throw refuse('an odd number');
    return ['number', digits];
  }
  if (source[at] === '"' || source[at] === "'") {
    const quote = source[at];
    const text = source.startsWith(quote.repeat(3), at) ? undefined : matchAt(string, at);
    if (text === undefined) throw refuse('a string over several lines');
    return ['string', text];
  }
  const text = matchAt(sign, at);
  if (text === undefined) throw refuse(`the sign ${source[at]}`);
  return ['sign', text];
}
