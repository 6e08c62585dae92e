#pragma once

#include <cstdint>

#include "features/counter_store.h"

namespace feedrank {

/// What is counted of every item. The first four are counted often and the others seldom, so they
/// lie in two stores: an item that nobody read to its end, hid or reported costs nothing for those.
enum class Counter : uint8_t {
  kImpressions,
  kClicks,
  kDwellSeconds,
  kDwells,
  kCompletion,  // sum of the shares of an item that were scrolled through, 0 to 1 each
  kScrolls,     // how many dwells said so
  kHides,
  kReports,
};
inline constexpr uint32_t kCounters = 8;

/// Counters that lie in the store of what is counted often.
inline constexpr uint32_t kEngagementLanes = 4;
inline constexpr uint32_t kQualityLanes = kCounters - kEngagementLanes;

inline bool counted_often(Counter counter) {
  return static_cast<uint32_t>(counter) < kEngagementLanes;
}

/// The counter's lane in its store.
inline Lane lane_of(Counter counter) { return static_cast<uint32_t>(counter) % kEngagementLanes; }

/// What is counted per segment value: two lanes each, in this order.
inline constexpr uint32_t kLanesPerSegmentValue = 2;
inline Lane segment_impressions(uint32_t value) { return kLanesPerSegmentValue * value; }
inline Lane segment_clicks(uint32_t value) { return kLanesPerSegmentValue * value + 1; }

}  // namespace feedrank
