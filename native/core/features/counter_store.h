#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <span>
#include <unordered_map>
#include <vector>

#include "catalog/chunk.h"
#include "features/decayed_sums.h"

namespace feedrank {

/// Which of a store's counters; what each stands for is the owner's affair (features/counter.h).
using Lane = uint32_t;

/// What one event adds to one lane.
struct Addition {
  Lane lane = 0;
  double amount = 0;
};

/// Up to four neighbouring lanes of one item as of one instant, at each half-life.
struct CounterValues {
  static constexpr uint32_t kMaxHalfLives = 8;
  static constexpr uint32_t kMaxLanes = 4;

  /// Value of a lane, counted from the first that was read, at a half-life.
  double at(Lane lane, uint32_t half_life) const { return values[half_life * kMaxLanes + lane]; }

  std::array<double, kMaxHalfLives * kMaxLanes> values{};
  // Of lane 0 of the store, whichever lanes were read; where it has no event, the instants are
  // INT64_MAX and INT64_MIN.
  int64_t first_seen = INT64_MAX;
  int64_t last_seen = INT64_MIN;
};

/// Live counters of every item, each decayed at several half-lives. Moves click-through: what is
/// being clicked now is the strongest signal that a news feed has. One writer at a time; readers
/// take no lock and see an item's counters as they stood between two writes (a sequence lock per
/// item).
///
/// An event after `now` has weight 1. That is exact for every `now` at or after the latest instant
/// given to `advance`; for an older one, an item is read as of its own last event at the earliest,
/// because what has been folded into a sum cannot be taken out again.
class CounterStore {
 public:
  static constexpr uint32_t kMaxLanes = 64;

  CounterStore(std::span<const int64_t> half_lives_ms, uint32_t lanes);

  CounterStore(const CounterStore&) = delete;
  CounterStore& operator=(const CounterStore&) = delete;

  const std::vector<DecayGrid>& half_lives() const { return grids_; }
  uint32_t lanes() const { return lanes_; }

  /// Adds to counters of the item in this slot what one event, at `at`, brings. Events after the
  /// instant last given to `advance` are kept apart until then.
  void add(Slot slot, int64_t at, std::span<const Addition> additions);

  /// Brings an item's counters near, so that a batch does not wait for each in turn.
  void prefetch(Slot slot) const;

  /// Says that event time has reached `now`; it never goes back.
  void advance(int64_t now);

  CounterValues read(Slot slot, int64_t now, Lane first = 0) const;

  class Scan;

  size_t bytes() const;

 private:
  friend class Scan;

  static constexpr uint32_t kBlockSlots = 1024;
  static constexpr uint32_t kGroupSlots = 64;
  static constexpr uint32_t kBlockGroups = kBlockSlots / kGroupSlots;
  static constexpr double kNothing = -std::numeric_limits<double>::infinity();

  struct Item {
    std::atomic<uint32_t> version{0};  // odd while being written
    std::atomic<uint32_t> generation{0};
    std::atomic<int64_t> first_seen{INT64_MAX};
    std::atomic<int64_t> last_seen{INT64_MIN};
    std::atomic<int64_t> last_event{INT64_MIN};
  };
  struct Block {
    Block(size_t half_lives, size_t lanes)
        : items(kBlockSlots),
          landmarks(kBlockSlots * half_lives),
          sums(kBlockSlots * half_lives * lanes),
          largest(half_lives * lanes * kBlockGroups) {
      for (auto& bound : largest) bound.store(kNothing, std::memory_order_relaxed);
    }
    std::vector<Item> items;
    std::vector<std::atomic<int64_t>> landmarks;  // [slot][half-life]
    std::vector<std::atomic<double>> sums;        // [slot][half-life][lane]
    // [half-life][lane][group]: at least log2 of each sum, with its landmark taken in, that a group
    // of slots holds or held. Decay leaves a sum with its landmark as it is, so the bound is only
    // ever raised.
    std::vector<std::atomic<double>> largest;
  };
  struct Pending {
    Slot slot;
    int64_t at;
    std::vector<Addition> additions;
  };

