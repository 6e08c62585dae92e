#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "catalog/catalog.h"
#include "features/counter.h"
#include "features/counter_store.h"
#include "features/event.h"
#include "features/event_gate.h"
#include "features/pair_store.h"
#include "features/reference_pool.h"
#include "features/slice_monitor.h"
#include "features/user_store.h"

namespace feedrank {

/// What readers did with the items of one catalog: live counters of items, of items per segment and
/// of pairs of items, what each user was shown and has read, and the gate that keeps late and
/// repeated events out of all of them.
class Engagement {
 public:
  struct CoRead {
    PairStore::Options pairs{24LL * 3'600'000, 32};
    int64_t window_ms = 24LL * 3'600'000;  // two reads further apart do not belong together
    uint32_t reads = 20;                   // earlier reads that a read is paired with, newest first
  };
  struct Options {
    std::vector<int64_t> half_lives_ms;
    std::vector<Segmentation> segmentations;
    std::vector<int64_t> segment_half_lives_ms;
    int64_t lateness_ms = 600'000;
    UserStore::Limits users;
    CoRead co_read;
    int64_t slices_half_life_ms = 12LL * 3'600'000;
    ReferencePool::Options pool;
  };

  Engagement(std::shared_ptr<Catalog> catalog, Options options);

  const Options& options() const { return options_; }
  const std::shared_ptr<Catalog>& catalog() const { return catalog_; }

  /// Lanes: lane_of(Counter) of those that are counted often.
  const CounterStore& counters() const { return counters_; }
  /// Lanes: lane_of(Counter) of the others.
  const CounterStore& quality() const { return quality_; }
  const CounterStore& store_of(Counter counter) const {
    return counted_often(counter) ? counters_ : quality_;
  }
  /// Lanes: segment_impressions and segment_clicks of each segment value; null without segments.
  const CounterStore* segments() const { return segments_.get(); }
  /// One item, kTotals: dwells of the whole feed, in the lanes of kDwellSeconds and kDwells.
  const CounterStore& totals() const { return totals_; }
  static constexpr Slot kTotals{0, 0};

  /// Items read by the same readers; the total is how often an item was read.
  const PairStore& co_reads() const { return co_reads_; }
  /// Clicks on an item's page; the total is how many.
  const PairStore& follow_ups() const { return follow_ups_; }

  /// Slices of readers and groups of items: events feed it here, requests their slates.
  const SliceMonitor& slices() const { return slices_; }
  SliceMonitor& slices() { return slices_; }

  /// The items shown lately, as of the last grid instant at or before `now`. The first to ask for
  /// an instant waits until it is frozen, about a microsecond an item.
  std::shared_ptr<const FrozenPool> pool(int64_t now);
  /// Says that somebody will ask for pools; see ReferencePool.
  void want_pool();

  /// Native memory of all counters, of pairs too.
  size_t counter_bytes() const;

  const UserStore& users() const { return users_; }
  UserStore& users() { return users_; }

  /// Takes events in the order given; `now` moves event time forward. All of them are visible when
  /// this returns. Throws INVALID_ARGUMENT before anything is counted where an id is of the wrong
  /// kind.
  RecordResult record(std::span<const Event> events, int64_t now);

 private:
  std::shared_ptr<const FrozenPool> freeze(int64_t at, int64_t since) const;
  void count(const Event& event, Slot slot, Slot from);
  void count_in_segments(const Event& event, Slot slot);
  /// Pairs the item with those that the reader read before, the newest `reads` within the window.
  void pair(const Event& event, Slot slot, std::span<const UserStore::Read> earlier);

  const Options options_;
  std::shared_ptr<Catalog> catalog_;
  CounterStore counters_;
  CounterStore quality_;
  std::unique_ptr<CounterStore> segments_;
  CounterStore totals_;
  PairStore co_reads_;
  PairStore follow_ups_;
  SliceMonitor slices_;
  UserStore users_;
  std::mutex record_mutex_;
  EventGate gate_;
  ReferencePool pool_;
};

}  // namespace feedrank
