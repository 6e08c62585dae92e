import type { Price } from '../report';
import type { Html } from './html';
import { shortened } from './names';
import { formatChange, formatMs } from './numbers';
import { colors, draw, figure, marked, type Plotting } from './plotting';

/** What each step along the front costs, the cheapest end of the front first. */
export function pricePlot(plotting: Plotting, prices: readonly Price[]): Html {
  return figure((width) => drawPrices(plotting, prices, width), { wide: 760 });
}

function drawPrices(plotting: Plotting, prices: readonly Price[], width: number): Html {
  const { plot } = plotting;
  const narrow = width < 400;
  const rows = prices.map((price, i) => ({
    i,
    ...price,
    name: `${shortened(price.from, narrow ? 20 : 28)} → ${shortened(price.to, narrow ? 20 : 28)}`,
    cost: `${formatMs(price.msPerThousandthOfAuc)}`,
    step: `${formatChange(price.auc)} AUC for ${formatMs(price.ms)}`,
  }));
  const rowHeight = narrow ? 46 : 34;
  const marginLeft = narrow ? 0 : 300;
  const costs = prices.map(({ msPerThousandthOfAuc }) => msPerThousandthOfAuc);
  return draw(plotting, {
    ...{ width, height: rows.length * rowHeight + 4, marginLeft, marginRight: 64 },
    ...{ marginTop: 2, marginBottom: 2 },
    ariaLabel: 'What 0.001 of AUC costs in milliseconds along the front',
    x: { axis: null, domain: [0, Math.max(...costs, 0) || 1] },
    y: { axis: null, type: 'band', domain: rows.map(({ i }) => i), padding: 0 },
    marks: [
      plot.barX(rows, {
        ...{ x: 'msPerThousandthOfAuc', y: 'i', fill: colors.accent, rx: 1 },
        ...{ insetTop: narrow ? 30 : 10, insetBottom: narrow ? 5 : 10 },
        render: marked(
          'price',
          rows.map(({ from, to }) => JSON.stringify([from, to])),
        ),
      }),
      plot.text(rows, {
        ...{ x: 'msPerThousandthOfAuc', y: 'i', text: 'cost', textAnchor: 'start' },
        ...{ dx: 6, dy: narrow ? 12.5 : 0, fontWeight: 600 },
      }),
      plot.text(rows, {
        ...{ y: 'i', text: 'name', frameAnchor: 'left', textAnchor: 'start' },
        ...{ dx: -marginLeft, dy: narrow ? -14 : -6.5 },
      }),
      plot.text(rows, {
        ...{ y: 'i', text: 'step', frameAnchor: 'left', textAnchor: 'start', fill: colors.muted },
        ...{ dx: -marginLeft, dy: narrow ? -1 : 6.5 },
      }),
    ],
  });
}
