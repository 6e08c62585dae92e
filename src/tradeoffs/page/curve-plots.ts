import type { Curve } from '../report';
import { html, nothing, type Html } from './html';
import { measureName, settingStyle, type SettingStyle } from './names';
import { formatInterval, formatMeasure, tickFormat } from './numbers';
import { colors, draw, figure, marked, type Plotting } from './plotting';

interface Point {
  readonly value: number;
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

/** How each measure moves with one setting; nothing where no point has a measure. */
export function curveSection(plotting: Plotting, curve: Curve): Html {
  const style = settingStyle(curve.setting);
  const measures = new Set(curve.points.flatMap(({ measures: found }) => Object.keys(found)));
  const plots = [...measures].flatMap((measure) => {
    const points = pointsOf(curve, measure);
    return points.length === 0 ? [] : [panel(plotting, { curve, measure, points, style })];
  });
  if (plots.length === 0) return nothing;
  return html`<section class="curve">
    <h3>${style.title}</h3>
    <p>${curve.note}</p>
    <div class="panels">${plots}</div>
  </section>`;
}

function pointsOf(curve: Curve, measure: string): Point[] {
  return curve.points
    .flatMap(({ value, measures }) => {
      const found = Object.hasOwn(measures, measure) ? measures[measure] : null;
      return found ? [{ value, mean: found.mean, low: found.low, high: found.high }] : [];
    })
    .sort((a, b) => a.value - b.value);
}

interface Panel {
  readonly curve: Curve;
  readonly measure: string;
  readonly points: readonly Point[];
  readonly style: SettingStyle;
}

function panel(plotting: Plotting, { curve, measure, points, style }: Panel): Html {
  const { plot } = plotting;
  const name = measureName(measure);
  const values = points.map(({ value }) => value);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const log = least > 0 && most / least > 8;
  const low = Math.min(...points.map((point) => point.low));
  const high = Math.max(...points.map((point) => point.high));
  const room = 0.08 * (high - low || Math.abs(high) || 1);
  const drawing = draw(plotting, {
    ...{ width: 340, height: 190, marginLeft: 48, marginRight: 18, marginTop: 10 },
    marginBottom: 36,
    ariaLabel: `${name} by ${style.axis}, with 95% intervals`,
    x: {
      type: log ? 'log' : 'linear',
      ...(least === most ? { domain: [least - 1, most + 1] } : {}),
      axis: null,
    },
    y: {
      ...{ domain: [low - room, high + room], ticks: 4, label: null, tickSize: 0 },
      tickFormat: tickFormat(low, high),
    },
    marks: [
      // As a mark: the scale would leave out some of a logarithmic axis.
      plot.axisX(ticksOf(values, log), {
        ...{ text: style.format, label: style.axis, labelAnchor: 'center', labelArrow: 'none' },
        ...{ labelOffset: 32, tickSize: 3 },
      }),
      plot.gridY({ stroke: colors.faint, strokeOpacity: 1, ticks: 4 }),
      plot.areaY(points, {
        ...{ x: 'value', y1: 'low', y2: 'high', fill: colors.accent, fillOpacity: 0.16 },
      }),
      plot.line(points, { x: 'value', y: 'mean', stroke: colors.accent, strokeWidth: 1.75 }),
      // A single point has no band.
      plot.ruleX(points.length === 1 ? points : [], {
        ...{ x: 'value', y1: 'low', y2: 'high', stroke: colors.accent, strokeOpacity: 0.45 },
      }),
      plot.dot(points, {
        ...{ x: 'value', y: 'mean', r: 2.75, fill: colors.accent },
        title: (point: Point) => `${style.format(point.value)}: ${formatInterval(point, shown)}`,
        render: marked(
          'point',
          points.map(({ value }) => JSON.stringify([curve.setting, measure, value])),
        ),
      }),
    ],
  });
  return html`<div class="panel">
    <h4>${name}</h4>
    ${figure(() => drawing, { wide: 340 })}
  </div>`;
}

/** The values themselves; of those that lie too close together, the first. */
function ticksOf(values: readonly number[], log: boolean): number[] {
  const sorted = [...new Set(values)].sort((a, b) => a - b);
  const place = (value: number): number => (log ? Math.log(value) : value);
  const whole = place(sorted.at(-1)!) - place(sorted[0]!);
  const kept = [sorted[0]!];
  for (const value of sorted) {
    if (place(value) - place(kept.at(-1)!) > 0.11 * whole) kept.push(value);
  }
  return kept;
}

/** A measure, or a count. */
function shown(value: number): string {
  return Math.abs(value) >= 10 ? value.toFixed(1) : formatMeasure(value);
}
