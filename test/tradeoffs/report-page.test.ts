import { renderReportPage } from '../../src/tradeoffs/report-page';
import type { TradeoffReport, TradeoffRow } from '../../src/tradeoffs/report';
import { madeUpReport } from './made-up-report';

/** What is used of a page's elements. */
interface PageElement {
  readonly textContent: string;
  readonly children: ArrayLike<PageElement>;
  readonly attributes: Iterable<{ readonly name: string; readonly value: string }>;
  getAttribute(name: string): string | null;
  querySelector(selector: string): PageElement | null;
  querySelectorAll(selector: string): ArrayLike<PageElement> & Iterable<PageElement>;
  closest(selector: string): PageElement | null;
}

interface Page {
  readonly text: string;
  readonly document: PageElement;
  all(selector: string): PageElement[];
  /** Values of an attribute, of all elements that have it. */
  values(attribute: string, within?: string): string[];
}

async function pageOf(report: TradeoffReport): Promise<Page> {
  const text = await renderReportPage(report);
  const linkedom = (await import('linkedom')) as unknown as {
    parseHTML(page: string): { readonly document: PageElement };
  };
  const { document } = linkedom.parseHTML(text);
  const all = (selector: string) => [...document.querySelectorAll(selector)];
  return {
    ...{ text, document, all },
    values: (attribute, within = '') =>
      all(`${within} [${attribute}]`).map((element) => element.getAttribute(attribute)!),
  };
}

/** By its definition, from what report.json says. */
function frontOf(rows: readonly TradeoffRow[], candidates: string): string[] {
  const time = (row: TradeoffRow) => row.latencyMs[candidates]!.p50;
  const auc = (row: TradeoffRow) => row.metrics.auc.mean;
  const beaten = (row: TradeoffRow) =>
    rows.some((other) => auc(other) > auc(row) && time(other) < time(row));
  return rows
    .filter((row) => !beaten(row))
    .sort((a, b) => time(a) - time(b))
    .map(({ id }) => id);
}

const sorted = (values: Iterable<string>) => [...values].sort();
const twice = (values: readonly string[]) => sorted([...values, ...values]);

test('the page names every row in its tables, and draws it at both numbers of candidates', async () => {
  const report = madeUpReport();
  const page = await pageOf(report);
  const ids = sorted(report.rows.map(({ id }) => id));
  const tables = page.all('#rows table, #groups table');
  expect(tables).toHaveLength(4);
  for (const table of tables) {
    const named = [...table.querySelectorAll('tbody th .id')].map(({ textContent }) => textContent);
    expect(sorted(named)).toEqual(ids);
  }
  const plots = page.all('#latency section');
  expect(plots.map((plot) => plot.querySelector('h3')!.textContent)).toEqual([
    '2,000 candidates',
    '500 candidates',
  ]);
  for (const plot of plots) {
    // One drawing for wide screens and one for narrow ones.
    const dots = [...plot.querySelectorAll('svg [data-row]')];
    expect(sorted(dots.map((dot) => dot.getAttribute('data-row')!))).toEqual(twice(ids));
    for (const dot of dots) {
      const row = report.rows.find(({ id }) => id === dot.getAttribute('data-row'))!;
      const { textContent } = dot.querySelector('title')!;
      expect(textContent).toContain(row.title);
      expect(textContent).toContain(row.metrics.auc.mean.toFixed(4));
    }
    const labels = [...plot.querySelectorAll('svg text')].map(({ textContent }) => textContent);
    for (const id of ids) {
      expect(labels.filter((label) => label === id || label.startsWith(`${id} 0.`))).toHaveLength(
        2,
      );
    }
  }
});

