#!/usr/bin/env node
import { Command, CommanderError } from 'commander';

import type { Dataset } from '../data/dataset';
import { openDataset } from '../data/open-dataset';
import { evaluate } from '../evaluation/evaluate';
import type { Evaluation } from '../evaluation/evaluate';
import { describeMachine } from '../evaluation/machine';
import { renderExplanation } from '../feed/render-explanation';
import { renderTrace } from '../feed/render-trace';
import type { Slate, SlateItem } from '../feed/slate';
import { createDemoFeed, demoProfile } from './demo-feed';
import type { DemoFeed, Reader } from './demo-feed';
import { trainDemoRanker } from './demo-ranker';
import type { DemoRanker } from './demo-ranker';
import {
  formatClickRates,
  formatDiversity,
  formatFairness,
  formatRankers,
  formatSlate,
  formatTimings,
} from './demo-report';
import { formatMachine } from './evaluation-table';
import { endOnClosedPipe, say } from './output';
import { startProgress } from './progress';
import { reportError } from './report-error';

const timedRequests = 300;
const demoFairnessWeight = 0.2;

function title(text: string): void {
  say(`\n── ${text} ${'─'.repeat(Math.max(0, 76 - text.length))}`);
}

/** Shows a feed at work: on a simulated world, or on EB-NeRD where its folder is given. */
async function demonstrate(data: string | undefined): Promise<void> {
  const dataset = await openDataset(
    data === undefined ? { dataset: 'simulated' } : { dataset: 'ebnerd', data },
  );
  say(`feedrank on ${formatMachine(describeMachine())}`);
  const ranker = await showTraining(dataset);
  try {
    const progress = startProgress('replaying');
    const demo = await createDemoFeed(dataset, ranker.bundle, (done, total) =>
      progress.update(done, total),
    );
    progress.stop();
    try {
      introduce(demo);
      await showSlates(dataset, demo);
      await showExplanation(demo);
      if (Object.keys(dataset.spaces).length > 0) await showDiversity(dataset, demo);
      await showTimings(demo);
    } finally {
      demo.dispose();
    }
  } finally {
    await ranker.remove();
  }
  if (data === undefined) await showDisparity();
  suggest(data);
}

async function showTraining(dataset: Dataset): Promise<DemoRanker> {
  title('A ranker learns');
  say(
    dataset.name === 'simulated'
      ? 'A simulated news feed: topics, authors, readers and clicks all come from seed 1.'
      : `The log of ${dataset.name}: real lists, real clicks.`,
  );
  const ranker = await trainDemoRanker(dataset, ...watched('training'));
  const { seconds, examples } = ranker;
  say(
    `A small network learnt from the train part in ${seconds.toFixed(1)} s ` +
      `(${formatCount(examples)} rows). On the validation part, which it did not learn ` +
      'from:\n',
  );
  const rankers = { 'the trained ranker': ranker.bundle, popularity: 'popularity', fresh: 'fresh' };
  say(formatRankers(await evaluateAll(dataset, rankers)));
  return ranker;
}

/** A progress bar as a callback, which ends at its total. */
function watched(what: string): [(done: number, total: number) => void] {
  const progress = startProgress(what);
  return [
    (done, total) => {
      progress.update(done, total);
      if (done >= total) progress.stop();
    },
  ];
}

async function evaluateAll(
  dataset: Dataset,
  rankers: Readonly<Record<string, string>>,
  options: { readonly groups?: string[] } = {},
): Promise<Evaluation[]> {
  const evaluations: Evaluation[] = [];
  for (const [name, ranker] of Object.entries(rankers)) {
    const [onProgress] = watched(`evaluating ${name}`);
    const evaluation = await evaluate({ dataset, ranker, ...options, onProgress });
    evaluations.push({ ...evaluation, ranker: name });
  }
  return evaluations;
}

function introduce({ catalogSize, summary, now }: DemoFeed): void {
  const { impressions, events } = summary;
  title('A feed with that ranker');
  say(
    `${formatCount(impressions)} impressions were played through one feed in the order of time ` +
      `(${formatCount(events)} events). The catalog holds ${formatCount(catalogSize)} items; ` +
      `it is ${new Date(now).toISOString()}.`,
  );
}

async function showSlates(dataset: Dataset, { feed, readers, now }: DemoFeed): Promise<void> {
  title('What three readers see now');
  say(`At most ${demoProfile.perAuthor} items an author.\n`);
  const items = new Map(dataset.items.map((item) => [item.id, item]));
  for (const reader of differentReaders(readers, 3)) {
    const slate = await feed.rank({ ...reader.query, now, explain: true });
    say(`${formatSlate(slate, reader, items)}\n`);
  }
}

async function showExplanation({ feed, readers: [reader], now }: DemoFeed): Promise<void> {
  title('Why the first of them');
  const slate = await feed.rank({ ...reader?.query, now, explain: true });
  const [first] = slate.items;
  if (first !== undefined) say(renderExplanation(withoutRelativeFeatures(first)));
  title('What happened to that request');
  say(renderTrace(slate.trace));
}

