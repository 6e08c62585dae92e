import type Table from 'cli-table3';

/** Loaded when the first table is made: every worker_thread pays for what it loads, and few draw. */
function tables(): typeof Table {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- An import could not wait.
  return require('cli-table3') as typeof Table;
}

/** A table without lines between its columns, for rows that hold much text. @internal */
export function openTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  rightAligned: readonly string[],
): string {
  const table = new (tables())({
    head: [...head],
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
    colAligns: head.map((name) => (rightAligned.includes(name) ? 'right' : 'left')),
    chars: Object.fromEntries(tableCharacters.map((name) => [name, ''])),
  });
  table.push(...rows.map((row) => [...row]));
  return table.toString().replace(/ +$/gm, '');
}

const tableCharacters = [
  ...['top', 'top-mid', 'top-left', 'top-right'],
  ...['bottom', 'bottom-mid', 'bottom-left', 'bottom-right'],
  ...['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid', 'middle'],
];

/** A table without colours, so that it reads the same in a file. @internal */
export function plainTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const table = new (tables())({
    head: [...head],
    style: { head: [], border: [], compact: true },
    // The first column names the row; the others hold its values.
    colAligns: head.map((_, column) => (column === 0 ? 'left' : 'right')),
  });
  table.push(...rows.map((row) => [...row]));
  return table.toString();
}
