import { FeedrankError, invalidArgument } from '../errors';
import { checkName, checkObject } from '../validation';
import { nameOf, type StageOf } from './native-stages';

type NativeSelector = StageOf<'selector'>;

/**
 * How alike two items are, for the selectors that diversify: in an embedding space of the catalog,
 * or by the topics that they share. An item without a vector, or without topics, is like no other.
 */
export type DiversityOptions =
  | { readonly space: string; readonly by?: 'space'; readonly name?: string }
  | { readonly by: 'topics'; readonly name?: string };

/**
 * The best by score, within the profile's caps, spacing and exposure. Moves click-through; costs a
 * sort, some 0.02 ms for 500 candidates.
 */
export function topN(options: { name?: string } = {}): NativeSelector {
  return {
    name: nameOf(options, 'top-n'),
    native: { stage: 'selector', kind: 'top-n' },
  };
}

/**
 * Maximal marginal relevance (Carbonell & Goldstein, SIGIR 1998), one position after another: takes
 * the item with the greatest (1 − w) · ŝ − w · (greatest similarity to an item already taken). w is
 * the profile's `diversity` and ŝ the score, min-max normalised to [0, 1] over the candidates; with
 * w = 0 this is {@link topN}. Similarity is the cosine in [−1, 1] in a space, or the Jaccard index
 * of topics in [0, 1]. Within the profile's caps, spacing and exposure.
 *
 * Moves diversity, against click-through; costs slate × candidates similarities, some 0.3 ms for
 * 500 candidates of 64 dimensions and a slate of 50. What no longer fits the budget is taken by
 * score, and `degraded` says `budget`.
 */
export function mmr(options: DiversityOptions): NativeSelector {
  return diverse('mmr', options);
}

/**
 * Greedy maximum a posteriori inference of a determinantal point process (Chen, Zhang & Zhou,
 * NeurIPS 2018) with the kernel L_ij = q_i · q_j · S_ij: q_i = exp(α · ŝ_i), α = (1 − w) / (2 w), w
 * the profile's `diversity`, ŝ as for {@link mmr}. It compares an item with all that is taken
 * together, where MMR looks at the most similar one only. S is exp(cos − 1), a Gaussian of unit
 * vectors, in a space, or the Jaccard index of topics. Once what is left adds nothing to the
 * determinant, such as items with the same topics as one that is taken, positions are filled by
 * score, and the trace says so; at most 1,000 positions are diversified. Within the profile's caps,
 * spacing and exposure.
 *
 * Moves diversity, against click-through; costs slate² × candidates operations, some 0.6 ms for 500
 * candidates of 64 dimensions and a slate of 50. What no longer fits the budget is taken by score,
 * and `degraded` says `budget`.
 */
export function dpp(options: DiversityOptions): NativeSelector {
  return diverse('dpp', options);
}

function diverse(kind: 'mmr' | 'dpp', options: DiversityOptions): NativeSelector {
  const { space, by } = checkObject(options, 'options');
  const name = nameOf(options, kind);
  if (by !== undefined && by !== 'topics' && by !== 'space') {
    throw invalidArgument('by', "'topics', or a space", by);
  }
  if (by === 'topics') {
    if (space !== undefined) {
      throw new FeedrankError(
        'INVALID_ARGUMENT',
        "by: expected either a space or 'topics', got both",
        'by',
      );
    }
    return { name, native: { stage: 'selector', kind } };
  }
  return { name, native: { stage: 'selector', kind, space: checkName(space, 'space') } };
}
