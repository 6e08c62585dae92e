import type { AblationRow } from '../report';
import { html, type Html } from './html';
import { measureName, partName, shortened } from './names';
import { formatChange, formatInterval, tickFormat } from './numbers';
import { colors, draw, figure, letterWidth, marked, type Plotting } from './plotting';

/** What is lost where a part is left out, by kind of part and measure. */
export function ablationSections(plotting: Plotting, ablation: readonly AblationRow[]): Html[] {
  const kinds = [...new Set(ablation.map(({ part }) => part))];
  return kinds.map((kind) => {
    const rows = ablation.filter(({ part }) => part === kind);
    const measures = [...new Set(rows.flatMap(({ change }) => Object.keys(change)))];
    const panels = measures.flatMap((measure) => panelOf(plotting, rows, measure));
    return html`<section class="curve">
      <h3>${partName(kind)}</h3>
      <div class="panels pairs">${panels}</div>
    </section>`;
  });
}

interface Change {
  readonly i: number;
  readonly name: string;
  readonly row: AblationRow;
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

function panelOf(plotting: Plotting, rows: readonly AblationRow[], measure: string): Html[] {
  const changes = rows
    .flatMap((row) => {
      const change = Object.hasOwn(row.change, measure) ? row.change[measure] : null;
      return change ? [{ row, mean: change.mean, low: change.low, high: change.high }] : [];
    })
    .sort((a, b) => a.mean - b.mean)
    .map((change, i): Change => ({ ...change, i, name: shortened(change.row.name, 24) }));
  if (changes.length === 0) return [];
  const drawing = figure((width) => drawChanges(plotting, changes, measure, width), { wide: 500 });
  return [
    html`<div class="panel">
      <h4>change of ${measureName(measure)}</h4>
      ${drawing}
    </div>`,
  ];
}

function drawChanges(
  plotting: Plotting,
  changes: readonly Change[],
  measure: string,
  width: number,
): Html {
  const { plot } = plotting;
  const longest = Math.max(...changes.map(({ name }) => name.length));
  const marginLeft = Math.min(longest * letterWidth + 10, width * 0.45);
  const reach = [0, ...changes.flatMap(({ low, high }) => [low, high])];
  const [least, most] = [Math.min(...reach), Math.max(...reach)];
  const room = 0.05 * (most - least || 0.001);
  const told = ({ low, high }: Change): boolean => low > 0 || high < 0;
  const color = (change: Change): string => (told(change) ? colors.accent : colors.muted);
  return draw(plotting, {
    ...{ width, height: changes.length * 22 + 34, marginLeft, marginRight: 56 },
    ...{ marginTop: 4, marginBottom: 28 },
    ariaLabel: `Change of ${measureName(measure)} where a part is left out, with 95% intervals`,
    color: { type: 'identity' },
    x: {
      ...{ domain: [least - room, most + room], ticks: width < 400 ? 3 : 5, label: null },
      ...{ tickFormat: tickFormat(least - room, most + room), tickSize: 3 },
    },
    y: { axis: null, type: 'band', domain: changes.map(({ i }) => i) },
    marks: [
      plot.gridX({ stroke: colors.faint, strokeOpacity: 1, ticks: width < 400 ? 3 : 5 }),
      plot.ruleX([0], { stroke: colors.ink, strokeOpacity: 0.6 }),
      plot.ruleY(changes, {
        ...{ y: 'i', x1: 'low', x2: 'high', stroke: color, strokeWidth: 2, strokeOpacity: 0.55 },
      }),
      plot.dot(changes, {
        ...{ x: 'mean', y: 'i', r: 3.5, fill: color },
        title: (change: Change) => `${change.row.name}: ${formatInterval(change, formatChange)}`,
        render: marked(
          'ablation',
          changes.map(({ row }) => JSON.stringify([row.part, row.name, measure])),
        ),
      }),
      plot.text(changes, {
        ...{ y: 'i', text: 'name', frameAnchor: 'left', textAnchor: 'end', dx: -8 },
      }),
      plot.text(changes, {
        ...{ y: 'i', frameAnchor: 'right', textAnchor: 'end', dx: 54, fill: color },
        text: (change: Change) => formatChange(change.mean),
      }),
    ],
  });
}
