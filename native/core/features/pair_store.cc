#include "features/pair_store.h"

#include <algorithm>

namespace feedrank {

PairStore::PairStore(const Options& options)
    : grid_(options.half_life_ms), max_per_item_(options.max_per_item) {}

PairStore::Entry* PairStore::prepared(Shard& shard, Slot slot, int64_t at) {
  const size_t place = slot.index / kShards;
  if (place >= shard.entries.size()) shard.entries.resize(place + 1);
  std::unique_ptr<Entry>& held = shard.entries[place];
  if (held != nullptr && static_cast<int32_t>(slot.generation - held->generation) < 0) {
    return nullptr;
  }
  if (held == nullptr || held->generation != slot.generation) {
    held = std::make_unique<Entry>();
    held->generation = slot.generation;
  }
  Entry& entry = *held;
  const int64_t wanted = grid_.landmark_of(at);
  if (entry.landmark == INT64_MIN) {
    entry.landmark = wanted;
  } else if (wanted > entry.landmark) {
    entry.total = DecayGrid::moved(entry.total, entry.landmark, wanted);
    for (Pair& pair : entry.pairs) pair.sum = DecayGrid::moved(pair.sum, entry.landmark, wanted);
    entry.landmark = wanted;
  }
  entry.last_event = std::max(entry.last_event, at);
  return &entry;
}

const PairStore::Entry* PairStore::found(const Shard& shard, Slot slot) const {
  const size_t place = slot.index / kShards;
  if (place >= shard.entries.size() || shard.entries[place] == nullptr) return nullptr;
  const Entry* entry = shard.entries[place].get();
  return entry->generation == slot.generation ? entry : nullptr;
}

double PairStore::decay(const Entry& entry, int64_t now) const {
  return grid_.decay(std::max(now, entry.last_event), entry.landmark);
}

void PairStore::add(Slot from, Slot to, int64_t at, double amount) {
  Shard& shard = shard_of(from);
  std::scoped_lock lock(shard.mutex);
  Entry* entry = prepared(shard, from, at);
  if (entry == nullptr) return;
  const double added = amount * grid_.weight(at, entry->landmark);
  auto lightest = entry->pairs.end();
  for (auto pair = entry->pairs.begin(); pair != entry->pairs.end(); ++pair) {
    if (pair->slot.index == to.index) {
      // A newer item in the other's slot starts from nothing, and an older one comes too late.
      if (static_cast<int32_t>(to.generation - pair->slot.generation) < 0) return;
      pair->sum = pair->slot == to ? pair->sum + added : added;
      pair->slot = to;
      return;
    }
    if (lightest == entry->pairs.end() || pair->sum < lightest->sum) lightest = pair;
  }
  if (entry->pairs.size() < max_per_item_) {
    entry->pairs.push_back({to, added});
  } else {
    *lightest = {to, added};
  }
}

void PairStore::count(Slot item, int64_t at, double amount) {
  Shard& shard = shard_of(item);
  std::scoped_lock lock(shard.mutex);
  Entry* entry = prepared(shard, item, at);
  if (entry != nullptr) entry->total += amount * grid_.weight(at, entry->landmark);
}

double PairStore::total(Slot item, int64_t now) const {
  const Shard& shard = shard_of(item);
  std::scoped_lock lock(shard.mutex);
  const Entry* entry = found(shard, item);
  return entry == nullptr ? 0.0 : entry->total * decay(*entry, now);
}

PairStore::Others PairStore::others(Slot item, int64_t now) const {
  const Shard& shard = shard_of(item);
  std::scoped_lock lock(shard.mutex);
  const Entry* entry = found(shard, item);
  if (entry == nullptr) return {};
  const double weight = decay(*entry, now);
  Others known{entry->total * weight, {}};
  known.others.reserve(entry->pairs.size());
  for (const Pair& pair : entry->pairs) known.others.push_back({pair.slot, pair.sum * weight});
  return known;
}

size_t PairStore::bytes() const {
  size_t bytes = 0;
  for (const Shard& shard : shards_) {
    std::scoped_lock lock(shard.mutex);
    bytes += shard.entries.capacity() * sizeof(std::unique_ptr<Entry>);
    for (const auto& entry : shard.entries) {
      if (entry != nullptr) bytes += sizeof(Entry) + entry->pairs.capacity() * sizeof(Pair);
    }
  }
  return bytes;
}

}  // namespace feedrank
