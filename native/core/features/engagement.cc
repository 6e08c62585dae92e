#include "features/engagement.h"

#include <array>
#include <cmath>
#include <cstdlib>
#include <utility>

namespace feedrank {

Engagement::Engagement(std::shared_ptr<Catalog> catalog, Options options)
    : options_(std::move(options)),
      catalog_(std::move(catalog)),
      counters_(options_.half_lives_ms, kEngagementLanes),
      quality_(options_.half_lives_ms, kQualityLanes),
      totals_(options_.half_lives_ms, kEngagementLanes),
      co_reads_(options_.co_read.pairs),
      follow_ups_(options_.co_read.pairs),
      slices_({count_segment_values(options_.segmentations),
               static_cast<uint32_t>(catalog_->schema().labels.size()),
               options_.slices_half_life_ms}),
      users_(options_.users),
      gate_(options_.lateness_ms),
      pool_(options_.pool, [this](int64_t at, int64_t since) { return freeze(at, since); }) {
  const uint32_t values = count_segment_values(options_.segmentations);
  if (values > 0) {
    segments_ = std::make_unique<CounterStore>(options_.segment_half_lives_ms,
                                               kLanesPerSegmentValue * values);
  }
}

size_t Engagement::counter_bytes() const {
  return counters_.bytes() + quality_.bytes() + totals_.bytes() + co_reads_.bytes() +
         follow_ups_.bytes() + (segments_ == nullptr ? 0 : segments_->bytes());
}

std::shared_ptr<const FrozenPool> Engagement::freeze(int64_t at, int64_t since) const {
  const auto snapshot = catalog_->pin();
  const CounterValues totals = totals_.read(kTotals, at);
  return std::make_shared<const FrozenPool>(
      FrozenPool::Sources{*snapshot, counters_, quality_, totals}, at, since);
}

std::shared_ptr<const FrozenPool> Engagement::pool(int64_t now) {
  if (auto held = pool_.held(now)) return held;
  std::scoped_lock lock(record_mutex_);
  return pool_.at(now);
}

void Engagement::want_pool() {
  std::scoped_lock lock(record_mutex_);
  pool_.want();
}

RecordResult Engagement::record(std::span<const Event> events, int64_t now) {
  std::scoped_lock lock(record_mutex_);
  std::vector<const ItemId*> ids;
  ids.reserve(2 * events.size());
  for (const Event& event : events) ids.push_back(&event.item);
  for (const Event& event : events) {
    if (event.from) ids.push_back(&*event.from);
  }
  const std::vector<Slot> slots = catalog_->slots(std::span<const ItemId* const>(ids));

  const size_t label_count = catalog_->schema().labels.size();
  const std::vector<uint32_t> labels = catalog_->labels(std::span(slots).first(events.size()));

  RecordResult result;
  pool_.reach(now);
  counters_.advance(now);
  quality_.advance(now);
  totals_.advance(now);
  if (segments_ != nullptr) segments_->advance(now);
  slices_.advance(now);
  users_.expire(now);
  std::vector<EventGate::Fingerprint> fingerprints;
  fingerprints.reserve(events.size());
  for (const Event& event : events) {
    fingerprints.push_back(EventGate::fingerprint_of(event.event_id));
  }
  // Far enough ahead that memory has answered when an event's turn comes.
  constexpr size_t kAhead = 8;
  const auto prefetch = [&](size_t i) {
    if (i >= events.size() || slots[i].index == UINT32_MAX) return;
    gate_.prefetch(fingerprints[i]);
    counters_.prefetch(slots[i]);
    if (segments_ != nullptr) segments_->prefetch(slots[i]);
  };
  for (size_t i = 0; i < kAhead; ++i) prefetch(i);
  users_.prefetch(events);
  size_t next_from = events.size();
  std::vector<UserStore::Read> earlier;
  for (size_t i = 0; i < events.size(); ++i) {
    prefetch(i + kAhead);
    const Event& event = events[i];
    const Slot from = event.from ? slots[next_from++] : Slot{};
    if (slots[i].index == UINT32_MAX) {
      ++result.unknown_items;
      continue;
    }
    switch (gate_.judge(event.at, fingerprints[i], now)) {
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
    if (users_.record(event, slots[i], earlier)) pair(event, slots[i], earlier);
    count(event, slots[i], from);
    slices_.record_event(event.segments, std::span(labels).subspan(i * label_count, label_count),
                         event.type, event.at);
  }
  return result;
}

void Engagement::count(const Event& event, Slot slot, Slot from) {
  const auto add = [&](Counter counter, double amount = 1.0) {
    const Addition addition{lane_of(counter), amount};
    (counted_often(counter) ? counters_ : quality_).add(slot, event.at, {&addition, 1});
  };
  switch (event.type) {
    case EventType::kImpression:
      add(Counter::kImpressions);
      count_in_segments(event, slot);
      break;
    case EventType::kClick:
      add(Counter::kClicks);
      count_in_segments(event, slot);
      if (from.index != UINT32_MAX) {
        follow_ups_.add(from, slot, event.at, 1.0);
        follow_ups_.count(from, event.at, 1.0);
      }
      break;
    case EventType::kDwell: {
      const std::array<Addition, 2> dwell{
          Addition{lane_of(Counter::kDwellSeconds), event.dwell_ms / 1000.0},
          Addition{lane_of(Counter::kDwells), 1.0}};
      counters_.add(slot, event.at, dwell);
      totals_.add(kTotals, event.at, dwell);
      if (!std::isnan(event.scrolled)) {
        const std::array<Addition, 2> completion{
            Addition{lane_of(Counter::kCompletion), event.scrolled},
            Addition{lane_of(Counter::kScrolls), 1.0}};
        quality_.add(slot, event.at, completion);
      }
      break;
    }
    case EventType::kHide:
      add(Counter::kHides);
      break;
    case EventType::kReport:
      add(Counter::kReports);
      break;
    case EventType::kRead:
    case EventType::kOther:
      break;
  }
}

void Engagement::count_in_segments(const Event& event, Slot slot) {
  std::array<Addition, kMaxSegmentations> additions;
  size_t known = 0;
  for (const uint8_t value : event.segments) {
    if (value == kNoSegment) continue;
    additions[known++] = {
        event.type == EventType::kClick ? segment_clicks(value) : segment_impressions(value), 1.0};
  }
  if (known > 0) segments_->add(slot, event.at, {additions.data(), known});
}

void Engagement::pair(const Event& event, Slot slot, std::span<const UserStore::Read> earlier) {
  co_reads_.count(slot, event.at, 1.0);
  const CoRead& rule = options_.co_read;
  uint32_t paired = 0;
  for (auto read = earlier.rbegin(); read != earlier.rend() && paired < rule.reads; ++read) {
    const int64_t apart = std::llabs(event.at - read->at);
    if (apart > rule.window_ms) continue;
    ++paired;
    // The pair comes into being with the later of its reads.
    const int64_t at = std::max(event.at, read->at);
    co_reads_.add(slot, read->slot, at, 1.0);
    co_reads_.add(read->slot, slot, at, 1.0);
  }
}

}  // namespace feedrank