test('figures of a row stand in its table with their intervals', async () => {
  const report = madeUpReport();
  const page = await pageOf(report);
  for (const row of report.rows) {
    const text = page
      .all('#rows tr[data-row]')
      .flatMap((line) =>
        line.getAttribute('data-row') === row.id ? [line.textContent.replace(/\s+/g, ' ')] : [],
      );
    expect(text).toHaveLength(2);
    const { mean, low, high } = row.metrics.auc;
    expect(text[0]).toContain(`${mean.toFixed(4)}${low.toFixed(4)} to ${high.toFixed(4)}`);
    const { p50, p99 } = row.latencyMs['2000']!;
    expect(text[1]).toContain(
      [p50, p99].map((ms) => ms.toFixed(ms < 1 ? 3 : ms < 10 ? 2 : 1)).join(''),
    );
  }
});

test('the front on the page is the front of report.json, drawn from row to row', async () => {
  const report = JSON.parse(JSON.stringify(madeUpReport())) as TradeoffReport;
  const page = await pageOf(report);
  const expected = ['2000', '500'].map((count) => frontOf(report.rows, count));
  expect(expected[0]!.length).toBeGreaterThan(4);
  expect(sorted(report.rows.filter(({ pareto }) => pareto).map(({ id }) => id))).toEqual(
    sorted(expected[0]!),
  );
  const lines = page.all('#latency [data-front]');
  expect(lines.map((line) => JSON.parse(line.getAttribute('data-front')!) as unknown)).toEqual(
    expected.flatMap((front) => [front, front]),
  );
  lines.forEach((line, i) => {
    const path = line.querySelector('path')!.getAttribute('d')!;
    const corners = path.match(/-?[\d.]+,-?[\d.]+/g)!;
    const svg = line.closest('svg')!;
    const places = expected[Math.floor(i / 2)]!.map((id) => {
      const dot = [...svg.querySelectorAll('[data-row]')].find(
        (each) => each.getAttribute('data-row') === id,
      )!;
      const moved = /translate\(([^)]*)\)/.exec(dot.getAttribute('transform') ?? '');
      return moved ? moved[1]! : `${dot.getAttribute('cx')},${dot.getAttribute('cy')}`;
    });
    const numbers = (texts: readonly string[]) => texts.map((text) => text.split(',').map(Number));
    numbers(places).forEach(([x, y], p) => {
      expect(numbers(corners)[p]![0]).toBeCloseTo(x!, 1);
      expect(numbers(corners)[p]![1]).toBeCloseTo(y!, 1);
    });
    expect(corners).toHaveLength(places.length);
  });
});

test('curves, ablation, prices and load are drawn point by point', async () => {
  const report = madeUpReport();
  const page = await pageOf(report);
  const points = report.curves.flatMap(({ setting, points: all }) =>
    all.flatMap(({ value, measures }) =>
      Object.keys(measures).flatMap((name) =>
        measures[name] === null ? [] : [JSON.stringify([setting, name, value])],
      ),
    ),
  );
  expect(sorted(page.values('data-point', '#curves'))).toEqual(sorted(points));
  // A measure that no point has gets no drawing; each other one has its band.
  expect(page.text).not.toContain('topic coverage@10');
  expect(page.all('#curves svg')).toHaveLength(9);
  expect(page.all('#curves [aria-label="area"] path')).toHaveLength(9);
  expect(page.values('data-ablation').length).toBe(2 * 2 * report.ablation.length);
  expect(new Set(page.values('data-ablation'))).toEqual(
    new Set(
      report.ablation.flatMap(({ part, name }) =>
        ['auc', 'ndcg10'].map((measure) => JSON.stringify([part, name, measure])),
      ),
    ),
  );
  expect(sorted(page.values('data-price'))).toEqual(
    twice(report.prices.map(({ from, to }) => JSON.stringify([from, to]))),
  );
  const shares = report.load.flatMap(({ rate, tiers, refused }) =>
    Object.entries({ ...tiers, refused }).flatMap(([tier, share]) =>
      share > 0 ? [JSON.stringify([rate.toLocaleString('en-US'), tier])] : [],
    ),
  );
  expect(sorted(page.values('data-share'))).toEqual(twice(shares));
  expect(page.values('data-load-auc')).toEqual(report.load.map(({ rate }) => String(rate)));
});

