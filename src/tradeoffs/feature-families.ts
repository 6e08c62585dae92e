import type { FeatureDefinition, FeatureSource } from '../features/feature';

type OfFamily = (feature: FeatureDefinition) => boolean;

const reader: readonly FeatureSource[] = [
  'already-read',
  'times-shown',
  'time-since-shown',
  'history-length',
  'co-read-sum',
  'co-read-max',
];
const page: readonly FeatureSource[] = ['co-read-current', 'follow-ups', 'follow-up-share'];
const time: readonly FeatureSource[] = ['age', 'time-since-first-seen'];

/** Features that stand or fall together, by the name of what they tell. */
export const featureFamilies: Readonly<Record<string, OfFamily>> = {
  'relative to the pool': ({ reference }) => reference === 'pool',
  segments: ({ source }) => source.startsWith('segment-'),
  'the reader': ({ source }) => reader.includes(source),
  'the current article': ({ source }) => page.includes(source),
  'reading time': ({ source }) => /dwell|completion/.test(source),
  age: ({ source }) => time.includes(source),
  context: ({ source }) => source === 'context',
  columns: ({ source }) => source === 'column',
  embeddings: ({ source }) => source === 'dot',
};
