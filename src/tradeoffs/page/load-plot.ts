import type { LoadRow } from '../report';
import { html, nothing, type Html } from './html';
import { spreadApart } from './label-places';
import { shortened } from './names';
import {
  formatCount,
  formatMeasure,
  formatDuration,
  formatMs,
  formatSetting,
  formatShare,
  tickFormat,
} from './numbers';
import { colors, draw, figure, letterWidth, marked, type Plotting } from './plotting';

/** What one budget makes of load: what is answered with, how good that is, and how long it takes. */
export function loadSection(plotting: Plotting, rows: readonly LoadRow[], budgetMs: number): Html {
  const ordered = [...rows].sort((a, b) => a.rate - b.rate);
  const quality = ordered.flatMap(({ rate, auc }) => (auc === null ? [] : [{ rate, auc }]));
  const shares = figure((width) => drawShares(plotting, ordered, width), { wide: 700 });
  const times = figure(() => drawTimes(plotting, ordered, budgetMs), { wide: 340 });
  const aucPanel =
    quality.length === 0
      ? nothing
      : html`<div class="panel">
          <h4>AUC of what is answered</h4>
          ${figure(() => drawQuality(plotting, ordered, quality), { wide: 340 })}
        </div>`;
  return html`<section class="curve">
    <h3>Budget ${formatDuration(budgetMs)}</h3>
    <div class="panels load">
      <div class="panel broad">
        <h4>what requests are answered with, by requests a second</h4>
        ${shares}
      </div>
      ${aucPanel}
      <div class="panel">
        <h4>time of a request, ms</h4>
        ${times}
      </div>
    </div>
  </section>`;
}

interface Share {
  readonly rate: string;
  readonly tier: string;
  readonly share: number;
  readonly from: number;
  readonly to: number;
  readonly fill: string;
}

const refused = 'refused';

/** Shares of all requests, from 0 up: the tiers, which are shares of what was answered, then refusals. */
function stacked(row: LoadRow, tiers: readonly string[]): Share[] {
  const sum = Object.values(row.tiers).reduce((a, b) => a + b, 0);
  const answered = 1 - row.refused;
  let from = 0;
  return [...tiers, refused].map((tier, i) => {
    const part = Object.hasOwn(row.tiers, tier) ? row.tiers[tier]! : 0;
    const last = i === tiers.length;
    const share = last ? row.refused : sum === 0 ? 0 : (part / sum) * answered;
    const piece = { from, to: from + share };
    from = piece.to;
    const fill = last ? colors.warm : `var(--tier-${Math.min(i, 4)})`;
    return { ...piece, share, fill, rate: formatCount(row.rate), tier: last ? refused : tier };
  });
}

function drawShares(plotting: Plotting, rows: readonly LoadRow[], width: number): Html {
  const { plot } = plotting;
  const tiers = [...new Set(rows.flatMap((row) => Object.keys(row.tiers)))];
  const shares = rows.map((row) => stacked(row, tiers));
  const seen = shares.flat().filter(({ share }) => share > 0);
  const named = [...tiers, refused].filter((tier) => seen.some((share) => share.tier === tier));
  const names = named.map((tier) => shortened(tier, width < 400 ? 14 : 24));
  const inTime = rows.map((row) => ({ rate: formatCount(row.rate), share: row.inTime }));
  const longest = Math.max('in time'.length, ...names.map((name) => name.length));
  const height = width < 400 ? 250 : 260;
  const margins = { marginTop: 12, marginBottom: 36, marginLeft: 40 };
  const inner = height - margins.marginTop - margins.marginBottom;
  const toY = (share: number): number => margins.marginTop + (1 - share) * inner;
  const last = new Map(shares.at(-1)!.map((share) => [share.tier, share]));
  const wanted = named.map((tier) => toY((last.get(tier)!.from + last.get(tier)!.to) / 2));
  const labels = [...names, 'in time'];
  const places = spreadApart([...wanted, toY(inTime.at(-1)!.share)], 14, toY(0));
  const key = labels.map((text, i) => ({
    text,
    y: 1 - (places[i]! - margins.marginTop) / inner,
    fill: i === named.length ? colors.ink : last.get(named[i]!)!.fill,
  }));
  return draw(plotting, {
    ...{ width, height, ...margins, marginRight: longest * letterWidth + 24 },
    ariaLabel: 'Shares of requests by what they are answered with, by requests a second',
    color: { type: 'identity' },
    x: {
      ...{ type: 'band', domain: rows.map(({ rate }) => formatCount(rate)), padding: 0.18 },
      ...{ label: 'requests a second', labelAnchor: 'center', labelArrow: 'none', tickSize: 0 },
      labelOffset: 32,
    },
    y: { domain: [0, 1], ticks: 5, label: null, tickFormat: formatShare, tickSize: 0 },
    marks: [
      plot.rectY(seen, {
        ...{ x: 'rate', y1: 'from', y2: 'to', fill: 'fill', insetTop: 0.5, insetBottom: 0.5 },
        title: ({ rate, tier, share }: Share) => `${tier} at ${rate}/s: ${formatShare(share)}`,
        render: marked(
          'share',
          seen.map(({ rate, tier }) => JSON.stringify([rate, tier])),
        ),
      }),
      plot.tickY(inTime, {
        ...{ x: 'rate', y: 'share', stroke: colors.paper, strokeWidth: 5 },
      }),
      plot.tickY(inTime, {
        ...{ x: 'rate', y: 'share', stroke: colors.ink, strokeWidth: 2 },
        title: ({ rate, share }: { rate: string; share: number }) =>
          `in time at ${rate}/s: ${formatShare(share)}`,
      }),
      plot.dot(key.slice(0, -1), {
        ...{ frameAnchor: 'right', y: 'y', dx: 12, fill: 'fill', symbol: 'square', r: 4 },
      }),
      plot.text(key.slice(-1), {
        ...{ frameAnchor: 'right', y: 'y', dx: 12, text: () => '━', fill: 'fill' },
      }),
      plot.text(key, {
        ...{ frameAnchor: 'right', textAnchor: 'start', y: 'y', text: 'text', dx: 20 },
      }),
    ],
  });
}