/** Two features of three are relative ones of the same names, which would fill a screen of their own. */
function withoutRelativeFeatures(item: SlateItem): SlateItem {
  const { explanation } = item;
  if (explanation === undefined) return item;
  const absolute = Object.entries(explanation.features).filter(([name]) => !name.includes('_vs_'));
  return { ...item, explanation: { ...explanation, features: Object.fromEntries(absolute) } };
}

async function showDiversity(dataset: Dataset, { feed, readers, now }: DemoFeed): Promise<void> {
  title('More of one thing, or of many');
  say(
    "One setting of the profile, `diversity`, weighs an item's likeness to those above it against",
  );
  say('its score. The same readers, with rising weights:');
  const weights = [0, 0.3, 0.6, 0.9];
  // All at once they wait for one another; a stage that is skipped for it would say nothing here.
  const budgetMs = 10_000;
  const slates: Slate[][] = [];
  for (const diversity of weights) {
    slates.push(
      await Promise.all(
        readers
          .slice(0, 50)
          .map(({ query }) =>
            feed.rank({ ...query, now, profile: { ...demoProfile, diversity, budgetMs } }),
          ),
      ),
    );
  }
  say(formatDiversity(dataset, weights, slates));
}

/** Readers of different tastes, where the data has topics; busy ones in any case. */
function differentReaders(readers: readonly Reader[], count: number): Reader[] {
  const favourites = new Set<string>();
  const different = readers.filter(({ topics: [favourite] }) => {
    if (!favourite || favourites.has(favourite[0])) return false;
    favourites.add(favourite[0]);
    return true;
  });
  return (different.length >= count ? different : readers).slice(0, count);
}

async function showTimings({ feed, readers, now, catalogSize }: DemoFeed): Promise<void> {
  const slates: Slate[] = [];
  for (let i = 0; i < timedRequests; i += 1) {
    const reader = readers[i % readers.length];
    if (reader) slates.push(await feed.rank({ ...reader.query, now }));
  }
  title('Where the time goes');
  say(`${timedRequests} requests, one after another, on ${formatCount(catalogSize)} items:`);
  say(formatTimings(slates));
}

async function showDisparity(): Promise<void> {
  const biased = await openDataset({ dataset: 'simulated', scenario: 'biased-exposure' });
  title('A planted disparity');
  say('In another world of the simulator most clicks on independent creators are missing from the');
  say('train part of the log. Readers like both groups alike, as the validation part shows:');
  say(await formatClickRates(biased, 'creator'));
  say('\nOne ranker learns from that log as it is, and one with a fairness regularizer:');
  const asItIs = await trainDemoRanker(biased, ...watched('training'));
  const fairness = { group: 'creator', weight: demoFairnessWeight };
  const evened = await trainDemoRanker(biased, ...watched('training'), fairness);
  try {
    const rankers = {
      'as the log is': asItIs.bundle,
      [`fairness weight ${demoFairnessWeight}`]: evened.bundle,
    };
    const evaluations = await evaluateAll(biased, rankers, { groups: ['creator'] });
    say(formatFairness(evaluations, 'creator'));
  } finally {
    await Promise.all([asItIs.remove(), evened.remove()]);
  }
}

function suggest(data: string | undefined): void {
  title('What to try next');
  if (data === undefined) {
    say('  npx feedrank train --dataset simulated --out my-bundle');
    say('  npx feedrank evaluate --dataset simulated --ranker my-bundle --group creator');
    say('  npx feedrank evaluate --dataset simulated --ranker decayed-dot --seed 7');
    say('  npm run demo -- --data DIR      the same on real data: DIR is the EB-NeRD folder');
  } else {
    say(`  npx feedrank train --dataset ebnerd --data ${data} --out my-bundle`);
    say(`  npx feedrank evaluate --dataset ebnerd --data ${data} --ranker my-bundle`);
    say(`  npx feedrank evaluate --dataset ebnerd --data ${data} --ranker fresh --group device`);
  }
  say('  npx feedrank evaluate --help');
}

function formatCount(count: number): string {
  return count.toLocaleString('en');
}

async function main(argv: readonly string[]): Promise<number> {
  const program = new Command('demo')
    .description('Shows a feed at work.')
    .option(
      '--data <folder>',
      'the EB-NeRD folder, or the folder that holds it (default: simulate)',
    )
    .exitOverride()
    .configureOutput({ writeErr: () => undefined })
    .action((options: { readonly data?: string }) => demonstrate(options.data));
  try {
    await program.parseAsync(argv, { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    return reportError(error, false);
  }
}

if (require.main === module) {
  endOnClosedPipe();
  void main(process.argv.slice(2)).then((status) => {
    process.exitCode = status;
  });
}
