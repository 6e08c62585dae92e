#include "slate/filters.h"

#include <algorithm>
#include <unordered_map>

namespace feedrank {

std::vector<uint8_t> keep_unseen(const Snapshot& snapshot, const Engagement& engagement,
                                 const Query& query, const Settings& settings,
                                 std::span<const Row> rows) {
  std::unordered_map<uint32_t, uint32_t> seen;  // slot to generation
  const auto note = [&seen](Slot slot) {
    // Of two items that had a slot in turn, the newer counts: the older has left the catalog.
    uint32_t& generation = seen.try_emplace(slot.index, slot.generation).first->second;
    generation = std::max(generation, slot.generation);
  };
  for (const Slot slot : engagement.catalog()->slots(query.seen)) {
    if (slot.index != UINT32_MAX) note(slot);
  }
  if (query.user) {
    const uint32_t bound = settings.seen_after_impressions;
    const UserStore::State state = engagement.users().state(*query.user, query.now);
    for (const UserStore::Read& read : state.reads) note(read.slot);
    for (const UserStore::Shown& shown : state.shown) {
      if (shown.hidden || (bound > 0 && shown.times >= bound)) note(shown.slot);
    }
  }
  std::vector<uint8_t> keep(rows.size(), 1);
  if (seen.empty()) return keep;
  for (size_t i = 0; i < rows.size(); ++i) {
    const Slot slot = snapshot.slot(rows[i]);
    const auto found = seen.find(slot.index);
    if (found != seen.end() && found->second == slot.generation) keep[i] = 0;
  }
  return keep;
}

std::vector<uint8_t> keep_young(const Snapshot& snapshot, int64_t now, double max_age_ms,
                                std::span<const Row> rows) {
  std::vector<uint8_t> keep(rows.size(), 1);
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto age = static_cast<double>(now - snapshot.publish_time(rows[i]));
    if (age > max_age_ms) keep[i] = 0;
  }
  return keep;
}

}  // namespace feedrank
