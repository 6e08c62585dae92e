#pragma once

#include "features/feature_assembler.h"
#include "slate/candidate_set.h"
#include "slate/plan.h"
#include "slate/query.h"

namespace feedrank {

/// Scores every candidate, each from its own features, and keeps the terms that a score is made of.
/// Throws MODEL_SHAPE or MODEL_OUTPUT where a model fails.
void rank_candidates(const RankerStage& stage, const Settings& settings,
                     const FeatureAssembler::Inputs& inputs, CandidateSet& candidates);

/// What stands in for a ranker that takes no part: the order in which the generators were merged.
void rank_by_merged_order(CandidateSet& candidates);

}  // namespace feedrank
