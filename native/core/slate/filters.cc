#include "slate/filters.h"

#include <algorithm>
#include <unordered_map>

#include "slate/code_set.h"

namespace feedrank {
namespace {

/// Decayed sums are good to 1e-9: one report a moment ago is within a limit of 1.
bool exceeds(double sum, double limit) { return sum > limit * (1 + 1e-9); }

}  // namespace

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

std::vector<uint8_t> keep_others(const Snapshot& snapshot, const AuthorsAndTopics& names,
                                 std::span<const Row> rows) {
  const StringTable& strings = snapshot.catalog().strings();
  const CodeSet authors = CodeSet::of_names(strings, names.authors);
  const CodeSet topics = CodeSet::of_names(strings, names.topics);
  std::vector<uint8_t> keep(rows.size(), 1);
  if (authors.empty() && topics.empty()) return keep;
  for (size_t i = 0; i < rows.size(); ++i) {
    const Chunk& chunk = snapshot.chunk_of(rows[i]);
    const uint32_t offset = Snapshot::offset_of(rows[i]);
    if (authors.contains(chunk.author[offset]) || topics.contains_any(chunk.topics[offset])) {
      keep[i] = 0;
    }
  }
  return keep;
}

std::vector<uint8_t> keep_healthy(const Snapshot& snapshot, const Engagement& engagement,
                                  int64_t now, const ComplaintLimits& limits,
                                  std::span<const Row> rows) {
  std::vector<uint8_t> keep(rows.size(), 1);
  if (!limits.any()) return keep;
  const CounterStore::Scan often(engagement.store_of(Counter::kImpressions));
  const CounterStore::Scan seldom(engagement.store_of(Counter::kReports));
  const auto& half_lives = engagement.counters().half_lives();
  const auto longest =
      static_cast<uint32_t>(std::max_element(half_lives.begin(), half_lives.end(),
                                             [](const DecayGrid& a, const DecayGrid& b) {
                                               return a.half_life() < b.half_life();
                                             }) -
                            half_lives.begin());
  for (size_t i = 0; i < rows.size(); ++i) {
    const Slot slot = snapshot.slot(rows[i]);
    const CounterValues complaints = seldom.read(slot, now);
    const double hides = complaints.at(lane_of(Counter::kHides), longest);
    const double reports = complaints.at(lane_of(Counter::kReports), longest);
    if (hides <= 0 && reports <= 0) continue;
    const double impressions =
        kComplaintPrior + often.read(slot, now).at(lane_of(Counter::kImpressions), longest);
    if (exceeds(reports, limits.reports) || exceeds(reports, limits.report_rate * impressions) ||
        exceeds(hides, limits.hide_rate * impressions)) {
      keep[i] = 0;
    }
  }
  return keep;
}

}  // namespace feedrank
