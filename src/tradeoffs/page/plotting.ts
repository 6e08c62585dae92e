import type * as PlotLibrary from '@observablehq/plot';

import { escapeHtml, Html } from './html';

/** What is used of a drawing's elements: the types of a browser are not this package's. */
interface Element {
  readonly children: Iterable<Element>;
  readonly outerHTML: string;
  setAttribute(name: string, value: string): void;
  removeAttribute(name: string): void;
  querySelectorAll(selector: string): Iterable<Element>;
  remove(): void;
}

interface DocumentLibrary {
  readonly parseHTML: (html: string) => { readonly document: object };
}

/** The plotting library, and the document that it draws in. */
export interface Plotting {
  readonly plot: typeof PlotLibrary;
  readonly document: object;
}

/** Loads the plotting library, which nothing but the page needs. */
export async function loadPlotting(): Promise<Plotting> {
  const [plot, linkedom] = await Promise.all([import('@observablehq/plot'), import('linkedom')]);
  const { parseHTML } = linkedom as unknown as DocumentLibrary;
  const { document } = parseHTML('<!doctype html><html><body></body></html>');
  return { plot, document };
}

/** What a drawing says about itself. */
export interface DrawingOptions extends PlotLibrary.PlotOptions {
  /** What the drawing shows, for those who do not see it. */
  readonly ariaLabel: string;
  readonly width: number;
  readonly height: number;
}

/** From what is plotted to pixels, and back. */
export interface Scale {
  apply(value: number): number;
  invert(pixels: number): number;
}

/** The scales that a plot without marks has. */
export function scalesOf(
  { plot, document }: Plotting,
  options: PlotLibrary.PlotOptions,
): { readonly x: Scale; readonly y: Scale } {
  const empty: unknown = plot.plot({ ...options, document, marks: [plot.frame()] });
  const { scale } = empty as { readonly scale: (name: string) => Scale };
  return { x: scale('x'), y: scale('y') };
}

/** Colours of the page's style, as the library takes them. */
export const colors = {
  ink: 'currentColor',
  muted: 'var(--muted)',
  faint: 'var(--faint)',
  accent: 'var(--accent)',
  paper: 'var(--paper)',
  warm: 'var(--warm)',
} as const;

export const fontSize = 11;

/** Some of the width of a letter, and more rather than less. */
export const letterWidth = 6.3;

/** Draws a plot as wide as its place, and no wider. */
export function draw({ plot, document }: Plotting, options: DrawingOptions): Html {
  const svg = plot.plot({
    ...options,
    ariaLabel: attributeText(options.ariaLabel),
    document,
    style: { background: 'none', color: 'currentColor', fontSize: `${fontSize}px` },
  }) as unknown as Element;
  // The library's own style names a typeface and a background, and the page has both.
  for (const style of svg.querySelectorAll('style')) style.remove();
  svg.removeAttribute('class');
  svg.setAttribute('style', `max-width: ${Math.round(options.width * 1.12)}px`);
  svg.setAttribute('role', 'img');
  return new Html(svg.outerHTML);
}

/**
 * A figure whose drawing is another on narrow screens, so that its letters stay as large. Its
 * caption, if any, is asked for when it has been drawn.
 */
export function figure(
  drawing: (width: number) => Html,
  { wide, caption }: { readonly wide: number; readonly caption?: () => string },
): Html {
  const narrow = 350;
  const drawings =
    wide <= narrow
      ? drawing(wide).text
      : `<div class="wide">${drawing(wide).text}</div>` +
        `<div class="narrow">${drawing(narrow).text}</div>`;
  const text = caption?.() ?? '';
  const said = text === '' ? '' : `<figcaption>${escapeHtml(text)}</figcaption>`;
  return new Html(`<figure>${drawings}${said}</figure>`);
}

/** Text as an attribute of the drawing's elements takes it: only its quotes are escaped when it is written. */
function attributeText(text: string): string {
  return text.replaceAll('&', '&amp;');
}

/** Marks each of a mark's elements with what it stands for. */
export function marked(name: string, values: readonly string[]): PlotLibrary.RenderFunction {
  return (index, scales, channels, dimensions, context, next) => {
    const group = next!(index, scales, channels, dimensions, context) as Element;
    // A title is a child of its element, not of the group.
    [...group.children].forEach((element, i) => {
      const value = values[index[i]!];
      if (value !== undefined) element.setAttribute(`data-${name}`, attributeText(value));
    });
    return group;
  };
}

/** Marks a mark as a whole. */
export function markedWhole(name: string, value: string): PlotLibrary.RenderFunction {
  return (index, scales, channels, dimensions, context, next) => {
    const group = next!(index, scales, channels, dimensions, context) as Element;
    group.setAttribute(`data-${name}`, attributeText(value));
    return group;
  };
}
