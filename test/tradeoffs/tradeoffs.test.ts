import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { beforeAll, describe, expect, it } from '@jest/globals';

import { Bundle, Catalog, evaluate, Feed, fresh, replayCatalogOptions } from '../../src';
import { simulateFeed } from '../../src/data/simulated-feed';
import { chooseRow } from '../../src/tradeoffs/choose-row';
import { measureTradeoffs, measureTradeoffsWith } from '../../src/tradeoffs/tradeoffs';
import type { TradeoffReport } from '../../src/tradeoffs/report';
import { expectRefusal } from '../support/errors';
import { temporaryFolder } from '../support/temporary-folder';

/** Enough to see that it is measured, and too little to say how it is. */
const effort = { rounds: 3, pipelineLists: 40, loadSeconds: 0.2, epochs: 3 };

const dataset = simulateFeed({
  items: 200,
  users: 60,
  trainImpressions: 400,
  validationImpressions: 150,
});

describe('measureTradeoffs', () => {
  const folder = temporaryFolder();
  const out = join(folder, 'report');
  let report: TradeoffReport;
  /** When each bundle that the run ended early had left was written. */
  let kept: Readonly<Record<string, number>>;

  beforeAll(async () => {
    const controller = new AbortController();
    await expectRefusal(
      () =>
        measureTradeoffsWith(effort, {
          ...{ dataset, out, signal: controller.signal },
          onProgress: (done) => {
            if (done > 0.3) controller.abort();
          },
        }),
      { code: 'ABORTED' },
    );
    const bundles = join(out, 'bundles');
    kept = Object.fromEntries(
      readdirSync(bundles).map((name) => [name, statSync(join(bundles, name)).mtimeMs]),
    );
    report = await measureTradeoffsWith(effort, { dataset, out });
  });

  const row = (id: string) => report.rows.find((one) => one.id === id)!;

  it('goes on where a run that ended early had stopped', () => {
    expect(Object.keys(kept).length).toBeGreaterThan(2);
    for (const [name, at] of Object.entries(kept)) {
      expect([name, statSync(join(out, 'bundles', name)).mtimeMs]).toEqual([name, at]);
    }
    expect(readdirSync(out).sort()).toEqual(['bundles', 'report.html', 'report.json']);
  });

  it('writes what it answers, and a page of it', () => {
    expect(JSON.parse(readFileSync(join(out, 'report.json'), 'utf8'))).toEqual(
      JSON.parse(JSON.stringify(report)),
    );
    expect(readFileSync(join(out, 'report.html'), 'utf8')).toContain('student-64-32');
  });

  it('has a row of every kind, each measured', () => {
    const kinds = new Set(report.rows.map(({ kind }) => kind));
    for (const kind of ['teacher', 'student', 'pruned', 'decayed-dot', 'popularity', 'settings']) {
      expect(kinds).toContain(kind);
    }
    for (const { id, mode, metrics, latencyMs } of report.rows) {
      expect([id, metrics.auc.low <= metrics.auc.mean]).toEqual([id, true]);
      const counts = Object.keys(latencyMs);
      if (mode === 'rerank') expect([id, counts]).toEqual([id, ['500', '2000']]);
      for (const { p50, p99 } of Object.values(latencyMs)) {
        expect([id, p50 > 0 && p99 >= p50]).toEqual([id, true]);
      }
    }
  });

  it.each(['student-64-32', 'popularity', 'fresh'])('measures %s as evaluate does', async (id) => {
    const { bundle } = row(id).settings;
    const ranker = typeof bundle === 'string' ? join(out, 'bundles', bundle) : id;
    const evaluation = await evaluate({ dataset, ranker, groups: ['creator'] });
    const { dwellNdcg10, ...metrics } = row(id).metrics;
    expect(report.impressions).toBe(evaluation.impressions);
    for (const [name, { mean, low, high }] of Object.entries(evaluation.metrics)) {
      const got = metrics[name as keyof typeof metrics];
      expect(got.mean).toBeCloseTo(mean, 9);
      expect(got.low).toBeCloseTo(low, 9);
      expect(got.high).toBeCloseTo(high, 9);
    }
    expect(dwellNdcg10?.mean).toBeCloseTo(evaluation.dwellNdcg10!.mean, 9);
    expect(row(id).diversity.intraList10?.mean).toBeCloseTo(
      evaluation.diversity.intraList10!.mean,
      9,
    );
    expect(row(id).groups['creator']!.pairwiseGap).toBeCloseTo(
      evaluation.groups['creator']!.pairwiseGap!,
      9,
    );
  });

  it('draws the front through what no row beats', () => {
    const offers = report.rows
      .filter(({ mode }) => mode === 'rerank')
      .map(({ id, metrics, latencyMs }) => ({
        ...{ id, auc: metrics.auc.mean, ms: latencyMs['2000']!.p50 },
      }));
    for (const one of offers) {
      const beaten = offers.some(
        (other) =>
          (other.auc > one.auc && other.ms <= one.ms) ||
          (other.auc >= one.auc && other.ms < one.ms),
      );
      expect([one.id, row(one.id).pareto]).toEqual([one.id, !beaten]);
    }
    const onFront = report.rows.filter(({ pareto }) => pareto);
    expect(report.prices).toHaveLength(onFront.length - 1);
    for (const { auc, ms, msPerThousandthOfAuc } of report.prices) {
      expect(auc).toBeGreaterThan(0);
      expect(msPerThousandthOfAuc).toBeCloseTo((ms / auc) * 0.001, 12);
    }
  });

  it('gives the points of its curves intervals', () => {
    expect(report.curves.map(({ setting }) => setting)).toEqual([
      'fairness',
      'tau',
      'diversity',
      'candidates',
    ]);
    for (const { setting, points } of report.curves) {
      expect(points.length).toBeGreaterThan(4);
      for (const { measures } of points) {
        const { auc } = measures;
        expect([setting, auc!.low < auc!.high]).toEqual([setting, true]);
      }
    }
    const { pairwiseGap } = report.curves[0]!.points[0]!.measures;
    expect(pairwiseGap!.mean).toBeCloseTo(row('fairness-0').groups['creator']!.pairwiseGap!, 9);
  });

  it('says what every family of features, generator and stage is worth', () => {
    expect(new Set(report.ablation.map(({ part }) => part))).toEqual(
      new Set(['feature-family', 'generator', 'stage']),
    );
    const ranker = report.ablation.find(({ name }) => name.startsWith('ranker'));
    expect(ranker!.change['auc']!.mean).not.toBe(0);
    for (const { name, change } of report.ablation) {
      expect([name, change['auc']!.low <= change['auc']!.high]).toEqual([name, true]);
    }
    expect(report.unavailable).toHaveProperty('communityHealth');
  });

  it('answers every load, or says what it refused', () => {
    expect(report.load.length).toBeGreaterThan(3);
    for (const { inTime, refused, tiers } of report.load) {
      expect(inTime + refused).toBeLessThanOrEqual(1 + 1e-9);
      const shares = Object.values(tiers).reduce((sum, share) => sum + share, 0);
      if (refused < 1) expect(shares).toBeCloseTo(1, 9);
    }
  });

  it('saves a row as a profile that a feed takes', async () => {
    const file = join(folder, 'profile.json');
    const chosen = await chooseRow(out, 'candidates-100', file);
    expect(chosen).toMatchObject({ id: 'candidates-100', bundle: null });
    const profile = JSON.parse(readFileSync(file, 'utf8')) as object;
    expect(profile).toEqual({
      name: 'candidates-100',
      diversity: 0.3,
      maxCandidates: 100,
      limit: 100,
    });
    const student = await chooseRow(out, 'student-64-32', file, { force: true });
    await using bundle = await Bundle.open(student.bundle!);
    await using catalog = await Catalog.create(replayCatalogOptions(dataset));
    const saved = JSON.parse(readFileSync(file, 'utf8')) as { name: string };
    await using feed = await Feed.create({
      ...{ catalog, bundle, generators: [fresh()], profile: saved },
      segments: dataset.segments,
    });
    expect((await feed.rank({ userId: 1 })).profile).toBe('student-64-32');
  });

  it('chooses no row that is not there, and overwrites no profile', async () => {
    const file = join(folder, 'taken.json');
    writeFileSync(file, '{}');
    await expectRefusal(() => chooseRow(out, 'student-64-32', file), { code: 'OUTPUT_EXISTS' });
    expect(readFileSync(file, 'utf8')).toBe('{}');
    await expectRefusal(() => chooseRow(out, 'student-7', join(folder, 'none.json')), {
      code: 'INVALID_ARGUMENT',
      argument: 'choose',
    });
    expect(existsSync(join(folder, 'none.json'))).toBe(false);
    await expectRefusal(() => chooseRow(folder, 'teacher', join(folder, 'none.json')), {
      code: 'INVALID_ARGUMENT',
      argument: 'out',
    });
  });

  it('overwrites neither a report nor anything else', async () => {
    await expectRefusal(() => measureTradeoffs({ dataset, out }), {
      code: 'OUTPUT_EXISTS',
      argument: 'out',
    });
    const other = join(folder, 'other');
    mkdirSync(other);
    writeFileSync(join(other, 'thesis.txt'), 'years of work');
    await expectRefusal(() => measureTradeoffs({ dataset, out: other, force: true }), {
      code: 'OUTPUT_EXISTS',
    });
    expect(readdirSync(other)).toEqual(['thesis.txt']);
  });

  it.each([
    ['group', { group: 'shoe size' }, 'UNKNOWN_GROUP'],
    ['split', { split: 'train' }, 'INVALID_ARGUMENT'],
    ['split', { split: 'test' }, 'INVALID_ARGUMENT'],
    ['seed', { seed: 0.5 }, 'INVALID_ARGUMENT'],
    ['lagMs', { lagMs: -1 }, 'INVALID_ARGUMENT'],
    ['signal', { signal: 'now' }, 'INVALID_ARGUMENT'],
  ] as const)('refuses %s in %j before it writes anything', async (argument, options, code) => {
    const nowhere = join(folder, 'nowhere');
    await expectRefusal(() => measureTradeoffs({ dataset, out: nowhere, ...(options as object) }), {
      code,
      argument,
    });
    expect(existsSync(nowhere)).toBe(false);
  });
});
