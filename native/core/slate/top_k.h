#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "retrieval/retriever.h"

namespace feedrank {

/// Keeps the k best of a stream by buffering 2k and cutting back: linear, and without a heap's
/// branch misses. `before` is a strict order, best first.
template <typename Before>
class TopK {
 public:
  TopK(uint32_t k, Before before) : k_(k), before_(std::move(before)) {
    kept_.reserve(2 * size_t{k} + 1);
  }

  void offer(Row row, double score) {
    const Retrieved item{row, score};
    if (full_ && !before_(item, worst_)) return;
    kept_.push_back(item);
    if (kept_.size() >= 2 * size_t{k_} + 1) cut();
  }

  /// What an item must at least score; 0 while anything may come in.
  double worst_score() const { return full_ ? worst_.score : 0.0; }

  /// The item that others must come before; null while anything may come in.
  const Retrieved* worst() const { return full_ ? &worst_ : nullptr; }

  std::vector<Retrieved> finish() {
    std::sort(kept_.begin(), kept_.end(), before_);
    if (kept_.size() > k_) kept_.resize(k_);
    return std::move(kept_);
  }

 private:
  void cut() {
    std::nth_element(kept_.begin(), kept_.begin() + (k_ - 1), kept_.end(), before_);
    kept_.resize(k_);
    worst_ = kept_[k_ - 1];
    full_ = true;
  }

  uint32_t k_;
  Before before_;
  bool full_ = false;
  Retrieved worst_;
  std::vector<Retrieved> kept_;
};

/// Highest score first.
inline auto by_score(const Snapshot& snapshot) {
  return [&snapshot](const Retrieved& a, const Retrieved& b) {
    return a.score != b.score ? a.score > b.score : snapshot.before_on_tie(a.row, b.row);
  };
}

/// Newest first.
inline auto by_publish_time(const Snapshot& snapshot) {
  return [&snapshot](const Retrieved& a, const Retrieved& b) {
    return snapshot.before_on_tie(a.row, b.row);
  };
}

}  // namespace feedrank
