#pragma once

#include <span>

#include "features/feature_assembler.h"
#include "slate/candidate_set.h"
#include "slate/plan.h"
#include "slate/query.h"

namespace feedrank {

/// Scores every candidate, each from its own features, and keeps the terms that a score is made of.
/// `head_weights` has one a head where the stage is a model. Throws MODEL_SHAPE or MODEL_OUTPUT
/// where a model fails. Idle threads of `helpers` take part of a model's work.
void rank_candidates(const RankerStage& stage, const Settings& settings,
                     std::span<const double> head_weights, const FeatureAssembler::Inputs& inputs,
                     CandidateSet& candidates, Executor* helpers);

/// What stands in for a ranker that takes no part: the order in which the generators were merged.
void rank_by_merged_order(CandidateSet& candidates);

}  // namespace feedrank
