import { join } from 'node:path';

import { beforeAll, describe, expect, it } from '@jest/globals';
import { sampleRankCorrelation } from 'simple-statistics';

import { Bundle, evaluate, train, type TrainOptions } from '../../src';
import { simulateFeed } from '../../src/data/simulated-feed';
import { expectRefusal } from '../support/errors';
import { temporaryFolder } from '../support/temporary-folder';

const dataset = simulateFeed({
  items: 500,
  users: 100,
  trainImpressions: 2000,
  validationImpressions: 800,
});

describe('students and pruned rankers', () => {
  const folder = temporaryFolder();
  let next = 0;
  const out = (): string => join(folder, `bundle-${(next += 1)}`);
  const trained = async (options: Partial<TrainOptions>): Promise<string> => {
    const { bundle } = await train({ dataset, out: out(), epochs: 5, batchLists: 64, ...options })
      .result;
    return bundle;
  };
  let teacher: string;

  beforeAll(async () => {
    teacher = await trained({ network: { hidden: [64, 32] } });
  });

  /** Rows between any two of those that a bundle's golden answers are for. */
  const rows = async (path: string): Promise<number[]> => {
    await using bundle = await Bundle.open(path);
    const { inputs } = bundle.manifest.ranker!.golden;
    return inputs.flatMap((a) => inputs.flatMap((b) => a.map((value, i) => (value + b[i]!) / 2)));
  };

  /** How much a ranker orders other rows as the teacher does; both read the same features. */
  const agreement = async (path: string): Promise<number> => {
    await using bundle = await Bundle.open(path);
    await using other = await Bundle.open(teacher);
    const inputs = await rows(teacher);
    const click = (outputs: Float32Array, heads: number): number[] => [
      ...outputs.filter((_, i) => i % heads === 0),
    ];
    const [a, b] = [bundle.ranker!, other.ranker!];
    return sampleRankCorrelation(
      click(await a.score(inputs), a.heads.length),
      click(await b.score(inputs), b.heads.length),
    );
  };

  it('a student of a teacher alone follows it, and is not what clicks alone would make it', async () => {
    const taught = await trained({
      network: { hidden: [8], dropout: 0 },
      distillFrom: teacher,
      distillationWeight: 1,
    });
    const clicks = await trained({ network: { hidden: [8], dropout: 0 } });
    expect(await agreement(taught)).toBeGreaterThan(0.9);
    await using bundle = await Bundle.open(taught);
    await using other = await Bundle.open(clicks);
    const checksum = (one: Bundle): string => one.manifest.files['ranker.pt']!.sha256;
    expect(checksum(bundle)).not.toBe(checksum(other));
    expect(bundle.manifest.training).toMatchObject({ distilled: true, distillationWeight: 1 });
  });

  it('a student may read fewer features than its teacher', async () => {
    const few = ['clicks_12h', 'ctr_12h', 'age'];
    const taught = await trained({
      network: { hidden: [8] },
      distillFrom: await Bundle.open(teacher),
      features: few,
    });
    await using bundle = await Bundle.open(taught);
    expect(bundle.manifest.ranker!.features.map(({ name }) => name)).toEqual(few);
    const { metrics } = await evaluate({ dataset, ranker: taught });
    expect(metrics.auc.low).toBeGreaterThan(0.5);
  });

  it('structured pruning takes units out, and leaves most of what was learnt', async () => {
    const pruned = await trained({
      network: { hidden: [64, 32] },
      pruning: { keep: 0.25, epochs: 3 },
    });
    await using whole = await Bundle.open(teacher);
    await using bundle = await Bundle.open(pruned);
    const bytes = (one: Bundle): number => one.manifest.files['ranker.pt']!.bytes;
    expect(bytes(bundle)).toBeLessThan(0.7 * bytes(whole));
    const auc = async (ranker: string) => (await evaluate({ dataset, ranker })).metrics.auc.mean;
    expect(await auc(pruned)).toBeGreaterThan((await auc(teacher)) - 0.03);
  });

  it('magnitude pruning keeps the shape', async () => {
    const pruned = await trained({
      network: { hidden: [64, 32] },
      pruning: { method: 'magnitude', keep: 0.1, epochs: 2 },
    });
    await using whole = await Bundle.open(teacher);
    await using bundle = await Bundle.open(pruned);
    const bytes = (one: Bundle): number => one.manifest.files['ranker.pt']!.bytes;
    expect(Math.abs(bytes(bundle) - bytes(whole))).toBeLessThan(1024);
    expect(bundle.manifest.training).toMatchObject({
      pruning: { method: 'magnitude', keep: 0.1, epochs: 2 },
    });
  });

  it('pruning is as repeatable as training', async () => {
    const once = await trained({ network: { hidden: [16] }, pruning: { keep: 0.5 }, threads: 1 });
    const again = await trained({ network: { hidden: [16] }, pruning: { keep: 0.5 }, threads: 2 });
    const checksum = async (path: string) =>
      (await Bundle.open(path)).manifest.files['ranker.pt']!.sha256;
    expect(await checksum(again)).toBe(await checksum(once));
  });

  it.each([
    ['distillationWeight', { distillationWeight: 1.5 }],
    ['distillationWeight', { distillationWeight: NaN }],
    ['distillFrom', { distillFrom: '' }],
    ['pruning.keep', { pruning: { keep: 0 } }],
    ['pruning.keep', { pruning: { keep: 2 } }],
    ['pruning.method', { pruning: { keep: 0.5, method: 'random' } }],
    ['pruning.epochs', { pruning: { keep: 0.5, epochs: 0 } }],
    ['pruning', { pruning: 0.5 }],
  ] as [string, object][])('refuses %s in %j', async (argument, options) => {
    await expectRefusal(() => trained(options), {
      code: 'INVALID_ARGUMENT',
      argument,
    });
  });

  it('refuses a teacher that is not there', async () => {
    await expectRefusal(() => trained({ distillFrom: join(folder, 'nowhere') }), {
      code: 'BUNDLE_NOT_FOUND',
      argument: 'path',
    });
  });
});
