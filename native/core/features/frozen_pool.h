#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

#include "catalog/snapshot.h"
#include "features/counter_store.h"
#include "features/feature.h"
#include "features/standardisation.h"

namespace feedrank {

/// What was known of every item of the pool as of one instant, and the statistics of features over
/// it, each computed when it is first asked for. Takes about 600 bytes an item.
class FrozenPool {
 public:
  /// The live state that it is taken from; only read in the constructor.
  struct Sources {
    const Snapshot& snapshot;
    const CounterStore& counted;
    const CounterStore& quality;
    const CounterValues& totals;
  };

  /// Items of the catalog that had an impression at or after `since`.
  FrozenPool(const Sources& sources, int64_t at, int64_t since);

  FrozenPool(const FrozenPool&) = delete;
  FrozenPool& operator=(const FrozenPool&) = delete;

  size_t size() const { return items_.size(); }

  /// One a feature, in their order; each must be of the item alone. Thread-safe.
  std::vector<Standardisation> statistics(std::span<const Feature> features,
                                          const Smoothing& smoothing) const;

 private:
  struct Item {
    int64_t publish_time;
    CounterValues counted;
    CounterValues quality;
  };

  Standardisation compute(const Feature& feature, const Smoothing& smoothing) const;

  const int64_t at_;
  const CounterValues totals_;
  const std::vector<DecayGrid> half_lives_;
  const size_t columns_;
  std::vector<Item> items_;
  std::vector<double> column_values_;  // [item][column]

  mutable std::mutex mutex_;
  // By definition, so that whoever asks with the same one shares the statistics.
  mutable std::map<std::pair<Feature, Smoothing>, Standardisation> computed_;
};

}  // namespace feedrank
