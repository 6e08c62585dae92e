#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "features/counter.h"

namespace feedrank {

enum class FeatureSource : uint8_t {
  kCounter,             // a decayed counter: count, or seconds of dwell
  kClickThroughRate,    // smoothed decayed clicks / impressions
  kMeanDwell,           // smoothed decayed seconds per dwell
  kAge,                 // hours since publish time, at least 0
  kTimeSinceFirstSeen,  // hours since the first recorded impression; 0 where there is none
  kColumn,              // a numeric column of the catalog
  kContext,             // a number that the query brings
  kDot,                 // dot(user, item) in an embedding space; the best of several user vectors
};

enum class Transformation : uint8_t {
  kIdentity,
  kLog1p,  // sign(x) · log(1 + |x|)
};

/// One column of the feature matrix, resolved against a catalog and its counters.
struct Feature {
  FeatureSource source = FeatureSource::kAge;
  Transformation transformation = Transformation::kIdentity;
  Counter counter = Counter::kImpressions;  // kCounter
  uint32_t index = 0;                       // of the half-life, column, context value or space
  double missing = 0.0;                     // stands in where the source has no value
};

/// Priors of the smoothed rates: rate = (sum + prior · weight) / (count + weight).
struct Smoothing {
  double click_rate = 0.1;
  double click_weight = 10.0;  // impressions
  double dwell_seconds = 30.0;
  double dwell_weight = 1.0;  // dwells
};

struct FeatureList {
  std::vector<Feature> features;
  Smoothing smoothing;
};

}  // namespace feedrank
