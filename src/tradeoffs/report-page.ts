import { ablationSections } from './page/ablation-plot';
import { curveSection } from './page/curve-plots';
import { findingOf } from './page/finding';
import { measuredCounts } from './page/measured-counts';
import { Html, html, nothing } from './page/html';
import { latencyPlot } from './page/latency-plot';
import { loadSection } from './page/load-plot';
import { formatCount, formatDuration } from './page/numbers';
import { loadPlotting, type Plotting } from './page/plotting';
import { pricePlot } from './page/price-plot';
import { style } from './page/style';
import { groupTables, rowTables } from './page/tables';
import type { TradeoffReport } from './report';

/**
 * The report as one page of HTML that needs nothing else: it holds its style and its plots, and no
 * script. It is light or dark as its reader prefers, and fits screens of 380 pixels and more.
 * Sections of which the report has nothing are left out. All of the report's text is escaped.
 */
export async function renderReportPage(report: TradeoffReport): Promise<string> {
  const plotting = await loadPlotting();
  const { headline, detail } = findingOf(report);
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${headline}</title>
        <style>
          ${new Html(style)}
        </style>
      </head>
      <body>
        <header>
          <p class="over">
            Trade-offs on ${report.dataset}, ${report.split}: ${formatCount(report.impressions)}
            impressions
          </p>
          <h1>${headline}</h1>
          <p class="lead">${detail}</p>
        </header>
        <main>
          ${[
            latencies(plotting, report),
            prices(plotting, report),
            curves(plotting, report),
            ablation(plotting, report),
            load(plotting, report),
            tables(report),
            groups(report),
            conditions(report),
            unavailable(report),
          ]}
        </main>
      </body>
    </html>`;
  return `${page.text}\n`;
}

function section(id: string, title: string, note: string, content: Html): Html {
  const said = note === '' ? nothing : html`<p>${note}</p>`;
  return html`<section id="${id}">
    <h2>${title}</h2>
    ${said} ${content}
  </section>`;
}

function latencies(plotting: Plotting, { rows }: TradeoffReport): Html {
  const counts = measuredCounts(rows).filter((count) => count === '2000' || count === '500');
  if (counts.length === 0) return nothing;
  return section(
    'latency',
    'Quality against time',
    'Each dot is a way to rank, with the 95% interval of its AUC. Of those on the line, none is beaten ' +
      'both in AUC and in time.',
    html`<div class="pair">${counts.map((count) => latencyPlot(plotting, rows, count))}</div>`,
  );
}

function prices(plotting: Plotting, report: TradeoffReport): Html {
  const finite = report.prices.filter((price) => Number.isFinite(price.msPerThousandthOfAuc));
  if (finite.length === 0) return nothing;
  return section(
    'prices',
    'What 0.001 of AUC costs',
    'Milliseconds of a request for each 0.001 of AUC, step by step along the front, from the fastest up.',
    pricePlot(plotting, finite),
  );
}

function curves(plotting: Plotting, report: TradeoffReport): Html {
  const sections = report.curves
    .map((curve) => curveSection(plotting, curve))
    .filter((each) => each !== nothing);
  if (sections.length === 0) return nothing;
  const note = 'One setting moves, the others stay. Bands are 95% intervals.';
  return section('curves', 'What settings do', note, html`${sections}`);
}

function ablation(plotting: Plotting, report: TradeoffReport): Html {
  if (report.ablation.length === 0) return nothing;
  return section(
    'ablation',
    'What each part is worth',
    'The change where a part is left out, over the same impressions, with its 95% interval. Grey ones ' +
      'may be nothing: their interval holds 0.',
    html`${ablationSections(plotting, report.ablation)}`,
  );
}

function load(plotting: Plotting, report: TradeoffReport): Html {
  if (report.load.length === 0) return nothing;
  const budgets = [...new Set(report.load.map(({ budgetMs }) => budgetMs))];
  const sections = budgets.map((budget) => {
    const rows = report.load.filter(({ budgetMs }) => budgetMs === budget);
    return loadSection(plotting, rows, budget);
  });
  return section(
    'load',
    'Quality under load',
    'As requests come faster, the budget is kept by answering with cheaper models, and then by refusing. ' +
      'The thin mark is the share that was answered in time.',
    html`${sections}`,
  );
}

function tables(report: TradeoffReport): Html {
  if (report.rows.length === 0) return nothing;
  const note = `Small figures are 95% intervals, or 99th percentiles. Changes are against ${report.reference}.`;
  return section('rows', 'All rows', note, rowTables(report));
}

function groups(report: TradeoffReport): Html {
  const content = groupTables(report);
  if (content === nothing) return nothing;
  return section('groups', 'How groups fare', '', content);
}

function conditions(report: TradeoffReport): Html {
  const { machine, versions } = report;
  const entries: readonly (readonly [string, string])[] = [
    ['processor', `${machine.cpu}, ${machine.cores} cores`],
    ['Node.js', machine.node],
    ['LibTorch', machine.libtorch],
    ...Object.entries(versions),
    ['seed', String(report.seed)],
    ['measuring took', formatDuration(report.seconds * 1000)],
  ];
  return section('conditions', 'Measured on', '', definitions(entries));
}

function unavailable(report: TradeoffReport): Html {
  const entries = Object.entries(report.unavailable);
  if (entries.length === 0) return nothing;
  return section('unavailable', 'What could not be measured', '', definitions(entries));
}

function definitions(entries: readonly (readonly [string, string])[]): Html {
  const items = entries.map(
    ([name, text]) =>
      html`<dt>${name}</dt>
        <dd>${text}</dd>`,
  );
  return html`<dl>${items}</dl>`;
}
