#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "catalog/chunk.h"
#include "features/decayed_sums.h"

namespace feedrank {

/// Decayed weights from one item to others: which items are read by the readers of an item, or
/// clicked on its page. Bounded: an item keeps its heaviest `max_per_item` others, and a new one
/// takes the place of the lightest. Thread-safe; every item is read as it stood between two writes.
///
/// As in CounterStore, an event after `now` has weight 1.
class PairStore {
 public:
  struct Options {
    int64_t half_life_ms = 0;
    uint32_t max_per_item = 32;
  };
  struct Other {
    Slot slot;
    double weight = 0;
  };
  /// What is known of one item as of one instant.
  struct Others {
    double total = 0;  // what `count` added
    std::vector<Other> others;
  };

  explicit PairStore(const Options& options);

  PairStore(const PairStore&) = delete;
  PairStore& operator=(const PairStore&) = delete;

  /// Adds to the weight from one item to another.
  void add(Slot from, Slot to, int64_t at, double amount);

  /// Adds to the item's total, which the pairs are held against.
  void count(Slot item, int64_t at, double amount);

  double total(Slot item, int64_t now) const;

  /// Others that have left the catalog may be among them; their slots' generations tell.
  Others others(Slot item, int64_t now) const;

  size_t bytes() const;

 private:
  static constexpr uint32_t kShards = 64;

  struct Pair {
    Slot slot;
    double sum;
  };
  struct Entry {
    uint32_t generation = 0;
    int64_t landmark = INT64_MIN;
    int64_t last_event = INT64_MIN;
    double total = 0;
    std::vector<Pair> pairs;
  };
  struct Shard {
    mutable std::mutex mutex;
    std::vector<std::unique_ptr<Entry>> entries;  // by slot index / kShards
  };

  Shard& shard_of(Slot slot) { return shards_[slot.index % kShards]; }
  const Shard& shard_of(Slot slot) const { return shards_[slot.index % kShards]; }
  /// The item's entry with its landmark at `at` or later; null where the slot has a newer item.
  Entry* prepared(Shard& shard, Slot slot, int64_t at);
  const Entry* found(const Shard& shard, Slot slot) const;
  double decay(const Entry& entry, int64_t now) const;

  const DecayGrid grid_;
  const uint32_t max_per_item_;
  std::array<Shard, kShards> shards_;
};

}  // namespace feedrank
