#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>

#include "features/frozen_pool.h"

namespace feedrank {

/// The items shown lately, frozen as of each instant of a fixed grid of event time, so that
/// statistics over them are the same bits when the same events are replayed as when they were
/// served: in batches of other sizes, with other requests in between, in other rows.
///
/// The pool of an instant is what batches of events brought that came before the first whose `now`
/// is at or after it. Such a batch freezes it before it is recorded. A request may be ahead of it,
/// and freezes what is known by then; another batch from before the instant undoes that. Nothing is
/// frozen before somebody asks for it; where that happens between two instants, the first pool is
/// what is known at that moment. Writes to the catalog have no event time, so a pool has publish
/// times, columns and removals as they were when it was frozen.
class ReferencePool {
 public:
  struct Options {
    int64_t window_ms = 24LL * 3'600'000;
    int64_t grid_ms = 300'000;
  };
  /// Freezes what is known now as of the instant `at`, items seen at or after `since`.
  using Freeze = std::function<std::shared_ptr<const FrozenPool>(int64_t at, int64_t since)>;

  ReferencePool(const Options& options, Freeze freeze)
      : options_(options), freeze_(std::move(freeze)) {}

  /// The pool for a request at `now` where it is held. A request from before the oldest instant
  /// that is held, which is one that event time has passed twice, gets that oldest one. Null where
  /// it has to be frozen first.
  std::shared_ptr<const FrozenPool> held(int64_t now) const;

  // The others must not run while events are being recorded.

  /// The same, frozen where it is not held.
  std::shared_ptr<const FrozenPool> at(int64_t now);

  /// Says that a batch of events at `now` is about to be recorded.
  void reach(int64_t now);

  /// Says that somebody will ask, so that pools are frozen from now on.
  void want();

 private:
  using Pools = std::map<int64_t, std::shared_ptr<const FrozenPool>>;

  int64_t instant_of(int64_t now) const;
  std::shared_ptr<const FrozenPool> find(int64_t instant) const;
  void freeze(int64_t instant);

  const Options options_;
  const Freeze freeze_;
  bool wanted_ = false;
  int64_t clock_ = INT64_MIN;  // the latest `now` of a batch

  mutable std::mutex mutex_;     // guards what follows
  int64_t reached_ = INT64_MIN;  // the last instant that batches have passed
  Pools pools_;
};

}  // namespace feedrank
