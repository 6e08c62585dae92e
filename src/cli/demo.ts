#!/usr/bin/env node
import { Command, CommanderError } from 'commander';

import type { Dataset } from '../data/dataset';
import { openDataset } from '../data/open-dataset';
import { evaluate } from '../evaluation/evaluate';
import { describeMachine } from '../evaluation/machine';
import type { Slate } from '../feed/slate';
import { createDemoFeed, demoProfile, queryOf } from './demo-feed';
import type { DemoFeed, Reader } from './demo-feed';
import { formatClickRates, formatSlate, formatTimings } from './demo-report';
import { formatEvaluation, formatMachine } from './evaluation-table';
import { endOnClosedPipe, say } from './output';
import { startProgress } from './progress';
import { reportError } from './report-error';

const timedRequests = 300;
const dayMs = 86_400_000;

function title(text: string): void {
  say(`\n── ${text} ${'─'.repeat(Math.max(0, 76 - text.length))}`);
}

/** Shows a feed at work: on a simulated world, or on EB-NeRD where its folder is given. */
async function demonstrate(data: string | undefined): Promise<void> {
  const dataset = await openDataset(
    data === undefined ? { dataset: 'simulated' } : { dataset: 'ebnerd', data },
  );
  const progress = startProgress('replaying');
  const demo = await createDemoFeed(dataset, (done, total) => progress.update(done, total));
  progress.stop();
  try {
    introduce(dataset, demo);
    await showSlates(dataset, demo);
    await showTimings(demo);
    if (data === undefined) await showDisparity(demo);
    else await showMetrics(dataset, demo);
    suggest(data);
  } finally {
    await demo.dispose();
  }
}

function introduce(dataset: Dataset, { catalogSize, summary, now }: DemoFeed): void {
  const { impressions, events } = summary;
  say(`feedrank on ${formatMachine(describeMachine())}`);
  say(
    dataset.name === 'simulated'
      ? 'A simulated news feed: topics, authors, readers and clicks all come from seed 1.'
      : `The log of ${dataset.name}: real lists, real clicks.`,
  );
  say(
    `${formatCount(impressions)} impressions were played through one feed in the order of time ` +
      `(${formatCount(events)} events). The catalog holds ${formatCount(catalogSize)} items; ` +
      `it is ${new Date(now).toISOString()}.`,
  );
}

async function showSlates(dataset: Dataset, { feed, readers, now }: DemoFeed): Promise<void> {
  title('What three readers see now');
  say('The ranker is a TorchScript model built a moment ago. Its weights are set by hand, not');
  say(
    `learnt. At most ${demoProfile.perAuthor} items an author and ${demoProfile.perTopic} a topic.\n`,
  );
  const items = new Map(dataset.items.map((item) => [item.id, item]));
  for (const reader of differentReaders(readers, 3)) {
    const slate = await feed.rank(queryOf(reader, now));
    say(`${formatSlate(slate, reader, items)}\n`);
  }
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
    if (reader) slates.push(await feed.rank(queryOf(reader, now)));
  }
  title('Where the time goes');
  say(`${timedRequests} requests, one after another, on ${formatCount(catalogSize)} items:`);
  say(formatTimings(slates));
}

async function showDisparity({ rankerPath }: DemoFeed): Promise<void> {
  const biased = await openDataset({ dataset: 'simulated', scenario: 'biased-exposure' });
  const validationStart = new Date('2024-01-06T00:00:00Z').getTime();
  title('A planted disparity');
  say('In another world of the simulator most clicks on independent creators are missing from the');
  say('train part of the log. Readers like both groups alike, as the validation part shows:');
  say(await formatClickRates(biased, 'creator'));
  say(
    '\nThe counters learnt from the biased part, and so did the ranker. The first 12 hours after:',
  );
  const evaluation = await evaluate({
    dataset: biased,
    ranker: rankerPath,
    groups: ['creator'],
    to: validationStart + dayMs / 2,
  });
  say(formatEvaluation({ ...evaluation, ranker: 'the hand-set ranker' }));
}

async function showMetrics(dataset: Dataset, { rankerPath }: DemoFeed): Promise<void> {
  title('How well it ranks');
  const progress = startProgress('evaluating');
  const evaluation = await evaluate({
    dataset,
    ranker: rankerPath,
    groups: dataset.userSlices,
    onProgress: (done, total) => progress.update(done, total),
  });
  progress.stop();
  say(formatEvaluation({ ...evaluation, ranker: 'the hand-set ranker' }));
}

function suggest(data: string | undefined): void {
  title('What to try next');
  if (data === undefined) {
    say('  npx feedrank evaluate --dataset simulated --ranker popularity --group creator');
    say('  npx feedrank evaluate --dataset simulated --ranker decayed-dot --seed 7');
    say('  npm run demo -- --data DIR      the same on real data: DIR is the EB-NeRD folder');
  } else {
    say(`  npx feedrank evaluate --dataset ebnerd --data ${data} --ranker popularity`);
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
