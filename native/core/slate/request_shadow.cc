#include <algorithm>
#include <chrono>
#include <cmath>
#include <exception>
#include <string>
#include <vector>

#include "error.h"
#include "slate/rank_agreement.h"
#include "slate/request.h"
#include "slate/selector.h"

// How a ranker that does not answer looks on.

namespace feedrank {
namespace {

/// Whether a request that comes now would find a thread.
bool somebody_is_free(const Executor& executor) {
  return executor.queued() == 0 && (executor.threads() == 1 || executor.idle() > 0);
}

}  // namespace

void Request::score_in_shadow(const Executor& executor) const {
  if (next_ != State::kDone || !settings_.shadow) return;
  const SmallerRanker& shadow = plan_->smaller[*settings_.shadow];
  // Where something stood in for the live ranker, there is nothing to compare with.
  const bool compares = ranked_ && tier_ == 0U && candidates_.size() > 0;
  if (!compares || !somebody_is_free(executor)) return shadow.log->skipped();
  try {
    const std::vector<float> rows = shadow_rows(shadow);
    if (executor.queued() > 0) return shadow.log->skipped();
    const auto begin = Clock::now();
    const std::vector<double> scores = shadow_scores(shadow, rows);
    const double ms = std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
    double live_ms = 0;
    for (const StageTrace& stage : trace_.stages) {
      if (stage.kind == "ranker") live_ms = stage.ms;
    }
    shadow.log->scored(
        {top_overlap(order_by_score(*snapshot_, candidates_),
                     order_by_score(*snapshot_, candidates_.rows, scores), query_.limit),
         kendall_tau_b(candidates_.scores, scores), live_ms, ms});
  } catch (const Error& error) {
    shadow.log->failed(error.code() + ": " + error.what());
  } catch (const std::exception& error) {
    shadow.log->failed(std::string("INTERNAL: ") + error.what());
  }
}

std::vector<float> Request::shadow_rows(const SmallerRanker& shadow) const {
  const size_t n = candidates_.size();
  const size_t width = candidates_.feature_count;
  std::vector<uint8_t> ready(width, 0);
  for (const uint32_t column : ready_columns_) ready[column] = 1;
  std::fill(ready.begin() + plan_->first_external_column(), ready.end(), uint8_t{1});
  // What the live ranker has not read; the rest is there.
  FeatureList missing = shadow.features;
  missing.features.clear();
  std::vector<uint32_t> place(width, UINT32_MAX);  // among the missing ones
  for (size_t f = 0; f < shadow.feature_columns.size(); ++f) {
    if (ready[shadow.feature_columns[f]] != 0) continue;
    place[shadow.feature_columns[f]] = static_cast<uint32_t>(missing.features.size());
    missing.features.push_back(shadow.features.features[f]);
  }
  const size_t more = missing.features.size();
  std::vector<float> values(n * more);
  if (more > 0) {
    FeatureAssembler::fill(missing, feature_inputs(), candidates_.rows, values.data(), more);
  }
  std::vector<float> rows;
  rows.reserve(n * shadow.stage.columns.size());
  for (size_t i = 0; i < n; ++i) {
    for (const uint32_t column : shadow.stage.columns) {
      rows.push_back(place[column] == UINT32_MAX ? candidates_.features[i * width + column]
                                                 : values[i * more + place[column]]);
    }
  }
  return rows;
}

std::vector<double> Request::shadow_scores(const SmallerRanker& shadow,
                                           const std::vector<float>& rows) const {
  const size_t n = candidates_.size();
  const size_t width = shadow.stage.terms.size();
  std::vector<float> heads(n * width);
  // On this thread alone: idle ones are left to requests.
  shadow.stage.model->forward(rows.data(), n, heads.data());
  std::vector<double> scores(n, 0.0);
  for (size_t i = 0; i < n; ++i) {
    for (size_t h = 0; h < width; ++h) {
      scores[i] += settings_.shadow_weights[h] * double{heads[i * width + h]};
    }
    if (std::isfinite(scores[i])) continue;
    throw Error("MODEL_OUTPUT", "ranker",
                "ranker: expected finite scores, got NaN or infinity for item " +
                    describe(snapshot_->id(candidates_.rows[i])));
  }
  return scores;
}

}  // namespace feedrank
