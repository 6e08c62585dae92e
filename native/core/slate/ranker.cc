#include "slate/ranker.h"

#include <cmath>
#include <string>
#include <vector>

#include "error.h"
#include "retrieval/decay.h"

namespace feedrank {
namespace {

/// Whether the ranker reads the feature matrix as it is.
bool reads_all_in_order(const RankerStage& stage, const CandidateSet& candidates) {
  if (stage.columns.size() != candidates.feature_count) return false;
  for (size_t c = 0; c < stage.columns.size(); ++c) {
    if (stage.columns[c] != c) return false;
  }
  return true;
}

/// The columns that the ranker reads, in its order, row-major.
std::vector<float> gathered(const RankerStage& stage, const CandidateSet& candidates) {
  const size_t width = stage.columns.size();
  std::vector<float> rows(candidates.size() * width);
  for (size_t i = 0; i < candidates.size(); ++i) {
    const float* features = candidates.features.data() + i * candidates.feature_count;
    for (size_t c = 0; c < width; ++c) rows[i * width + c] = features[stage.columns[c]];
  }
  return rows;
}

void rank_by_weighted_sum(const RankerStage& stage, CandidateSet& candidates) {
  const size_t width = stage.columns.size();
  for (size_t i = 0; i < candidates.size(); ++i) {
    const float* features = candidates.features.data() + i * candidates.feature_count;
    for (size_t c = 0; c < width; ++c) {
      const double term = stage.weights[c] * double{features[stage.columns[c]]};
      candidates.terms[i * width + c] = term;
      candidates.scores[i] += term;
    }
  }
}

void rank_by_decayed_dot(const RankerStage& stage, const Settings& settings,
                         const FeatureAssembler::Inputs& inputs, CandidateSet& candidates) {
  const std::vector<double> dots =
      FeatureAssembler::best_dots(inputs, stage.space, candidates.rows);
  for (size_t i = 0; i < candidates.size(); ++i) {
    const Row row = candidates.rows[i];
    const double weight =
        decay_weight(inputs.snapshot.publish_time(row), inputs.now, settings.tau_ms);
    const double dot = std::isnan(dots[i]) ? 0.0 : dots[i];
    candidates.terms[2 * i] = dot;
    candidates.terms[2 * i + 1] = weight;
    candidates.scores[i] = decayed(dot, weight, settings.negatives);
  }
}

void rank_by_model(const RankerStage& stage, std::span<const double> head_weights,
                   const FeatureAssembler::Inputs& inputs, CandidateSet& candidates,
                   Executor* helpers) {
  const size_t width = stage.terms.size();
  if (candidates.size() == 0) return;
  std::vector<float> rows;
  const bool as_it_is = reads_all_in_order(stage, candidates);
  if (!as_it_is) rows = gathered(stage, candidates);
  std::vector<float> heads(candidates.size() * width);
  stage.model->forward(as_it_is ? candidates.features.data() : rows.data(), candidates.size(),
                       heads.data(), helpers);
  if (candidates.history) candidates.history->outputs.assign(heads.begin(), heads.end());
  for (size_t i = 0; i < candidates.size(); ++i) {
    for (size_t h = 0; h < width; ++h) {
      const double term = head_weights[h] * double{heads[i * width + h]};
      if (!std::isfinite(term)) {
        throw Error("MODEL_OUTPUT", "ranker",
                    "ranker: expected finite scores, got NaN or infinity from head '" +
                        stage.terms[h] + "' for item " +
                        describe(inputs.snapshot.id(candidates.rows[i])));
      }
      candidates.terms[i * width + h] = term;
      candidates.scores[i] += term;
    }
  }
}

}  // namespace

void rank_candidates(const RankerStage& stage, const Settings& settings,
                     std::span<const double> head_weights, const FeatureAssembler::Inputs& inputs,
                     CandidateSet& candidates, Executor* helpers) {
  candidates.scores.assign(candidates.size(), 0.0);
  candidates.term_names = stage.terms;
  candidates.terms.assign(candidates.size() * stage.terms.size(), 0.0);
  switch (stage.kind) {
    case RankerStage::Kind::kModel:
      return rank_by_model(stage, head_weights, inputs, candidates, helpers);
    case RankerStage::Kind::kDecayedDot:
      return rank_by_decayed_dot(stage, settings, inputs, candidates);
    case RankerStage::Kind::kWeightedSum:
      return rank_by_weighted_sum(stage, candidates);
    case RankerStage::Kind::kExternal:
      return;
  }
}

void rank_by_merged_order(CandidateSet& candidates) {
  candidates.term_names = {"mergedOrder"};
  if (candidates.history) candidates.history->outputs.clear();
  candidates.scores.resize(candidates.size());
  for (size_t i = 0; i < candidates.size(); ++i) {
    candidates.scores[i] = 1.0 / static_cast<double>(i + 1);
  }
  candidates.terms = candidates.scores;
}

}  // namespace feedrank
