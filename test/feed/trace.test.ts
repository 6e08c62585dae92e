import {
  decayedDot,
  Feed,
  fresh,
  nativeFeatures,
  renderExplanation,
  renderTrace,
  seen,
  weightedSum,
  type Catalog,
  type Trace,
} from '../../src';
import { expectRefusal } from '../support/errors';
import { Lcg } from '../support/random';
import { makeCatalog, makeItems, now, unhurried } from '../support/world';

const quality = nativeFeatures([{ name: 'quality', source: 'column', column: 'quality' }]);

const trace: Trace = {
  budget: {
    budgetMs: 30,
    percentile: 99,
    quality: 1,
    waiting: 0,
    candidates: 500,
    tier: 'full',
    ranked: 3,
    predictedMs: 1.5,
    spentMs: 1.25,
  },
  totalMs: 2.5,
  queueMs: 0.25,
  nativeMs: 2,
  nativeCalls: 1,
  stages: [
    { name: 'fresh', kind: 'generator', ms: 0.125, in: 0, out: 200, shortfalls: [], notes: [] },
    { name: 'merge', kind: 'merge', ms: 0.5, in: 0, out: 200, shortfalls: [], notes: [] },
    {
      name: 'own',
      kind: 'filter',
      ms: 5,
      in: 200,
      out: 200,
      skipped: 'deadline',
      shortfalls: [],
      notes: [],
    },
    {
      name: 'top-n',
      kind: 'selector',
      ms: 1,
      in: 200,
      out: 50,
      shortfalls: ['exposure of creator=small'],
      notes: ['spacing relaxed', 'filled by score'],
    },
  ],
  unknownIds: 3,
  removedMeanwhile: 1,
};

test('a trace is rendered as a table', () => {
  expect(renderTrace(trace)).toBe(
    [
      'stage  kind        in → out     ms  notes',
      'fresh  generator      → 200  0.125',
      'merge  merge        0 → 200  0.500',
      'own    filter     200 → 200  5.000  skipped: deadline',
      'top-n  selector    200 → 50  1.000  fell short: exposure of creator=small; spacing relaxed; filled by score',
      '2.500 ms in all: 0.250 ms waiting for a thread, 2.000 ms in native code (1 call)',
      '3 unknown ids, 1 removed meanwhile',
    ].join('\n'),
  );
});

describe('of a real request', () => {
  const items = makeItems(new Lcg(6), 30);
  let catalog: Catalog;
  let feed: Feed;

  beforeAll(async () => {
    catalog = await makeCatalog(items);
    feed = await Feed.create({
      catalog,
      generators: [decayedDot({ space: 'taste' }), fresh()],
      filters: [seen()],
      enrichers: [quality],
      ranker: weightedSum({ quality: 2, age: -0.5 }),
      profile: unhurried,
    });
  });

  test('every stage has a line, and one that was skipped says why', async () => {
    const slate = await feed.rank({ now, seen: [items[0]!.id], limit: 5 });
    for (const { shortfalls, notes } of slate.trace.stages) {
      expect([...shortfalls, ...notes]).toEqual([]);
    }
    const lines = renderTrace(slate.trace).split('\n');
    expect(lines.map((line) => line.split(/ {2,}/)[0])).toEqual([
      'stage',
      'decayed-dot',
      'fresh',
      'merge',
      'seen',
      'features',
      'weighted-sum',
      'top-n',
      expect.stringMatching(/^\d+\.\d{3} ms in all: /) as string,
    ]);
    expect(lines[1]).toMatch(/generator +→ 0 .*skipped: no user vector$/);
    expect(lines[4]).toMatch(/filter +30 → 29 /);
    expect(lines[7]).toMatch(/selector +29 → 5 /);
  });

  test('the trace’s own JSON has the timings', async () => {
    const { trace: real } = await feed.rank({ now });
    expect(JSON.parse(JSON.stringify(real))).toEqual(real);
    expect(real.stages.every(({ ms }) => ms >= 0)).toBe(true);
  });

  test('an explanation is rendered with everything that it holds', async () => {
    const slate = await feed.rank({ now, limit: 3, explain: true });
    const item = slate.items[1]!;
    const { sources, positions, features } = item.explanation!;
    const rendered = renderExplanation(item);
    const rows = rendered.split('\n').map((line) => line.split(/ {2,}/));
    const short = (value: number) => String(Number(value.toPrecision(6)));
    expect(rows).toEqual([
      [`${String(item.id)} is number 2 with score ${short(item.score)}`],
      ['found by'],
      ['fresh', `number ${sources[0]!.position + 1}`, `score ${short(sources[0]!.score)}`],
      ['stood at'],
      ...positions.map(({ stage, before, after }) => [
        stage,
        before === undefined ? `${after + 1}` : `${before + 1} → ${after + 1}`,
      ]),
      ['score of'],
      ['quality', short(item.terms['quality']!)],
      ['age', short(item.terms['age']!)],
      ['features'],
      ['quality', short(features['quality']!)],
      ['age', short(features['age']!)],
    ]);
  });

  test('what a selector and a model weighed is rendered, too', () => {
    const rendered = renderExplanation({
      id: 'a',
      position: 0,
      score: 3,
      sources: [],
      terms: { click: 3 },
      explanation: {
        sources: [],
        features: {},
        outputs: { click: 1.5 },
        penalties: { diversity: -0.25 },
        positions: [{ stage: 'list', after: 4 }],
      },
    });
    expect(rendered.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
      ['a is number 1 with score 3'],
      ['stood at'],
      ['list', '5'],
      ['score of'],
      ['click', '3', 'from output 1.5'],
      ['weighed beside it'],
      ['diversity', '-0.25'],
    ]);
  });

  test('an item that was not explained cannot be rendered', async () => {
    const slate = await feed.rank({ now, limit: 1 });
    await expectRefusal(() => renderExplanation(slate.items[0]!), {
      code: 'INVALID_ARGUMENT',
      argument: 'item',
    });
  });
});
