#pragma once

#include <cstdint>
#include <span>

#include "catalog/chunk.h"
#include "features/counter_store.h"
#include "features/feature.h"

namespace feedrank {

/// What is known of one item as of one instant, apart from any request: read from the live stores,
/// or frozen. Counters that no feature asks for may be left empty.
struct ItemSignals {
  int64_t now;
  int64_t publish_time;
  const CounterValues& counted;  // lanes of what is counted often
  const CounterValues& quality;  // the other lanes
  const CounterValues& totals;   // Engagement::totals
  std::span<const DecayGrid> half_lives;
  ItemColumns columns;
};

/// The value of a feature whose source is of the item alone, before its transformation; NaN where
/// there is none.
double item_value(const Feature& feature, const Smoothing& smoothing, const ItemSignals& item);

/// (clicks + prior) / (impressions + weight), as for the item so for its segments.
double click_through_rate(double clicks, double impressions, const Smoothing& smoothing);

/// A feature's value after its transformation, with the stand-in for a missing one. Finite, and
/// within the range of float32.
double transformed(double value, const Feature& feature);

}  // namespace feedrank
