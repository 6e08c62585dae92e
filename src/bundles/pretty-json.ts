/**
 * JSON for people: indented by two spaces, but with rows of plain values on one line each, where
 * `JSON.stringify` would give every number a line of its own.
 * @internal
 */
export function prettyJson(value: unknown, indent = ''): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    const isRow = value.every((entry) => typeof entry !== 'object' || entry === null);
    if (isRow) return `[${value.map((entry) => JSON.stringify(entry) ?? 'null').join(', ')}]`;
    const entries = value.map((entry) => `${inner}${prettyJson(entry, inner)}`);
    return `[\n${entries.join(',\n')}\n${indent}]`;
  }
  const fields = Object.entries(value)
    .filter(([, entry]) => entry !== undefined)
    .map(([key, entry]) => `${inner}${JSON.stringify(key)}: ${prettyJson(entry, inner)}`);
  return fields.length === 0 ? '{}' : `{\n${fields.join(',\n')}\n${indent}}`;
}
