import { invalidArgument } from '../errors';
import { openTable } from '../text-table';
import type { SlateItem } from './slate';

/**
 * How one item came to be where it is, for a person to read. Throws `INVALID_ARGUMENT` where the
 * query did not ask for explanations.
 */
export function renderExplanation(item: SlateItem): string {
  const { id, position, score, terms, explanation } = item;
  if (explanation === undefined) {
    throw invalidArgument('item', 'an item of a slate whose query has explain: true', item);
  }
  const { sources, features, outputs, penalties, positions } = explanation;
  return [
    `${id} is number ${position + 1} with score ${number(score)}`,
    ...section('found by', sources, ({ generator, score: own, position: place }) => [
      generator,
      `number ${place + 1}`,
      `score ${number(own)}`,
    ]),
    ...section('stood at', positions, ({ stage, before, after }) => [
      stage,
      before === undefined ? `${after + 1}` : `${before + 1} → ${after + 1}`,
    ]),
    ...section('score of', Object.entries(terms), ([name, value]) => [
      name,
      number(value),
      ...(Object.hasOwn(outputs, name) ? [`from output ${number(outputs[name]!)}`] : []),
    ]),
    ...section('weighed beside it', Object.entries(penalties), ([name, value]) => [
      name,
      number(value),
    ]),
    ...section('features', Object.entries(features), ([name, value]) => [name, number(value)]),
  ].join('\n');
}

/** A table under a title, or nothing where there are no rows. */
function section<T>(title: string, rows: readonly T[], cells: (row: T) => string[]): string[] {
  if (rows.length === 0) return [];
  const lines = rows.map(cells);
  const width = Math.max(...lines.map((line) => line.length));
  const head = [title, ...Array.from({ length: width - 1 }, () => '')];
  return [
    openTable(
      head,
      lines.map((line) => head.map((_, i) => line[i] ?? '')),
      [],
    ),
  ];
}

/** Six significant digits; scores may be of any size. */
function number(value: number): string {
  return String(Number(value.toPrecision(6)));
}
