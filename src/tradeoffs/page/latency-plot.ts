import type { TradeoffRow } from '../report';
import { paretoFront, timeOf } from '../pareto';
import { html, nothing, type Html } from './html';
import { leaderEnd, lineBoxes, placeLabels, type Box } from './label-places';
import { shortened } from './names';
import {
  formatCount,
  formatInterval,
  formatMeasure,
  formatMs,
  formatSetting,
  tickFormat,
} from './numbers';
import {
  colors,
  draw,
  figure,
  letterWidth,
  marked,
  markedWhole,
  scalesOf,
  type Plotting,
} from './plotting';

/** Rows with an AUC that is lower than the best by more than this lie below what is drawn. */
const drawnRange = 0.05;
/** Times, in milliseconds, that are shorter are drawn as this. */
const leastTime = 1e-4;

interface Point {
  readonly row: TradeoffRow;
  readonly time: number;
  /** Where it is drawn: its AUC, or the lower edge. */
  readonly auc: number;
  readonly low: number;
  readonly high: number;
  readonly below: boolean;
  readonly onFront: boolean;
}

/** AUC against the time of a request, at a number of candidates. */
export function latencyPlot(
  plotting: Plotting,
  rows: readonly TradeoffRow[],
  candidates: string,
): Html {
  const placed = rows.filter((row) => timeOf(row, candidates) !== undefined);
  if (placed.length === 0) return nothing;
  const front = frontOf(rows, candidates);
  const floor = Math.max(...placed.map((row) => row.metrics.auc.mean)) - drawnRange;
  const drawn = placed.filter((row) => row.metrics.auc.mean >= floor);
  const lowest = Math.min(...drawn.map((row) => row.metrics.auc.low));
  const highest = Math.max(...drawn.map((row) => row.metrics.auc.high));
  const bottom = lowest - 0.12 * (highest - lowest || 0.01);
  const points = placed.map((row): Point => {
    const { mean, low, high } = row.metrics.auc;
    const below = mean < floor;
    return {
      row,
      // A logarithmic axis has no 0.
      time: Math.max(timeOf(row, candidates)!, leastTime),
      auc: below ? bottom : mean,
      low: below ? bottom : Math.max(low, bottom),
      high: below ? bottom : high,
      below,
      onFront: front.includes(row),
    };
  });
  const count = formatCount(Number(candidates));
  let nameless = false;
  const drawing = figure(
    (width) =>
      drawPoints(plotting, points, {
        ...{ width, bottom, top: highest, candidates, front },
        onNameless: () => (nameless = true),
      }),
    {
      wide: 540,
      caption: () =>
        [
          ...(points.some(({ below }) => below)
            ? ['Triangles lie below what is drawn; their AUC stands beside them.']
            : []),
          ...(nameless ? ['Where dots crowd, some have no name: the table has all.'] : []),
        ].join(' '),
    },
  );
  return html`<section class="plot">
    <h3>${count} candidates</h3>
    ${drawing}
  </section>`;
}

/** The front that the report says at 2,000 candidates, which it is defined at; elsewhere its like. */
function frontOf(rows: readonly TradeoffRow[], candidates: string): readonly TradeoffRow[] {
  if (candidates !== '2000') return paretoFront(rows, candidates);
  return rows
    .filter((row) => row.pareto && timeOf(row, candidates) !== undefined)
    .sort((a, b) => timeOf(a, candidates)! - timeOf(b, candidates)!);
}

interface Frame {
  readonly width: number;
  readonly bottom: number;
  readonly top: number;
  readonly candidates: string;
  readonly front: readonly TradeoffRow[];
  /** Called where a dot's name finds no room. */
  readonly onNameless: () => void;
}

