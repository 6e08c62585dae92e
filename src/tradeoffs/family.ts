import type { FeatureDefinition } from '../features/feature';
import type { Precision } from '../models/precision';
import type { PruningOptions, TrainOptions } from '../training/train-options';
import { featureFamilies } from './feature-families';
import type { TradeoffKind } from './report';

/** How a ranker of the family is trained. */
export type RankerSettings = Pick<
  TrainOptions,
  'network' | 'fairness' | 'distillationWeight' | 'epochs' | 'patience' | 'refit'
>;

/** A ranker that is trained, and what is pruned from it. */
export interface TrainedMember {
  readonly id: string;
  readonly kind: TradeoffKind;
  readonly title: string;
  readonly settings: RankerSettings;
  /** The member whose scores it learns from. */
  readonly teacher?: string;
  readonly prunings?: readonly {
    readonly id: string;
    readonly title: string;
    readonly pruning: Required<PruningOptions>;
  }[];
  /** Reads only so many features: those that matter most to another member. */
  readonly lean?: { readonly of: string; readonly features: number };
  /** Features that it may read. Defaults to all. */
  readonly reads?: (feature: FeatureDefinition) => boolean;
}

/** A trained ranker in another precision. */
export interface RoundedMember {
  readonly id: string;
  readonly kind: 'bf16' | 'int8';
  readonly title: string;
  readonly of: string;
  readonly precision: Precision;
}

/** The row that others are compared with. */
export const teacherId = 'teacher';

/** The student that runs the pipeline's settings, and takes over under load. */
export const studentId = 'student-64-32';

/** What rankers without a family of features are compared with. */
export const allFeaturesId = 'all-features';

/** The student that reads the fewest features, for assembling them takes longer than ranking by them. */
export const leanId = 'student-64-32-lean';
const leanFeatures = 24;

/** λ of the fairness curve, whose first point goes without. */
export const fairnessWeights = [0, 0.05, 0.1, 0.2, 0.5] as const;

/** τ of the freshness curve, in hours. */
export const tauHours = [1, 3, 6, 12, 24, 48, 96] as const;

/** Weights of the diversity curve. */
export const diversityWeights = [0, 0.1, 0.3, 0.5, 0.9] as const;

/** Numbers of candidates of the candidates curve, the middle one being the pipeline's own. */
export const candidateCounts = [100, 200, 500, 1000, 2000] as const;

const small = { hidden: [64, 32], dropout: 0.1 };

/** What is only compared with its like learns once, without the tail. */
const compared = { network: small, refit: false, patience: 3 };

const structured = (keep: number): Required<PruningOptions> => ({
  method: 'structured',
  keep,
  epochs: 6,
});

function student(hidden: readonly number[]): TrainedMember {
  const widths = hidden.join('-');
  return {
    id: widths === '' ? 'student-linear' : `student-${widths}`,
    kind: 'student',
    title: widths === '' ? 'linear student' : `student ${widths}`,
    settings: { network: { hidden, dropout: 0.1 }, distillationWeight: 0.5 },
    teacher: teacherId,
  };
}

/** Fewer lists than this do not fill the larger teacher. */
const manyLists = 15_000;

/**
 * What is trained to be compared: the teacher, what is pruned from it, students, and no teacher.
 * `lists` is how many there are to learn from.
 */
export function rankerMembers(lists: number): TrainedMember[] {
  const hidden = lists < manyLists ? [256, 128] : [512, 256];
  return [
    {
      id: teacherId,
      kind: 'teacher',
      title: `teacher ${hidden.join('-')}`,
      settings: { network: { hidden } },
      prunings: [
        { id: 'pruned-50', title: 'half of the units', pruning: structured(0.5) },
        { id: 'pruned-25', title: 'a quarter of the units', pruning: structured(0.25) },
        {
          id: 'pruned-magnitude-20',
          title: 'a fifth of the weights',
          pruning: { method: 'magnitude', keep: 0.2, epochs: 6 },
        },
      ],
    },
    student([128, 64]),
    student([64, 32]),
    student([32]),
    student([]),
    {
      ...student([64, 32]),
      id: leanId,
      title: `student 64-32 on ${leanFeatures} features`,
      lean: { of: studentId, features: leanFeatures },
    },
    {
      id: 'plain-64-32',
      kind: 'untaught',
      title: '64-32 without a teacher',
      settings: { network: small },
    },
  ];
}

/** Trained to see what λ does. */
export function fairnessMembers(group: string | undefined): TrainedMember[] {
  if (group === undefined) return [];
  return fairnessWeights.map((weight) => ({
    id: `fairness-${weight}`,
    kind: 'fairness' as const,
    title: `64-32, λ ${weight}`,
    settings: { ...compared, epochs: 10, fairness: { group, weight } },
  }));
}

/** Trained to see what a family of features is worth; the first one reads all of them. */
export function ablationMembers(features: readonly FeatureDefinition[]): TrainedMember[] {
  const families = Object.entries(featureFamilies).filter(
    ([, isOfIt]) => features.some(isOfIt) && !features.every(isOfIt),
  );
  const common = { kind: 'ablation' as const, settings: compared };
  return [
    { ...common, id: allFeaturesId, title: '64-32 with all features' },
    ...families.map(([name, isOfIt]): TrainedMember => ({
      ...common,
      id: `without-${name.replaceAll(' ', '-')}`,
      title: `64-32 without ${name}`,
      reads: (feature) => !isOfIt(feature),
    })),
  ];
}

/** The rankers that are also measured in other precisions, and in which. */
export const roundedMembers: readonly RoundedMember[] = [teacherId, 'student-128-64'].flatMap(
  (of): RoundedMember[] => [
    { id: `${of}-bf16`, kind: 'bf16', title: `${of} in bfloat16`, of, precision: 'bfloat16' },
    { id: `${of}-int8`, kind: 'int8', title: `${of} in int8`, of, precision: 'int8' },
  ],
);
