#include "features/engagement.h"

#include <utility>

namespace feedrank {

Engagement::Engagement(std::shared_ptr<Catalog> catalog, const Options& options)
    : catalog_(std::move(catalog)),
      counters_(options.half_lives_ms),
      users_(options.users),
      gate_(options.lateness_ms) {}

RecordResult Engagement::record(std::span<const Event> events, int64_t now) {
  std::scoped_lock lock(record_mutex_);
  std::vector<ItemId> ids;
  ids.reserve(events.size());
  for (const Event& event : events) ids.push_back(event.item);
  const std::vector<Slot> slots = catalog_->slots(ids);

  RecordResult result;
  counters_.advance(now);
  for (size_t i = 0; i < events.size(); ++i) {
    const Event& event = events[i];
    if (slots[i].index == UINT32_MAX) {
      ++result.unknown_items;
      continue;
    }
    switch (gate_.judge(event.at, event.event_id, now)) {
      case EventGate::Verdict::kDuplicate:
        ++result.duplicates;
        continue;
      case EventGate::Verdict::kLate:
        ++result.late;
        continue;
      case EventGate::Verdict::kAccept:
        break;
    }
    ++result.recorded;
    users_.record(event.user, event.type, slots[i]);
    if (event.type == EventType::kImpression) {
      counters_.add(slots[i], Counter::kImpressions, event.at, 1.0);
    } else if (event.type == EventType::kClick) {
      counters_.add(slots[i], Counter::kClicks, event.at, 1.0);
    } else if (event.type == EventType::kDwell) {
      counters_.add(slots[i], Counter::kDwellSeconds, event.at, event.dwell_ms / 1000.0);
      counters_.add(slots[i], Counter::kDwells, event.at, 1.0);
    }
  }
  return result;
}

}  // namespace feedrank