test('shares of tiers and refusals fill each bar, whether tiers are shares of all or of what was answered', async () => {
  const plain = madeUpReport().load;
  const ofAll = plain.map((row) => ({
    ...row,
    tiers: Object.fromEntries(
      Object.entries(row.tiers).map(([tier, share]) => [tier, share * (1 - row.refused)]),
    ),
  }));
  for (const load of [plain, ofAll]) {
    const page = await pageOf(madeUpReport({ load }));
    const heights = new Map<string, number>();
    for (const bar of page.all('#load .wide [data-share]')) {
      const [rate] = JSON.parse(bar.getAttribute('data-share')!) as [string, string];
      // Half a pixel is left free at either end.
      const height = Number(bar.getAttribute('height')) + 1;
      heights.set(rate, (heights.get(rate) ?? 0) + height);
    }
    expect(heights.size).toBe(load.length);
    for (const height of heights.values()) expect(height).toBeCloseTo(212, 0);
  }
});

test('the first sentence is what the report found', async () => {
  const headline = async (changed: Partial<TradeoffReport>) =>
    (await pageOf(madeUpReport(changed))).document.querySelector('h1')!.textContent;
  expect(await headline({})).toBe(
    'student-64 keeps 99.8% of the AUC of teacher at 0.20 of its time',
  );
  const { rows } = madeUpReport();
  const slow = rows.filter(({ id }) => ['teacher', 'popularity'].includes(id));
  expect(await headline({ rows: slow })).toBe(
    'Nothing that is faster than teacher keeps 99.5% of its AUC',
  );
  expect(await headline({ reference: 'none' })).toBe('teacher has the highest AUC');
  const untimed = rows.map((row) => ({ ...row, latencyMs: {}, rankerMs: {} }));
  expect(await headline({ rows: untimed })).toBe('teacher has the highest AUC');
  expect(await headline({ rows: [], prices: [] })).toBe('Nothing was measured');
});

test('what a report has nothing of is left out', async () => {
  const sections = async (changed: Partial<TradeoffReport>) =>
    (await pageOf(madeUpReport(changed)))
      .all('main > section')
      .map((each) => each.getAttribute('id'));
  const all = await sections({});
  expect(all).toEqual([
    ...['latency', 'prices', 'curves', 'ablation', 'load', 'rows', 'groups', 'conditions'],
    'unavailable',
  ]);
  const without = (id: string) => all.filter((each) => each !== id);
  expect(await sections({ curves: [] })).toEqual(without('curves'));
  const empty = {
    setting: 'tau',
    note: 'Nothing.',
    points: [{ value: 1, measures: { auc: null } }],
  };
  expect(await sections({ curves: [empty] })).toEqual(without('curves'));
  expect(await sections({ ablation: [] })).toEqual(without('ablation'));
  expect(await sections({ prices: [] })).toEqual(without('prices'));
  expect(await sections({ load: [] })).toEqual(without('load'));
  expect(await sections({ unavailable: {} })).toEqual(without('unavailable'));
  const rows = madeUpReport().rows.map((row) => ({ ...row, groups: {} }));
  expect(await sections({ rows })).toEqual(without('groups'));
  const bare = { curves: [], ablation: [], prices: [], load: [], rows: [], unavailable: {} };
  expect(await sections(bare)).toEqual(['conditions']);
});

test('the page loads nothing, takes its colours from its style, and scales its drawings', async () => {
  const page = await pageOf(madeUpReport());
  expect(page.all('script, link, img, iframe, object, embed, base, use, image')).toEqual([]);
  for (const element of page.all('*')) {
    for (const { name, value } of element.attributes) {
      expect(name).not.toMatch(/^(src|srcset|href|xlink:href|action|data|on.*)$/);
      expect(value).not.toMatch(/url\(|https?:/);
      if (name === 'fill' || name === 'stroke') {
        expect(value).toMatch(/^(none|currentColor|var\(--[a-z0-9-]+\))$/);
      }
    }
  }
  const styles = page.all('style').map(({ textContent }) => textContent);
  expect(styles).toHaveLength(1);
  expect(styles[0]).not.toMatch(/url\(|@import/);
  expect(styles[0]).toContain('prefers-color-scheme: dark');
  const used = new Set(page.text.match(/var\(--[a-z0-9-]+\)/g));
  for (const color of used) expect(styles[0]).toContain(`${color.slice(4, -1)}:`);
  for (const svg of page.all('svg')) {
    expect(svg.getAttribute('viewBox')).toMatch(/^0 0 \d+ \d+$/);
    expect(svg.getAttribute('aria-label')).toBeTruthy();
    const width = Number(svg.getAttribute('width'));
    if (svg.closest('.wide') === null) expect(width).toBeLessThanOrEqual(350);
  }
});

/** A report in which all text, names included, has something put behind it. */
function spoilt(value: unknown, hostile: string): unknown {
  if (typeof value === 'string') return value + hostile;
  if (Array.isArray(value)) return value.map((each) => spoilt(each, hostile));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [name, spoilt(each, hostile)]),
  );
}

