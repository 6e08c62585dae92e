import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

const root = path.resolve(__dirname, '../..');
const pages = readdirSync(path.join(root, 'docs'))
  .filter((name) => name.endsWith('.md'))
  .map((name) => path.join('docs', name));

/** A page without its blocks of code. */
function prose(page: string): string {
  return readFileSync(path.join(root, page), 'utf8').replaceAll(/^```[^]*?^```/gm, '');
}

/** The anchors of a page's headings, as GitHub makes them. */
function anchors(page: string): string[] {
  return [...prose(page).matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** What a page links to in this repository, from its root. */
function linksOf(page: string): { file: string; anchor: string | undefined }[] {
  return [...prose(page).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target]) => target!)
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => {
      const [file, anchor] = target.split('#');
      return { file: file ? path.join(path.dirname(page), file) : page, anchor };
    });
}

test.each(['README.md', ...pages])('every link of %s leads somewhere', (page) => {
  for (const { file, anchor } of linksOf(page)) {
    expect({ file, exists: existsSync(path.join(root, file)) }).toEqual({ file, exists: true });
    if (anchor !== undefined) expect(anchors(file)).toContain(anchor);
  }
});

test('docs/README.md lists every page once', () => {
  const listed = linksOf('docs/README.md').map(({ file }) => file);
  expect(listed.sort()).toEqual(pages.filter((page) => page !== 'docs/README.md').sort());
});
