#include "slate/co_read_items.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "features/co_read.h"
#include "slate/top_k.h"

namespace feedrank {
namespace {

/// Tells items apart that had a slot in turn.
uint64_t key(Slot slot) { return uint64_t{slot.generation} << 32U | slot.index; }

struct Found {
  Slot slot;
  double total = 0;
  double similarity = 0;
};

}  // namespace

std::optional<std::vector<Retrieved>> co_read_items(const Snapshot& snapshot,
                                                    const Engagement& engagement,
                                                    const Query& query, uint32_t k) {
  std::vector<Slot> sources;
  std::unordered_set<uint64_t> known;
  // What is known of items that are gone depends on who has their places now.
  const auto alive = [&](Slot slot) {
    return engagement.catalog()->resolve_slots(snapshot, {&slot, 1}).front() != kNoRow;
  };
  if (query.current_item) {
    const Slot page = engagement.catalog()->slots({&*query.current_item, 1}).front();
    if (page.index != UINT32_MAX && alive(page)) {
      known.insert(key(page));
      sources.push_back(page);
    }
  }
  if (query.user) {
    const UserStore::State state = engagement.users().state(*query.user, query.now);
    uint32_t taken = 0;
    for (auto read = state.reads.rbegin(); read != state.reads.rend(); ++read) {
      const bool added = known.insert(key(read->slot)).second;
      if (taken >= kCoReadReads || !alive(read->slot)) continue;
      ++taken;
      if (added) sources.push_back(read->slot);
    }
  }
  if (sources.empty()) return std::nullopt;

  const PairStore& pairs = engagement.co_reads();
  // In the order in which they were come upon, so that equal requests add up alike.
  std::vector<Found> found;
  std::unordered_map<uint64_t, size_t> places;
  for (const Slot source : sources) {
    const PairStore::Others others = pairs.others(source, query.now);
    for (const PairStore::Other& other : others.others) {
      if (known.contains(key(other.slot))) continue;
      const auto [place, added] = places.try_emplace(key(other.slot), found.size());
      if (added) found.push_back({other.slot, pairs.total(other.slot, query.now), 0});
      Found& item = found[place->second];
      item.similarity += co_read_similarity(other.weight, others.total, item.total);
    }
  }

  std::vector<Slot> slots;
  slots.reserve(found.size());
  for (const Found& item : found) slots.push_back(item.slot);
  const std::vector<Row> rows = engagement.catalog()->resolve_slots(snapshot, slots);
  TopK best(k, by_score(snapshot));
  for (size_t i = 0; i < found.size(); ++i) {
    if (rows[i] != kNoRow && found[i].similarity > 0) best.offer(rows[i], found[i].similarity);
  }
  return best.finish();
}

}  // namespace feedrank
