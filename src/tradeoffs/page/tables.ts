import type { MeanInterval } from '../../evaluation/bootstrap';
import type { Latency, TradeoffReport, TradeoffRow } from '../report';
import { measuredCounts } from './measured-counts';
import { html, nothing, type Html } from './html';
import { measureName } from './names';
import {
  formatChange,
  formatCount,
  formatDuration,
  formatMeasure,
  formatNumber,
  formatScaled,
  formatSetting,
} from './numbers';

interface Column {
  readonly name: string;
  readonly unit?: string;
  /** Undefined where a row has nothing. */
  readonly cell: (row: TradeoffRow) => Html | undefined;
}

/** All rows, with all that was measured: what they give, what they cost, whom they serve. */
export function rowTables(report: TradeoffReport): Html {
  const rows = [...report.rows].sort((a, b) => b.metrics.auc.mean - a.metrics.auc.mean);
  const counts = measuredCounts(rows).reverse();
  const times = counts.flatMap((count): Column[] => [
    {
      name: `request, ${formatCount(Number(count))}`,
      unit: 'ms, p50 / p99',
      cell: ({ latencyMs }) => latencyCell(latencyMs, count),
    },
    {
      name: `ranker, ${formatCount(Number(count))}`,
      unit: 'ms, p50 / p99',
      cell: ({ rankerMs }) => latencyCell(rankerMs, count),
    },
  ]);
  return html`
    <h3>What they give</h3>
    ${table(rows, report.reference, quality)}
    <h3>What they cost</h3>
    ${table(rows, report.reference, [...times, ...size])}
    <h3>What they are</h3>
    ${settingsTable(rows)}
  `;
}

const quality: readonly Column[] = [
  { name: 'AUC', cell: ({ metrics }) => intervalCell(metrics.auc) },
  { name: 'change of AUC', cell: ({ aucChange }) => intervalCell(aucChange, formatChange) },
  { name: 'MRR', cell: ({ metrics }) => intervalCell(metrics.mrr) },
  { name: 'nDCG@5', cell: ({ metrics }) => intervalCell(metrics.ndcg5) },
  { name: 'nDCG@10', cell: ({ metrics }) => intervalCell(metrics.ndcg10) },
  { name: 'dwell nDCG@10', cell: ({ metrics }) => intervalCell(metrics.dwellNdcg10) },
  { name: 'diversity@10', cell: ({ diversity }) => intervalCell(diversity.intraList10) },
  { name: 'topics@10', cell: ({ diversity }) => intervalCell(diversity.topicCoverage10) },
];

const size: readonly Column[] = [
  {
    name: 'operations',
    unit: 'a candidate',
    cell: ({ flops }) => (flops === null ? undefined : html`${formatScaled(flops)}`),
  },
  {
    name: 'file',
    unit: 'bytes',
    cell: ({ bytes }) => (bytes === 0 ? undefined : html`${formatScaled(bytes)}`),
  },
];

/** Rows by columns; columns in which no row has anything are left out. */
function table(rows: readonly TradeoffRow[], reference: string, columns: readonly Column[]): Html {
  const filled = columns.filter(({ cell }) => rows.some((row) => cell(row) !== undefined));
  const heads = filled.map(({ name, unit }) => {
    const small = unit === undefined ? nothing : html` <small>${unit}</small>`;
    return html`<th scope="col">${name}${small}</th>`;
  });
  const body = rows.map((row) => {
    const cells = filled.map(({ cell }) => html`<td>${cell(row) ?? missing}</td>`);
    return html`<tr data-row="${row.id}" class="${row.pareto ? 'front' : ''}">
      ${nameCell(row, reference)}${cells}
    </tr>`;
  });
  return html`<div class="scroll">
    <table>
      <thead>
        <tr>
          <th scope="col">row</th>
          ${heads}
        </tr>
      </thead>
      <tbody>
        ${body}
      </tbody>
    </table>
  </div>`;
}

const missing = html`<span class="missing">–</span>`;

function nameCell(row: TradeoffRow, reference: string): Html {
  const notes = [
    ...(row.pareto ? ['on the front'] : []),
    ...(row.id === reference ? ['reference'] : []),
  ];
  const said = notes.length === 0 ? nothing : html`<small>${notes.join(', ')}</small>`;
  return html`<th scope="row"><span class="id">${row.id}</span>${said}</th>`;
}

function intervalCell(
  interval: MeanInterval | null,
  format: (value: number) => string = formatMeasure,
): Html | undefined {
  if (interval === null) return undefined;
  const { mean, low, high } = interval;
  return html`${format(mean)}<small>${format(low)} to ${format(high)}</small>`;
}

function latencyCell(times: Readonly<Record<string, Latency>>, count: string): Html | undefined {
  if (!Object.hasOwn(times, count)) return undefined;
  const { p50, p99 } = times[count]!;
  return html`${formatNumber(p50)}<small>${formatNumber(p99)}</small>`;
}

function settingsTable(rows: readonly TradeoffRow[]): Html {
  const body = rows.map(
    (row) =>
      html`<tr>
        <th scope="row"><span class="id">${row.id}</span></th>
        <td class="words">${row.title}</td>
        <td class="words">${row.kind}</td>
        <td class="words">${settingsText(row.settings)}</td>
      </tr>`,
  );
  return html`<div class="scroll">
    <table>
      <thead>
        <tr>
          <th scope="col">row</th>
          <th scope="col" class="words">what it is</th>
          <th scope="col" class="words">kind</th>
          <th scope="col" class="words">settings</th>
        </tr>
      </thead>
      <tbody>
        ${body}
      </tbody>
    </table>
  </div>`;
}

function settingsText(settings: TradeoffRow['settings']): string {
  const texts = Object.entries(settings).map(([name, value]) => {
    if (typeof value === 'number' && name.endsWith('Ms')) {
      return `${name.slice(0, -2)} ${formatDuration(value)}`;
    }
    if (typeof value === 'number') return `${name} ${formatSetting(value)}`;
    return `${name} ${typeof value === 'string' ? value : JSON.stringify(value)}`;
  });
  return texts.length === 0 ? '–' : texts.join(', ');
}

/** How groups fare under each row; nothing where no row compares any. */
export function groupTables(report: TradeoffReport): Html {
  const names = [...new Set(report.rows.flatMap(({ groups }) => Object.keys(groups)))];
  const tables = names.map((name) => {
    const rows = report.rows.filter(({ groups }) => Object.hasOwn(groups, name));
    const values = [...new Set(rows.flatMap(({ groups }) => Object.keys(groups[name]!.values)))];
    const measure = (value: number | null | undefined): Html | undefined =>
      value === null || value === undefined ? undefined : html`${formatMeasure(value)}`;
    const columns: Column[] = [
      {
        name: measureName('scoreDisparity'),
        cell: ({ groups }) => measure(groups[name]!.scoreDisparity),
      },
      {
        name: measureName('pairwiseGap'),
        cell: ({ groups }) => measure(groups[name]!.pairwiseGap),
      },
      { name: measureName('ndcgGap'), cell: ({ groups }) => intervalCell(groups[name]!.ndcgGap) },
      ...values.map((value): Column => {
        const of = ({ groups }: TradeoffRow) =>
          Object.hasOwn(groups[name]!.values, value) ? groups[name]!.values[value] : undefined;
        return { name: `AUC, ${value}`, cell: (row) => measure(of(row)?.auc) };
      }),
    ];
    return html`<details>
      <summary>${name}</summary>
      ${table(rows, report.reference, columns)}
    </details>`;
  });
  return tables.length === 0 ? nothing : html`${tables}`;
}
