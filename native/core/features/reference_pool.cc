#include "features/reference_pool.h"

#include <algorithm>
#include <iterator>

namespace feedrank {

int64_t ReferencePool::instant_of(int64_t now) const {
  const int64_t past = now % options_.grid_ms;
  return now - past - (past < 0 ? options_.grid_ms : 0);
}

std::shared_ptr<const FrozenPool> ReferencePool::find(int64_t instant) const {
  // What had been recorded until an instant is not known any more once events after it were.
  const auto found = instant <= reached_ ? pools_.lower_bound(instant) : pools_.find(instant);
  return found == pools_.end() ? nullptr : found->second;
}

std::shared_ptr<const FrozenPool> ReferencePool::held(int64_t now) const {
  std::scoped_lock lock(mutex_);
  return find(instant_of(now));
}

void ReferencePool::freeze(int64_t instant) {
  std::shared_ptr<const FrozenPool> frozen = freeze_(instant, instant - options_.window_ms);
  std::scoped_lock lock(mutex_);
  pools_.emplace(instant, std::move(frozen));
  // Requests may be ahead of events; of those that are far ahead, only the latest instants to be
  // asked for are worth holding.
  constexpr std::ptrdiff_t kMostAhead = 2;
  const auto ahead = pools_.upper_bound(reached_);
  if (std::distance(ahead, pools_.end()) <= kMostAhead) return;
  const auto last = std::prev(pools_.end());
  pools_.erase(last->first == instant ? std::prev(last) : last);
}

void ReferencePool::want() {
  if (wanted_) return;
  wanted_ = true;
  if (clock_ == INT64_MIN) return;
  const int64_t instant = instant_of(clock_);
  {
    std::scoped_lock lock(mutex_);
    reached_ = instant;
  }
  freeze(instant);
}

void ReferencePool::reach(int64_t now) {
  clock_ = std::max(clock_, now);
  if (!wanted_) return;
  const int64_t instant = instant_of(clock_);
  if (instant <= reached_) {
    std::scoped_lock lock(mutex_);
    // The batch comes before the instants that requests were ahead with.
    pools_.erase(pools_.upper_bound(reached_), pools_.end());
    return;
  }
  const int64_t before = reached_;
  const bool is_held = [&] {
    std::scoped_lock lock(mutex_);
    return pools_.contains(instant);
  }();
  // Frozen before it counts as reached, or requests would take a later one for it meanwhile.
  if (!is_held) freeze(instant);
  std::scoped_lock lock(mutex_);
  reached_ = instant;
  // Kept are this instant and the one before it.
  std::erase_if(pools_,
                [&](const auto& pool) { return pool.first != instant && pool.first != before; });
}

std::shared_ptr<const FrozenPool> ReferencePool::at(int64_t now) {
  want();
  if (auto pool = held(now)) return pool;
  const int64_t instant = instant_of(now);
  freeze(instant);
  std::scoped_lock lock(mutex_);
  return find(instant);
}

}  // namespace feedrank
