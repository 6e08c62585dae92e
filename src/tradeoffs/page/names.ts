import { formatCount, formatDuration, formatSetting } from './numbers';

const measures: Readonly<Record<string, string>> = {
  auc: 'AUC',
  mrr: 'MRR',
  ndcg5: 'nDCG@5',
  ndcg10: 'nDCG@10',
  dwellNdcg10: 'dwell nDCG@10',
  intraList10: 'intra-list diversity@10',
  topicCoverage10: 'topic coverage@10',
  scoreDisparity: 'score disparity',
  pairwiseGap: 'pairwise gap',
  ndcgGap: 'nDCG gap',
};

/** What people call a measure. */
export function measureName(measure: string): string {
  return Object.hasOwn(measures, measure) ? measures[measure]! : measure;
}

/** How a curve's setting is shown. */
export interface SettingStyle {
  readonly title: string;
  readonly axis: string;
  readonly format: (value: number) => string;
}

const settings: Readonly<Record<string, SettingStyle>> = {
  fairness: { title: 'Fairness', axis: 'fairness weight λ', format: formatSetting },
  tau: { title: 'Decay', axis: 'decay τ', format: formatDuration },
  diversity: { title: 'Diversity', axis: 'diversity weight', format: formatSetting },
  candidates: { title: 'Candidates', axis: 'candidates', format: formatCount },
};

export function settingStyle(setting: string): SettingStyle {
  if (Object.hasOwn(settings, setting)) return settings[setting]!;
  return { title: setting, axis: setting, format: formatSetting };
}

const parts: Readonly<Record<string, string>> = {
  stage: 'Stages',
  generator: 'Generators',
  'feature-family': 'Feature families',
};

export function partName(part: string): string {
  return Object.hasOwn(parts, part) ? parts[part]! : part;
}

/** The start of a text that is too long for where it stands. */
export function shortened(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}