  Block& block_for_writing(uint32_t slot_index);
  std::shared_ptr<const Block> block_for_reading(uint32_t slot_index) const;
  void fold(Slot slot, int64_t at, std::span<const Addition> additions);
  void add_pending(Slot slot, int64_t now, Lane first, CounterValues& values) const;
  /// How many lanes a read from `first` yields.
  uint32_t width(Lane first) const {
    return lanes_ - first < CounterValues::kMaxLanes ? lanes_ - first : CounterValues::kMaxLanes;
  }

  std::vector<DecayGrid> grids_;
  const uint32_t lanes_;

  mutable std::shared_mutex blocks_mutex_;  // guards the list, not what the blocks hold
  std::vector<std::shared_ptr<Block>> blocks_;

  std::mutex write_mutex_;
  int64_t clock_ = INT64_MIN;

  mutable std::mutex pending_mutex_;
  std::unordered_map<uint32_t, std::vector<Pending>> pending_;  // by slot
  std::atomic<bool> has_pending_{false};
};

/// A consistent list of the store's blocks, for reading many items without a lock per item.
class CounterStore::Scan {
 public:
  /// `with_waiting` makes `waiting` known; it costs a copy of the slots with held-back events.
  explicit Scan(const CounterStore& store, bool with_waiting = false);

  /// Lanes from `first` on, as many as there are and CounterValues holds.
  CounterValues read(Slot slot, int64_t now, Lane first = 0) const;

  /// Calls `visit(slot, time)` for each item whose last event of lane 0 was at or
  /// after `since`, in order of slots. Held-back events do not count.
  template <typename Visit>
  void for_each_seen_since(int64_t since, Visit&& visit) const;

  /// The counter as if its landmark were `reference`: orders items as their decayed counters do at
  /// any instant, without a power of two per item.
  double comparable(Slot slot, Lane lane, uint32_t half_life, int64_t reference) const;

  /// Items of which events wait for their time, in order of slots; `comparable` does not count
  /// those, and `read` does.
  std::span<const Slot> waiting() const { return waiting_; }

  /// Neighbouring slots, and what none of their comparable counters exceeds.
  struct Group {
    uint32_t first = 0;
    double magnitude = 0;
  };
  /// The groups of slots that count or have counted anything in a lane; a catalog's quiet parts,
  /// which are most of it, cost nothing.
  std::vector<Group> groups(Lane lane, uint32_t half_life) const;

  /// Calls `visit(slot, comparable)` for each item of a group of which something is counted.
  template <typename Visit>
  void for_each_counted(const Group& group, Lane lane, uint32_t half_life, int64_t reference,
                        Visit&& visit) const;

  /// What a group's `magnitude` is compared with: log2 of a comparable value, with its landmark
  /// taken in, rounded down by less than 0.09.
  static double least_magnitude(double comparable, int64_t landmark);

 private:
  const Block* block_of(Slot slot) const;

  const CounterStore& store_;
  std::vector<std::shared_ptr<Block>> blocks_;
  std::vector<Slot> waiting_;
};

template <typename Visit>
void CounterStore::Scan::for_each_counted(const Group& group, Lane lane, uint32_t half_life,
                                          int64_t reference, Visit&& visit) const {
  const Block& block = *blocks_[group.first / kBlockSlots];
  for (uint32_t i = group.first; i < group.first + kGroupSlots; ++i) {
    const Item& item = block.items[i % kBlockSlots];
    const Slot slot{i, item.generation.load(std::memory_order_relaxed)};
    const double value = comparable(slot, lane, half_life, reference);
    if (value > 0) visit(slot, value);
  }
}

template <typename Visit>
void CounterStore::Scan::for_each_seen_since(int64_t since, Visit&& visit) const {
  for (size_t b = 0; b < blocks_.size(); ++b) {
    if (blocks_[b] == nullptr) continue;
    for (uint32_t i = 0; i < kBlockSlots; ++i) {
      const Item& item = blocks_[b]->items[i];
      const int64_t seen = item.last_seen.load(std::memory_order_relaxed);
      if (seen == INT64_MIN || seen < since) continue;
      visit(Slot{static_cast<uint32_t>(b * kBlockSlots + i),
                 item.generation.load(std::memory_order_relaxed)},
            seen);
    }
  }
}

}  // namespace feedrank
