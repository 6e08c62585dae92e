import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { beforeAll, describe, expect, it } from '@jest/globals';

import {
  Bundle,
  Catalog,
  decayedDot,
  evaluate,
  Feed,
  Model,
  replayCatalogOptions,
  train,
  type Dataset,
  type DatasetImpression,
  type TrainingProgress,
  type TrainOptions,
} from '../../src';
import { simulateFeed } from '../../src/data/simulated-feed';
import { expectRefusal, type Refusal } from '../support/errors';
import { temporaryFolder } from '../support/temporary-folder';

const quick = { network: { hidden: [16] }, epochs: 3 } as const;

/** A world that is replayed in a moment. */
function smallWorld(seed = 1, scenario: 'feed' | 'biased-exposure' = 'feed'): Dataset {
  return simulateFeed({
    seed,
    scenario,
    items: 300,
    users: 60,
    trainImpressions: 600,
    validationImpressions: 200,
  });
}

/** The same world, its train part's impressions as `change` leaves them. */
function changed(
  dataset: Dataset,
  change: (impression: DatasetImpression) => DatasetImpression | undefined,
): Dataset {
  return {
    ...dataset,
    async *impressions(split: string) {
      for await (const impression of dataset.impressions(split)) {
        const kept = split === 'train' ? change(impression) : impression;
        if (kept) yield kept;
      }
    },
  };
}

