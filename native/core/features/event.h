#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "catalog/item_id.h"
#include "features/segments.h"

namespace feedrank {

enum class EventType : uint8_t { kImpression, kClick, kDwell, kHide, kReport, kRead, kOther };

/// What a reader did.
struct Event {
  EventType type = EventType::kOther;
  UserId user;
  ItemId item;
  int64_t at = 0;
  double dwell_ms = 0;                                         // kDwell and kRead
  double scrolled = std::numeric_limits<double>::quiet_NaN();  // share, 0 to 1; kDwell and kRead
  std::optional<ItemId> from;                                  // the page's item; kClick
  SegmentCodes segments = kNoSegments;
  std::string event_id;  // empty where the caller gave none
};

/// What became of a batch of events.
struct RecordResult {
  uint32_t recorded = 0;
  uint32_t duplicates = 0;     // an eventId that had been counted
  uint32_t late = 0;           // older than the lateness bound: dropped
  uint32_t unknown_items = 0;  // not in the catalog: dropped
};

}  // namespace feedrank