test.each([
  '</script></style></title></svg><script>alert(1)</script>',
  `"><img src=x onerror='alert(1)'>`,
  `' onmouseover="alert(1)" x='`,
  '&lt;script&gt; &amp;quot; &#60;b&#62; ]]> <!-- ${x}',
])('text of the report stays text: %s', async (hostile) => {
  const plain = madeUpReport();
  const named = (names: Readonly<Record<string, unknown>>) =>
    Object.fromEntries(Object.entries(names).map(([name, value]) => [name + hostile, value]));
  const report = {
    ...(spoilt(plain, hostile) as TradeoffReport),
    unavailable: named(plain.unavailable) as TradeoffReport['unavailable'],
    versions: named(plain.versions) as TradeoffReport['versions'],
    load: plain.load.map((row) => ({ ...row, tiers: named(row.tiers) as typeof row.tiers })),
    rows: plain.rows.map((row) => ({
      ...(spoilt(row, hostile) as TradeoffRow),
      mode: row.mode,
      groups: named(row.groups) as TradeoffRow['groups'],
      settings: named(row.settings),
    })),
    curves: plain.curves.map(({ points, ...curve }) => ({
      ...(spoilt(curve, hostile) as typeof curve),
      points: points.map(({ value, measures }) => ({
        value,
        measures: named(measures) as typeof measures,
      })),
    })),
  };
  const [page, harmless] = [await pageOf(report), await pageOf(plain)];
  expect(page.all('script, img')).toEqual([]);
  for (const element of page.all('*')) {
    for (const { name } of element.attributes) expect(name).not.toMatch(/^on/);
  }
  // As many elements of each kind as without it, but for labels that find no room.
  for (const tag of [
    'svg',
    'circle',
    'rect',
    'title',
    'table',
    'tr',
    'td',
    'th',
    'section',
    'dt',
  ]) {
    expect(page.all(tag).length).toBe(harmless.all(tag).length);
  }
  expect(page.document.querySelector('title')!.textContent).toContain(hostile);
  expect(new Set(page.values('data-row', '#latency'))).toEqual(
    new Set(report.rows.map(({ id }) => id)),
  );
  expect(JSON.parse(page.values('data-front')[0]!)).toEqual(
    frontOf(plain.rows, '2000').map((id) => id + hostile),
  );
});

test('names that every object has are names like others', async () => {
  const plain = madeUpReport();
  const [point] = plain.curves[0]!.points;
  const names = ['constructor', 'toString', 'valueOf'];
  const report = madeUpReport({
    curves: names.map((setting) => ({
      ...{ setting, note: '' },
      points: [
        { value: 1, measures: { [setting]: point!.measures['auc']! } },
        { value: 2, measures: {} },
      ],
    })),
    load: plain.load.map((row, i) => ({
      ...row,
      tiers: i % 2 === 0 ? { constructor: 1 } : { toString: 1 },
    })) as unknown as TradeoffReport['load'],
  });
  const page = await pageOf(report);
  expect(page.values('data-point')).toEqual(names.map((name) => JSON.stringify([name, name, 1])));
  expect(page.text).not.toContain('native code');
  expect(page.text).not.toContain('NaN');
});
