/** Text that is HTML already. */
export class Html {
  constructor(readonly text: string) {}

  toString(): string {
    return this.text;
  }
}

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text as it may stand between tags and in quoted attributes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => escapes[character]!);
}

/** What may stand in a template; what is not `Html` is escaped. */
export type Part = Html | string | number | readonly Html[];

/** HTML of a template, whose values are escaped. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  const texts = parts.map((part) => {
    if (part instanceof Html) return part.text;
    if (typeof part === 'string' || typeof part === 'number') return escapeHtml(String(part));
    return part.map((each) => each.text).join('\n');
  });
  return new Html(String.raw({ raw: strings }, ...texts));
}

export const nothing = new Html('');
