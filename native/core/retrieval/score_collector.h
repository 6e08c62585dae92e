#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <vector>

#include "catalog/chunk.h"

namespace feedrank {

/// An item whose score is known to lie within bounds.
struct BoundedScore {
  double high = 0;
  double low = 0;
  Row row = kNoRow;
};

inline bool higher_low(const BoundedScore& a, const BoundedScore& b) { return a.low > b.low; }

/// What one thread has found for a query. An item is kept while the best that it can be is not
/// below the k-th of the worst that others can be.
class ScoreCollector {
 public:
  /// `k` above 0; `share` is the place, from 1 to k, whose bound is to be known too.
  ScoreCollector(uint32_t k, uint32_t share) : k_(k), share_(share), limit_(k + room(k)) {}

  /// k items score at least this, −∞ while that many are not known.
  double kth() const { return kth_; }
  /// `share` items score at least this.
  double at_share() const { return at_share_; }

  /// Says whether the bounds have been renewed.
  bool offer(const BoundedScore& item, double threshold) {
    kept_.push_back(item);
    if (kept_.size() < limit_) return false;
    prune(threshold);
    return true;
  }

  std::vector<BoundedScore>& kept() { return kept_; }

 private:
  /// Sorting out costs time in proportion to what is kept, so it waits for a part of that.
  static size_t room(size_t kept) { return kept / 2 + 64; }

  void prune(double threshold) {
    const auto begin = kept_.begin();
    const auto kth = begin + (k_ - 1);
    const auto share = begin + (share_ - 1);
    std::nth_element(begin, kth, kept_.end(), higher_low);
    if (share != kth) std::nth_element(begin, share, kth, higher_low);
    kth_ = kth->low;
    at_share_ = share->low;
    const double least = std::max(threshold, kth_);
    std::erase_if(kept_, [least](const BoundedScore& item) { return item.high < least; });
    limit_ = std::max<size_t>(k_, kept_.size()) + room(kept_.size());
  }

  uint32_t k_;
  uint32_t share_;
  size_t limit_;
  double kth_ = -std::numeric_limits<double>::infinity();
  double at_share_ = -std::numeric_limits<double>::infinity();
  std::vector<BoundedScore> kept_;
};

/// What several threads together know of one query's k-th score.
class SharedThreshold {
 public:
  explicit SharedThreshold(uint32_t threads)
      : threads_(threads), bounds_(std::make_unique<Bounds[]>(threads)) {}

  void renew(uint32_t thread, double kth, double at_share) {
    bounds_[thread].kth.store(kth, std::memory_order_relaxed);
    bounds_[thread].at_share.store(at_share, std::memory_order_relaxed);
  }

  /// Each thread's k-th score is one, and if each has an n-th part of k above a bound, so is that.
  double value() const {
    double kth = -std::numeric_limits<double>::infinity();
    double at_share = std::numeric_limits<double>::infinity();
    for (uint32_t t = 0; t < threads_; ++t) {
      kth = std::max(kth, bounds_[t].kth.load(std::memory_order_relaxed));
      at_share = std::min(at_share, bounds_[t].at_share.load(std::memory_order_relaxed));
    }
    return std::max(kth, at_share);
  }

 private:
  struct alignas(64) Bounds {
    std::atomic<double> kth{-std::numeric_limits<double>::infinity()};
    std::atomic<double> at_share{-std::numeric_limits<double>::infinity()};
  };

  uint32_t threads_;
  std::unique_ptr<Bounds[]> bounds_;
};

}  // namespace feedrank
