#include "slate/dpp_objective.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace feedrank {

DppObjective::DppObjective(const SelectionPool& pool, const Similarity& similarity, double weight)
    : pool_(pool),
      similarity_(similarity),
      weight_(weight),
      residual_(pool.size(), 1.0),
      bound_(pool.size(), std::numeric_limits<double>::infinity()),
      stale_(pool.size(), 1),
      added_(pool.size()) {}

double DppObjective::value(size_t item, double to_beat) {
  // A gain only falls as more is taken, so most items need no new logarithm (Minoux 1978).
  if (stale_[item] == 0 || bound_[item] <= to_beat) return bound_[item];
  stale_[item] = 0;
  bound_[item] = residual_[item] < kLeastResidual || rows_.size() >= kMostTaken
                     ? -std::numeric_limits<double>::infinity()
                     : (1 - weight_) * pool_.relevance(item) + diversity(item);
  return bound_[item];
}

double DppObjective::diversity(size_t item) const {
  return weight_ * std::log(std::max(residual_[item], kLeastResidual));
}

void DppObjective::take(size_t item) {
  if (residual_[item] < kLeastResidual || rows_.size() >= kMostTaken) return;
  similarity_.to_all(item, added_);
  const size_t n = added_.size();
  double* out = added_.data();
  size_t r = 0;
  // Four rows a pass, because the pass over `out` costs more than the arithmetic.
  for (; r + 4 <= rows_.size(); r += 4) {
    const double* a = rows_[r].data();
    const double* b = rows_[r + 1].data();
    const double* c = rows_[r + 2].data();
    const double* d = rows_[r + 3].data();
    const double of_a = a[item];
    const double of_b = b[item];
    const double of_c = c[item];
    const double of_d = d[item];
    for (size_t i = 0; i < n; ++i) {
      out[i] -= (of_a * a[i] + of_b * b[i]) + (of_c * c[i] + of_d * d[i]);
    }
  }
  for (; r < rows_.size(); ++r) {
    const double* a = rows_[r].data();
    const double of_a = a[item];
    for (size_t i = 0; i < n; ++i) out[i] -= of_a * a[i];
  }
  const double scale = 1 / std::sqrt(residual_[item]);
  for (size_t i = 0; i < n; ++i) {
    out[i] *= scale;
    residual_[i] -= out[i] * out[i];
  }
  std::fill(stale_.begin(), stale_.end(), uint8_t{1});
  rows_.push_back(added_);
}

}  // namespace feedrank