/** Rates one beside another, however far apart. */
function rateAxis(rows: readonly LoadRow[]): object {
  return {
    ...{ type: 'point', domain: rows.map(({ rate }) => rate), padding: 0.3, tickSize: 0 },
    ...{ label: 'requests a second', labelAnchor: 'center', labelArrow: 'none', labelOffset: 32 },
    tickFormat: formatCount,
  };
}

const panelSize = { width: 340, height: 190, marginTop: 16, marginBottom: 36, marginLeft: 48 };

function drawQuality(
  plotting: Plotting,
  rows: readonly LoadRow[],
  quality: readonly { readonly rate: number; readonly auc: number }[],
): Html {
  const { plot } = plotting;
  const aucs = quality.map(({ auc }) => auc);
  const [low, high] = [Math.min(...aucs), Math.max(...aucs)];
  const room = 0.15 * (high - low || 0.01);
  return draw(plotting, {
    ...{ ...panelSize, marginRight: 52 },
    ariaLabel: 'AUC of what is answered, by requests a second',
    x: rateAxis(rows),
    y: {
      ...{ domain: [low - room, high + 2 * room], ticks: 4, label: null, tickSize: 0 },
      tickFormat: tickFormat(low - room, high + 2 * room),
    },
    marks: [
      plot.gridY({ stroke: colors.faint, strokeOpacity: 1, ticks: 4 }),
      plot.line(quality, { x: 'rate', y: 'auc', stroke: colors.accent, strokeWidth: 1.75 }),
      plot.dot(quality, {
        ...{ x: 'rate', y: 'auc', r: 3, fill: colors.accent },
        title: ({ rate, auc }: { rate: number; auc: number }) =>
          `${formatCount(rate)}/s: ${formatMeasure(auc)}`,
        render: marked(
          'load-auc',
          quality.map(({ rate }) => String(rate)),
        ),
      }),
      plot.text(quality.slice(-1), {
        ...{ x: 'rate', y: 'auc', dx: 8, textAnchor: 'start', fill: colors.accent },
        text: ({ auc }: { auc: number }) => formatMeasure(auc),
      }),
    ],
  });
}

function drawTimes(plotting: Plotting, rows: readonly LoadRow[], budgetMs: number): Html {
  const { plot } = plotting;
  const series = (['p50', 'p99'] as const).map((name) => ({
    name,
    points: rows.flatMap(({ rate, [name]: ms }) => (ms === null ? [] : [{ rate, ms }])),
  }));
  const all = [budgetMs, ...series.flatMap(({ points }) => points.map(({ ms }) => ms))].filter(
    (ms) => ms > 0,
  );
  const log = Math.max(...all) / Math.min(...all) > 20;
  const lastRate = rows.at(-1)!.rate;
  return draw(plotting, {
    ...{ ...panelSize, marginRight: 52 },
    ariaLabel: 'Time of a request at the median and the 99th percentile, by requests a second',
    x: rateAxis(rows),
    y: {
      type: log ? 'log' : 'linear',
      domain: [log ? Math.min(...all) / 1.2 : 0, Math.max(...all) * 1.1],
      ...{ ticks: 4, label: null, tickFormat: formatSetting, tickSize: 0 },
    },
    marks: [
      plot.gridY({ stroke: colors.faint, strokeOpacity: 1, ticks: 4 }),
      plot.ruleY([budgetMs], { stroke: colors.warm, strokeDasharray: '4 3' }),
      plot.text([budgetMs], {
        ...{
          y: (ms: number) => ms,
          text: () => 'budget',
          frameAnchor: 'left',
          textAnchor: 'start',
        },
        ...{ dx: 3, dy: -7, fill: colors.warm },
      }),
      ...series.flatMap(({ name, points }) => {
        const stroke = name === 'p99' ? colors.accent : colors.muted;
        const title = ({ rate, ms }: { rate: number; ms: number }): string =>
          `${name} at ${formatCount(rate)}/s: ${formatMs(ms)}`;
        const end = points.filter(({ rate }) => rate === lastRate);
        return [
          plot.line(points, { x: 'rate', y: 'ms', stroke, strokeWidth: 1.75 }),
          plot.dot(points, { x: 'rate', y: 'ms', r: 2.75, fill: stroke, title }),
          plot.text(end, {
            ...{ x: 'rate', y: 'ms', text: () => name, textAnchor: 'start', dx: 8 },
            fill: stroke,
          }),
        ];
      }),
    ],
  });
}
