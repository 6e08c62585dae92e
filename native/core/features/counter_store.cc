#include "features/counter_store.h"

#include <algorithm>
#include <bit>

#include "error.h"
#include "runtime/prefetch.h"

namespace feedrank {
namespace {

/// Exponent plus mantissa − 1: log2 of a double from below, by less than 0.09, in a few cycles.
/// A sum is bounded on every event, where a logarithm would cost more than the sum.
double log2_from_below(double value) {
  const auto bits = std::bit_cast<uint64_t>(value);
  constexpr double kMantissa = 1.0 / static_cast<double>(uint64_t{1} << 52);
  return static_cast<double>(bits) * kMantissa - 1023.0;
}

/// The same from above: log2(1 + m) − m is nowhere more than 0.0861.
double log2_from_above(double value) { return log2_from_below(value) + 0.0862; }

}  // namespace

CounterStore::CounterStore(std::span<const int64_t> half_lives_ms, uint32_t lanes) : lanes_(lanes) {
  if (lanes == 0 || lanes > kMaxLanes) {
    throw Error("INVALID_ARGUMENT", "lanes",
                "lanes: expected 1 to 64, got " + std::to_string(lanes));
  }
  if (half_lives_ms.empty() || half_lives_ms.size() > CounterValues::kMaxHalfLives) {
    throw Error("INVALID_ARGUMENT", "halfLivesMs", "halfLivesMs: expected 1 to 8 half-lives");
  }
  for (const int64_t half_life : half_lives_ms) {
    if (half_life < 1000) {
      throw Error("INVALID_ARGUMENT", "halfLivesMs",
                  "halfLivesMs: expected at least 1000 ms, got " + std::to_string(half_life));
    }
    grids_.emplace_back(half_life);
  }
}

CounterStore::Block& CounterStore::block_for_writing(uint32_t slot_index) {
  const size_t index = slot_index / kBlockSlots;
  if (index >= blocks_.size() || blocks_[index] == nullptr) {
    auto block = std::make_shared<Block>(grids_.size(), lanes_);
    std::unique_lock lock(blocks_mutex_);
    if (index >= blocks_.size()) blocks_.resize(index + 1);
    blocks_[index] = std::move(block);
  }
  return *blocks_[index];
}

std::shared_ptr<const CounterStore::Block> CounterStore::block_for_reading(
    uint32_t slot_index) const {
  const size_t index = slot_index / kBlockSlots;
  std::shared_lock lock(blocks_mutex_);
  return index < blocks_.size() ? blocks_[index] : nullptr;
}

void CounterStore::add(Slot slot, int64_t at, std::span<const Addition> additions) {
  std::scoped_lock lock(write_mutex_);
  if (at > clock_) {
    std::scoped_lock pending_lock(pending_mutex_);
    pending_[slot.index].push_back({slot, at, {additions.begin(), additions.end()}});
    has_pending_.store(true, std::memory_order_release);
    return;
  }
  fold(slot, at, additions);
}

void CounterStore::prefetch(Slot slot) const {
  const size_t index = slot.index / kBlockSlots;
  if (index >= blocks_.size() || blocks_[index] == nullptr) return;
  const Block& block = *blocks_[index];
  const size_t offset = slot.index % kBlockSlots;
  feedrank::prefetch(&block.items[offset]);
  feedrank::prefetch(&block.landmarks[offset * grids_.size()]);
  const size_t sums = grids_.size() * lanes_;
  feedrank::prefetch(&block.sums[offset * sums], sums * sizeof(double));
}

void CounterStore::advance(int64_t now) {
  std::scoped_lock lock(write_mutex_);
  if (now <= clock_) return;
  clock_ = now;
  if (!has_pending_.load(std::memory_order_acquire)) return;
  // Readers that come between the fold and the erasure would count an event twice, so both happen
  // under the mutex that they take when anything is pending.
  std::scoped_lock pending_lock(pending_mutex_);
  for (auto of_slot = pending_.begin(); of_slot != pending_.end();) {
    std::erase_if(of_slot->second, [this](const Pending& event) {
      if (event.at > clock_) return false;
      fold(event.slot, event.at, event.additions);
      return true;
    });
    of_slot = of_slot->second.empty() ? pending_.erase(of_slot) : std::next(of_slot);
  }
  has_pending_.store(!pending_.empty(), std::memory_order_release);
}

void CounterStore::fold(Slot slot, int64_t at, std::span<const Addition> additions) {
  constexpr auto kRelaxed = std::memory_order_relaxed;
  Block& block = block_for_writing(slot.index);
  const size_t offset = slot.index % kBlockSlots;
  Item& item = block.items[offset];
  // The counters of an item that is gone are given up as soon as the slot's next item has an event;
  // until then they cannot be read, because the generation differs.
  const bool used = item.last_event.load(kRelaxed) != INT64_MIN;
  const uint32_t held_by = item.generation.load(kRelaxed);
  // An event that was held back, or raced with a removal, may belong to an item that is gone. It
  // must not take the slot back from the item that has it now.
  if (used && static_cast<int32_t>(slot.generation - held_by) < 0) return;
  const bool fresh = !used || held_by != slot.generation;
  const uint32_t version = item.version.load(kRelaxed);
  item.version.store(version + 1, kRelaxed);
  std::atomic_thread_fence(std::memory_order_release);
  if (fresh) {
    item.generation.store(slot.generation, kRelaxed);
    item.first_seen.store(INT64_MAX, kRelaxed);
    item.last_seen.store(INT64_MIN, kRelaxed);
    item.last_event.store(INT64_MIN, kRelaxed);
  }
  for (const Addition& addition : additions) {
    if (addition.lane != 0) continue;
    item.first_seen.store(std::min(item.first_seen.load(kRelaxed), at), kRelaxed);
    item.last_seen.store(std::max(item.last_seen.load(kRelaxed), at), kRelaxed);
  }
  item.last_event.store(std::max(item.last_event.load(kRelaxed), at), kRelaxed);
  for (size_t h = 0; h < grids_.size(); ++h) {
    std::atomic<int64_t>& landmark = block.landmarks[offset * grids_.size() + h];
    std::atomic<double>* sums = &block.sums[(offset * grids_.size() + h) * lanes_];
    const int64_t wanted = grids_[h].landmark_of(at);
    if (fresh) {
      landmark.store(wanted, kRelaxed);
      for (Lane lane = 0; lane < lanes_; ++lane) sums[lane].store(0.0, kRelaxed);
    } else if (const int64_t held = landmark.load(kRelaxed); wanted > held) {
      landmark.store(wanted, kRelaxed);
      for (Lane lane = 0; lane < lanes_; ++lane) {
        sums[lane].store(DecayGrid::moved(sums[lane].load(kRelaxed), held, wanted), kRelaxed);
      }
    }
    const double weight = grids_[h].weight(at, landmark.load(kRelaxed));
    const auto base = static_cast<double>(landmark.load(kRelaxed) * DecayGrid::kStep);
    for (const Addition& addition : additions) {
      std::atomic<double>& sum = sums[addition.lane];
      sum.store(sum.load(kRelaxed) + addition.amount * weight, kRelaxed);
      std::atomic<double>& largest =
          block.largest[(h * lanes_ + addition.lane) * kBlockGroups + offset / kGroupSlots];
      const double reached = log2_from_above(sum.load(kRelaxed)) + base;
      if (reached > largest.load(kRelaxed)) largest.store(reached, kRelaxed);
    }
  }
  item.version.store(version + 2, std::memory_order_release);
}

CounterValues CounterStore::read(Slot slot, int64_t now, Lane first) const {
  return Scan(*this).read(slot, now, first);
}

void CounterStore::add_pending(Slot slot, int64_t now, Lane first, CounterValues& values) const {
  const auto found = pending_.find(slot.index);
  if (found == pending_.end()) return;
  for (const Pending& event : found->second) {
    if (event.slot != slot) continue;
    for (const Addition& addition : event.additions) {
      if (addition.lane == 0) {
        values.first_seen = std::min(values.first_seen, event.at);
        values.last_seen = std::max(values.last_seen, event.at);
      }
      if (addition.lane < first || addition.lane >= first + width(first)) continue;
      for (size_t h = 0; h < grids_.size(); ++h) {
        const double age = static_cast<double>(std::max<int64_t>(0, now - event.at));
        values.values[h * CounterValues::kMaxLanes + addition.lane - first] +=
            addition.amount * std::exp2(-age / static_cast<double>(grids_[h].half_life()));
      }
    }
  }
}

size_t CounterStore::bytes() const {
  std::shared_lock lock(blocks_mutex_);
  size_t blocks = 0;
  for (const auto& block : blocks_) blocks += block != nullptr ? 1 : 0;
  return blocks * kBlockSlots *
         (sizeof(Item) + grids_.size() * (sizeof(int64_t) + lanes_ * sizeof(double)));
}

CounterStore::Scan::Scan(const CounterStore& store, bool with_waiting) : store_(store) {
  if (with_waiting && store.has_pending_.load(std::memory_order_acquire)) {
    std::scoped_lock lock(store.pending_mutex_);
    for (const auto& [index, events] : store.pending_) {
      for (const Pending& event : events) waiting_.push_back(event.slot);
    }
    std::sort(waiting_.begin(), waiting_.end());
    waiting_.erase(std::unique(waiting_.begin(), waiting_.end()), waiting_.end());
  }
  std::shared_lock lock(store.blocks_mutex_);
  blocks_ = store.blocks_;
}

const CounterStore::Block* CounterStore::Scan::block_of(Slot slot) const {
  const size_t index = slot.index / kBlockSlots;
  return index < blocks_.size() ? blocks_[index].get() : nullptr;
}

CounterValues CounterStore::Scan::read(Slot slot, int64_t now, Lane first) const {
  constexpr auto kRelaxed = std::memory_order_relaxed;
  const auto& grids = store_.grids_;
  const uint32_t width = store_.width(first);
  CounterValues values;

  // While anything is pending, folding is kept out, so that an event is seen on one side only.
  std::unique_lock<std::mutex> pending_lock;
  if (store_.has_pending_.load(std::memory_order_acquire)) {
    pending_lock = std::unique_lock(store_.pending_mutex_);
  }

  const Block* block = block_of(slot);
  std::shared_ptr<const Block> made_since;
  if (block == nullptr) {
    // An event that was held back when the scan began may have been folded into a newer block.
    made_since = store_.block_for_reading(slot.index);
    block = made_since.get();
  }
  if (block != nullptr) {
    const size_t offset = slot.index % kBlockSlots;
    const Item& item = block->items[offset];
    std::array<int64_t, CounterValues::kMaxHalfLives> landmarks{};
    uint32_t before = 0;
    bool known = false;
    int64_t last_event = INT64_MIN;
    do {
      while (((before = item.version.load(std::memory_order_acquire)) & 1U) != 0) {
      }
      last_event = item.last_event.load(kRelaxed);
      known = last_event != INT64_MIN && item.generation.load(kRelaxed) == slot.generation;
      if (known) {
        values.first_seen = item.first_seen.load(kRelaxed);
        values.last_seen = item.last_seen.load(kRelaxed);
        for (size_t h = 0; h < grids.size(); ++h) {
          landmarks[h] = block->landmarks[offset * grids.size() + h].load(kRelaxed);
          for (uint32_t l = 0; l < width; ++l) {
            values.values[h * CounterValues::kMaxLanes + l] =
                block->sums[(offset * grids.size() + h) * store_.lanes_ + first + l].load(kRelaxed);
          }
        }
      }
      std::atomic_thread_fence(std::memory_order_acquire);
    } while (item.version.load(kRelaxed) != before);
    if (known) {
      const int64_t as_of = std::max(now, last_event);
      for (size_t h = 0; h < grids.size(); ++h) {
        const double decay = grids[h].decay(as_of, landmarks[h]);
        for (uint32_t l = 0; l < width; ++l) {
          values.values[h * CounterValues::kMaxLanes + l] *= decay;
        }
      }
    }
  }
  if (pending_lock.owns_lock()) store_.add_pending(slot, now, first, values);
  return values;
}

double CounterStore::Scan::least_magnitude(double comparable, int64_t landmark) {
  return log2_from_below(comparable) + static_cast<double>(landmark * DecayGrid::kStep);
}

std::vector<CounterStore::Scan::Group> CounterStore::Scan::groups(Lane lane,
                                                                  uint32_t half_life) const {
  std::vector<Group> groups;
  for (uint32_t b = 0; b < blocks_.size(); ++b) {
    if (blocks_[b] == nullptr) continue;
    const std::atomic<double>* largest =
        &blocks_[b]->largest[(half_life * store_.lanes_ + lane) * kBlockGroups];
    for (uint32_t g = 0; g < kBlockGroups; ++g) {
      const double magnitude = largest[g].load(std::memory_order_relaxed);
      if (magnitude != kNothing) groups.push_back({b * kBlockSlots + g * kGroupSlots, magnitude});
    }
  }
  return groups;
}

double CounterStore::Scan::comparable(Slot slot, Lane lane, uint32_t half_life,
                                      int64_t reference) const {
  constexpr auto kRelaxed = std::memory_order_relaxed;
  const Block* block = block_of(slot);
  if (block == nullptr) return 0.0;
  const size_t offset = slot.index % kBlockSlots;
  const Item& item = block->items[offset];
  const size_t place = offset * store_.grids_.size() + half_life;
  const std::atomic<double>& counted = block->sums[place * store_.lanes_ + lane];
  // Most items of a catalog have never been clicked; for those one read is enough.
  if (counted.load(kRelaxed) == 0.0) return 0.0;
  for (;;) {
    const uint32_t before = item.version.load(std::memory_order_acquire);
    if ((before & 1U) != 0) continue;
    if (item.last_event.load(kRelaxed) == INT64_MIN ||
        item.generation.load(kRelaxed) != slot.generation) {
      return 0.0;
    }
    const int64_t landmark = block->landmarks[place].load(kRelaxed);
    const double sum = counted.load(kRelaxed);
    std::atomic_thread_fence(std::memory_order_acquire);
    if (item.version.load(kRelaxed) == before) {
      return DecayGrid::moved(sum, landmark, reference);
    }
  }
}

}  // namespace feedrank