function drawPoints(plotting: Plotting, points: readonly Point[], frame: Frame): Html {
  const { plot } = plotting;
  const { width, bottom, top, candidates, front } = frame;
  const height = width < 400 ? 340 : 380;
  const times = points.map(({ time }) => time);
  const x = {
    type: 'log',
    domain: [Math.min(...times) / 1.35, Math.max(...times) * 1.35],
    axis: null,
  } as const;
  const y = {
    domain: [bottom - 0.04 * (top - bottom), top + 0.06 * (top - bottom)],
    label: '↑ AUC',
    labelArrow: 'none',
    ticks: 6,
    tickFormat: tickFormat(bottom, top),
    tickSize: 0,
  } as const;
  const margins = {
    marginLeft: 46,
    marginRight: width < 400 ? 50 : 28,
    marginTop: 24,
    marginBottom: 42,
  };
  const scales = scalesOf(plotting, { width, height, ...margins, x, y });
  const toX = (time: number): number => scales.x.apply(time);
  const toY = (auc: number): number => scales.y.apply(auc);
  // What matters most is labelled first, and so nearest.
  const order = [...points].sort((a, b) => Number(b.onFront) - Number(a.onFront));
  const labels = order.map(labelOf);
  const inFront = order.filter(({ onFront }) => onFront).sort((a, b) => a.time - b.time);
  const bounds = { left: margins.marginLeft, right: width, top: 14, bottom: height - 40 };
  const places = placeLabels(
    order.map(({ time, auc, onFront, below }, i) => ({
      x: toX(time),
      y: toY(auc),
      width: labels[i]!.length * letterWidth,
      reach: onFront ? 170 : below ? 90 : 46,
    })),
    bounds,
    {
      lines: lineBoxes(
        inFront.map(({ time, auc }) => [toX(time), toY(auc)]),
        2,
      ),
      whiskers: order.map((point) => whisker(toX(point.time), toY(point.high), toY(point.low))),
    },
  );
  const fromX = (pixels: number): number => scales.x.invert(pixels);
  const fromY = (pixels: number): number => scales.y.invert(pixels);
  const placedLabels = order.flatMap((point, i) => {
    const place = places[i];
    if (place === undefined) {
      frame.onNameless();
      return [];
    }
    const [lineX] = leaderEnd(place);
    return [
      {
        ...{ point, text: labels[i]!, far: place.far, anchor: place.anchor },
        ...{ x: fromX(place.x), y: fromY(place.y), lineX: fromX(lineX) },
      },
    ];
  });
  const ids = (some: readonly Point[]): string[] => some.map(({ row }) => row.id);
  const color = ({ onFront }: Point): string => (onFront ? colors.accent : colors.muted);
  const dots = points.filter(({ below }) => !below);
  const under = points.filter(({ below }) => below);
  return draw(plotting, {
    ...{ width, height, ...margins, x, y },
    ariaLabel: `AUC against the time of a request with ${candidates} candidates. On the front: ${front.map(({ id }) => id).join(', ')}.`,
    marks: [
      plot.axisX(ticksOf(...x.domain), {
        ...{ text: formatSetting, label: 'time of a request, median ms (log scale)' },
        ...{ labelAnchor: 'center', labelArrow: 'none', labelOffset: 36, tickSize: 3 },
      }),
      plot.gridY({ stroke: colors.faint, strokeOpacity: 1, ticks: 6 }),
      plot.line(inFront, {
        ...{ x: 'time', y: 'auc', stroke: colors.accent, strokeWidth: 1.5 },
        render: markedWhole('front', JSON.stringify(front.map(({ id }) => id))),
      }),
      plot.ruleX(dots, {
        ...{ x: 'time', y1: 'low', y2: 'high', strokeWidth: 1.25, stroke: color },
        strokeOpacity: ({ onFront }: Point) => (onFront ? 0.5 : 0.3),
      }),
      plot.link(
        placedLabels.filter(({ far }) => far),
        {
          ...{ x1: 'lineX', y1: 'y', stroke: colors.muted, strokeWidth: 0.75 },
          x2: ({ point }: { point: Point }) => point.time,
          y2: ({ point }: { point: Point }) => point.auc,
        },
      ),
      plot.dot(dots, {
        ...{ x: 'time', y: 'auc', r: 4, stroke: colors.paper, strokeWidth: 1.5, title: titleOf },
        ...{ fill: color, render: marked('row', ids(dots)) },
      }),
      plot.dot(under, {
        ...{ x: 'time', y: 'auc', r: 4, symbol: 'triangle', rotate: 180, title: titleOf },
        ...{ fill: color, render: marked('row', ids(under)) },
      }),
      ...(['start', 'end'] as const).map((textAnchor) =>
        plot.text(
          placedLabels.filter(({ anchor }) => anchor === textAnchor),
          {
            ...{ x: 'x', y: 'y', text: 'text', textAnchor, stroke: colors.paper, strokeWidth: 3 },
            fill: ({ point }: { point: Point }) => textColor(point),
          },
        ),
      ),
    ],
    color: { type: 'identity' },
    opacity: { type: 'identity' },
  });
}

/** 1, 2 and 5 times powers of ten. */
function ticksOf(low: number, high: number): number[] {
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power += 1) {
    ticks.push(...[1, 2, 5].map((digit) => digit * 10 ** power));
  }
  return ticks.filter((tick) => tick >= low && tick <= high);
}

function textColor({ onFront }: Point): string {
  return onFront ? colors.ink : colors.muted;
}

function labelOf({ row, below }: Point): string {
  const name = shortened(row.id, 24);
  return below ? `${name} ${row.metrics.auc.mean.toFixed(3)}` : name;
}

function titleOf({ row, time }: Point): string {
  return `${row.title} (${row.id}): AUC ${formatInterval(row.metrics.auc, formatMeasure)}, ${formatMs(time)}`;
}

function whisker(x: number, top: number, bottom: number): Box {
  return { left: x - 2, right: x + 2, top, bottom };
}