describe('train', () => {
  const folder = temporaryFolder();
  let next = 0;
  const out = (): string => join(folder, `bundle-${(next += 1)}`);

  describe('on a simulated world', () => {
    let path: string;
    const told: TrainingProgress[] = [];
    const dataset = simulateFeed({
      items: 800,
      users: 150,
      trainImpressions: 3000,
      validationImpressions: 1500,
    });

    beforeAll(async () => {
      path = out();
      const training = train({
        dataset,
        out: path,
        epochs: 6,
        network: { hidden: [32] },
      });
      for await (const progress of training) told.push(progress);
    });

    it('writes a bundle whose ranker beats popularity on what came later', async () => {
      const [learnt, popularity] = await Promise.all(
        [path, 'popularity'].map((ranker) => evaluate({ dataset, ranker })),
      );
      expect(learnt!.metrics.auc.low).toBeGreaterThan(popularity!.metrics.auc.high);
      expect(learnt!.metrics.ndcg10.low).toBeGreaterThan(popularity!.metrics.ndcg10.high);
    });

    it('tells how it went, epoch by epoch', () => {
      const replayed = told.filter((progress) => progress.phase === 'replay');
      expect(replayed.at(-1)).toEqual({ phase: 'replay', done: 3000, total: 3000 });
      const epochs = told.flatMap((progress) => (progress.phase === 'train' ? [progress] : []));
      const heldOut = epochs.filter(({ stage }) => stage === 'held-out');
      expect(heldOut.map(({ epoch }) => epoch)).toEqual([1, 2, 3, 4, 5, 6]);
      expect(heldOut.at(-1)!.loss).toBeLessThan(heldOut[0]!.loss);
      for (const { metrics } of heldOut) expect(metrics!.auc).toBeGreaterThan(0.6);
      const refit = epochs.filter(({ stage }) => stage === 'refit');
      expect(refit.length).toBeGreaterThan(0);
      for (const progress of refit) expect(progress).not.toHaveProperty('metrics');
      for (const { examplesPerSecond } of epochs) expect(examplesPerSecond).toBeGreaterThan(0);
    });

    it('records what it learnt from, how, and how well', async () => {
      await using bundle = await Bundle.open(path);
      const { training, data, metrics, ranker } = bundle.manifest;
      expect(training).toMatchObject({ mode: 'rerank', seed: 1, loss: 'softmax', hidden: [32] });
      expect(data).toMatchObject({ dataset: 'simulated', split: 'train' });
      expect(data).toHaveProperty('sha256', expect.stringMatching(/^[0-9a-f]{64}$/));
      expect(metrics).toHaveProperty('validation.auc.mean', expect.any(Number));
      expect(ranker!.heads.map(({ name }) => name)).toEqual([
        'click',
        'dwell',
        'click_probability',
      ]);
      expect(ranker!.features.map(({ reference }) => reference)).toContain('list');
    });

    it('gives probabilities that agree with the clicks', async () => {
      const { calibration } = await evaluate({ dataset, ranker: path });
      expect(Math.abs(calibration!.predicted - calibration!.clicked)).toBeLessThan(0.02);
      expect(calibration!.error).toBeLessThan(0.03);
    });
  });

  it('gives the same bundle for the same seed, however many threads, but for its date', async () => {
    const dataset = smallWorld();
    const options = { ...quick, network: { hidden: [8], members: 2 }, dataset };
    const paths = [out(), out(), out()];
    await train({ ...options, out: paths[0]!, threads: 1 }).result;
    await train({ ...options, out: paths[1]!, threads: 2 }).result;
    await train({ ...options, out: paths[2]!, seed: 2 }).result;
    const files = readdirSync(paths[0]!);
    const contents = paths.map((path) =>
      files.map((name) => {
        const text = readFileSync(join(path, name), 'latin1');
        if (name !== 'manifest.json') return text;
        return text.replace(/"(createdAt|checksum)": "[^"]*"/g, '');
      }),
    );
    expect(contents[1]).toEqual(contents[0]);
    expect(contents[2]).not.toEqual(contents[0]);
  });

  it('reads nothing that is relative to a list in mode rank', async () => {
    const path = out();
    await train({ ...quick, dataset: smallWorld(), out: path, mode: 'rank' }).result;
    await using bundle = await Bundle.open(path);
    const references = bundle.manifest.ranker!.features.map(({ reference }) => reference);
    expect(references).toContain('pool');
    expect(references).not.toContain('list');
  });

  it('reads the features that it is told to, without those that never vary', async () => {
    const path = out();
    const features = [
      'clicks_3h',
      'hides_48h',
      'age',
      { name: 'words', source: 'column', column: 'body_length' },
    ] as const;
    await train({ ...quick, dataset: smallWorld(), out: path, features }).result;
    await using bundle = await Bundle.open(path);
    expect(bundle.manifest.ranker!.features.map(({ name }) => name)).toEqual([
      'clicks_3h',
      'age',
      'words',
    ]);
  });

  it('adds towers, which a feed made from the bundle finds items with', async () => {
    const path = out();
    const world = smallWorld();
    const towers = { dimensions: 8, hidden: 8, idBuckets: 64, categoryBuckets: 64, epochs: 2 };
    const phases = new Set<string>();
    const training = train({ ...quick, dataset: world, out: path, mode: 'rank', towers });
    for await (const { phase } of training) phases.add(phase);
    expect([...phases]).toEqual(['replay', 'train', 'towers']);

    await using bundle = await Bundle.open(path);
    const { name, version, dimensions } = bundle.towers!.space;
    await using catalog = await Catalog.create({
      ...replayCatalogOptions(world),
      spaces: { ...world.spaces, [name]: { version, dimensions } },
    });
    const items = world.items.map((item) => ({ publishTime: 0, ...item }));
    await catalog.upsert(await bundle.towers!.embed(items));
    await using feed = await Feed.create({
      catalog,
      bundle: path,
      generators: [decayedDot({ space: name })],
    });
    const now = items.at(-1)!.publishTime;
    const slate = await feed.rank({ userId: 1, now });
    expect(slate.degraded).toEqual([]);
    expect(slate.items).toHaveLength(50);
    expect(slate.trace.nativeCalls).toBe(1);

    // A catalog without the space is served all the same, by the ranker alone.
    await using plain = await Catalog.create(replayCatalogOptions(world));
    await plain.upsert(items);
    await using rankerAlone = await Feed.create({ catalog: plain, bundle: path });
    expect((await rankerAlone.rerank({ now }, [items[0]!.id])).items).toHaveLength(1);
  });

  it('says what is wrong with the options of towers before it learns', async () => {
    const told: TrainingProgress[] = [];
    const training = train({ dataset: smallWorld(), out: out(), towers: { dimensions: 0 } });
    await expectRefusal(
      async () => {
        for await (const progress of training) told.push(progress);
      },
      { code: 'INVALID_ARGUMENT', argument: 'dimensions' },
    );
    expect(told).toEqual([]);
  });

  it('keeps the best networks so far as models that can be loaded', async () => {
    const checkpoints = join(folder, 'checkpoints');
    await train({ ...quick, dataset: smallWorld(), out: out(), checkpoints }).result;
    const files = readdirSync(checkpoints).filter((name) => name.endsWith('.pt'));
    expect(files).toContain('member-1-epoch-1.pt');
    await using model = await Model.load(join(checkpoints, files[0]!), { allowUnverified: true });
    expect(model.heads).toEqual(['click', 'dwell']);
  });

  it('goes without what the data does not have', async () => {
    const path = out();
    const dataset = changed(smallWorld(), ({ outcome: _, ...impression }) => impression);
    await train({ ...quick, dataset, out: path, calibration: 'none' }).result;
    await using bundle = await Bundle.open(path);
    expect(bundle.manifest.ranker!.heads).toEqual([{ name: 'click', weight: 1 }]);
  });

  it('leaves out lists that nothing can be learnt from, and says how many', async () => {
    const path = out();
    let i = 0;
    const dataset = changed(smallWorld(), (impression) => {
      i += 1;
      if (i % 3 === 0) return { ...impression, clickedIds: [] };
      return i % 3 === 1 ? { ...impression, clickedIds: impression.itemIds } : impression;
    });
    await train({ ...quick, dataset, out: path }).result;
    await using bundle = await Bundle.open(path);
    const { skippedLists, lists } = bundle.manifest.data as Record<string, number>;
    expect(skippedLists).toBeGreaterThanOrEqual(400);
    expect(lists! + skippedLists!).toBe(600);
  });

  it('ends within moments of an abort, and writes nothing', async () => {
    const path = out();
    const controller = new AbortController();
    const training = train({
      ...{ dataset: smallWorld(), out: path, epochs: 1000, patience: 1000 },
      signal: controller.signal,
    });
    const aborted: Refusal = { code: 'ABORTED', argument: 'signal' };
    await expectRefusal(async () => {
      for await (const progress of training) {
        if (progress.phase === 'train' && progress.epoch === 2) controller.abort();
      }
    }, aborted);
    await expectRefusal(() => training.result, aborted);
    expect(existsSync(path)).toBe(false);
  });

  describe('refuses', () => {
    const refused = (
      options: Partial<TrainOptions>,
      code: Refusal['code'],
      argument: string,
    ): Promise<void> =>
      expectRefusal(
        () => train({ ...quick, dataset: smallWorld(), out: out(), ...options }).result,
        { code, argument },
      );

    it.each<[string, Partial<TrainOptions>, Refusal['code'], string]>([
      [
        'an unknown group',
        { fairness: { group: 'shoe size', weight: 1 } },
        'UNKNOWN_GROUP',
        'fairness.group',
      ],
      [
        'a negative fairness weight',
        { fairness: { group: 'creator', weight: -1 } },
        'INVALID_ARGUMENT',
        'fairness.weight',
      ],
      [
        'NaN as fairness weight',
        { fairness: { group: 'creator', weight: NaN } },
        'INVALID_ARGUMENT',
        'fairness.weight',
      ],
      ['an unknown loss', { loss: 'hinge' as 'softmax' }, 'INVALID_ARGUMENT', 'loss'],
      ['no epochs', { epochs: 0 }, 'INVALID_ARGUMENT', 'epochs'],
      ['a layer of width 0', { network: { hidden: [0] } }, 'INVALID_ARGUMENT', 'network.hidden[0]'],
      ['dropout of everything', { network: { dropout: 1 } }, 'INVALID_ARGUMENT', 'network.dropout'],
      ['a learning rate of 0', { learningRate: 0 }, 'INVALID_ARGUMENT', 'learningRate'],
      ['a seed of 0.5', { seed: 0.5 }, 'INVALID_ARGUMENT', 'seed'],
      ['an unknown split', { split: 'test' }, 'INVALID_ARGUMENT', 'split'],
      ['an unknown feature', { features: ['charm'] }, 'UNKNOWN_FEATURE', 'features[0]'],
      ['a path that is none', { out: '' }, 'INVALID_ARGUMENT', 'out'],
    ])('%s', async (_, options, code, argument) => {
      await refused(options, code, argument);
    });

    it('data without lists, without clicks, or with everything clicked', async () => {
      const world = smallWorld();
      for (const change of [
        () => undefined,
        (impression: DatasetImpression) => ({ ...impression, clickedIds: [] }),
        (impression: DatasetImpression) => ({ ...impression, clickedIds: impression.itemIds }),
      ]) {
        await refused({ dataset: changed(world, change) }, 'DATA_MALFORMED', 'dataset');
      }
    });

    it('to overwrite, before it has learnt anything', async () => {
      const path = out();
      await train({ ...quick, dataset: smallWorld(), out: path }).result;
      const before = readFileSync(join(path, 'manifest.json'), 'latin1');
      const told: TrainingProgress[] = [];
      const again = train({ ...quick, dataset: smallWorld(2), out: path });
      await expectRefusal(
        async () => {
          for await (const progress of again) told.push(progress);
        },
        { code: 'OUTPUT_EXISTS' },
      );
      expect(told).toEqual([]);
      expect(readFileSync(join(path, 'manifest.json'), 'latin1')).toBe(before);
      await train({ ...quick, dataset: smallWorld(2), out: path, force: true }).result;
      expect(readFileSync(join(path, 'manifest.json'), 'latin1')).not.toBe(before);
    });

    it('to go on when the loss is no number, names epoch and batch, and keeps checkpoints', async () => {
      const checkpoints = join(folder, 'diverged');
      const path = out();
      // One step an epoch: the first leaves a network that still answers, the second a loss that is none.
      const training = train({
        ...{ dataset: smallWorld(), out: path, checkpoints },
        ...{ learningRate: 1e8, epochs: 5, batchLists: 65_536 },
      });
      await expectRefusal(() => training.result, {
        code: 'TRAINING_DIVERGED',
        message: /epoch 2, batch 1/,
      });
      expect(existsSync(path)).toBe(false);
      const kept = readdirSync(checkpoints).filter((name) => name.endsWith('.pt'));
      expect(kept).toContain('member-1-epoch-1.pt');
      const model = await Model.load(join(checkpoints, kept[0]!), { allowUnverified: true });
      expect(await model.score(Array.from(model.description.features, () => 0))).toHaveLength(2);
    });

    it('a folder of checkpoints that holds something', async () => {
      const checkpoints = join(folder, 'taken');
      mkdirSync(checkpoints);
      writeFileSync(join(checkpoints, 'model.json'), 'precious');
      await refused({ checkpoints }, 'OUTPUT_EXISTS', 'checkpoints');
      expect(readFileSync(join(checkpoints, 'model.json'), 'utf8')).toBe('precious');
    });

    it('to replace a folder that is no bundle, though it has a manifest.json', async () => {
      const path = out();
      mkdirSync(path);
      writeFileSync(join(path, 'manifest.json'), '{"name":"a web app"}');
      await refused({ out: path, force: true }, 'OUTPUT_EXISTS', 'path');
      expect(readFileSync(join(path, 'manifest.json'), 'utf8')).toBe('{"name":"a web app"}');
    });

    it('a place where nothing can be written, before it has learnt anything', async () => {
      const told: TrainingProgress[] = [];
      const training = train({ dataset: smallWorld(), out: join(out(), 'deep') });
      await expectRefusal(
        async () => {
          for await (const progress of training) told.push(progress);
        },
        { code: 'FILE_NOT_WRITTEN' },
      );
      expect(told).toEqual([]);
    });

    it('features of the list in mode rank, none that vary, clicks on what was not shown, one group', async () => {
      await refused(
        { mode: 'rank', features: ['age', 'age_vs_list'] },
        'INVALID_ARGUMENT',
        'features[1]',
      );
      await refused({ features: ['hides_48h'] }, 'INVALID_ARGUMENT', 'features');
      const stray = changed(smallWorld(), (impression) => ({
        ...impression,
        clickedIds: ['nobody'],
      }));
      await refused({ dataset: stray }, 'DATA_MALFORMED', 'dataset');
      const world = smallWorld();
      const items = world.items.map((item) => ({ ...item, labels: { creator: 'newsroom' } }));
      const fairness = { group: 'creator', weight: 1 };
      await refused({ dataset: { ...world, items }, fairness }, 'UNKNOWN_GROUP', 'fairness.group');
    });
  });

  it('learns from one list alone', async () => {
    let only: unknown;
    for await (const { clickedIds, itemIds, impressionId } of smallWorld().impressions('train')) {
      if (clickedIds.length > 0 && clickedIds.length < itemIds.length) only = impressionId;
    }
    const dataset = changed(smallWorld(), (impression) =>
      impression.impressionId === only ? impression : undefined,
    );
    const { validation } = await train({ ...quick, dataset, out: out() }).result;
    expect(validation.auc.mean).toBeGreaterThanOrEqual(0);
  });

  it('opens named datasets as evaluate does', async () => {
    await expectRefusal(() => train({ dataset: 'ebnerd', out: out() }).result, {
      code: 'INVALID_ARGUMENT',
      argument: 'data',
    });
  });
});
