#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <vector>

#include "features/counter.h"

namespace feedrank {

/// Where a feature's value comes from. Those up to kColumn are of the item alone, so that they can
/// be held against a pool of items; the others belong to one request.
enum class FeatureSource : uint8_t {
  kCounter,               // a decayed counter: count, seconds of dwell, or sum of shares scrolled
  kClickThroughRate,      // smoothed decayed clicks / impressions
  kMeanDwell,             // smoothed decayed seconds per dwell
  kCompletion,            // smoothed decayed mean of the shares scrolled
  kDwellAgainstExpected,  // ln of the smoothed mean dwell over the feed's, or over a column's
                          // seconds
  kHideRate,              // smoothed decayed hides / impressions
  kReportRate,            // smoothed decayed reports / impressions
  kTrend,               // ln of the smoothed clicks an hour at one half-life over those at another
  kAge,                 // hours since publish time, at least 0
  kTimeSinceFirstSeen,  // hours since the first recorded impression; 0 where there is none
  kColumn,              // a numeric column of the catalog
  kSegmentImpressions,  // decayed, of the query's own value of a segment
  kSegmentClicks,
  kSegmentClickThroughRate,
  kContext,         // a number that the query brings
  kDot,             // dot(user, item) in an embedding space; the best of several user vectors
  kAlreadyRead,     // 1 where the reader is known to have read the item
  kTimesShown,      // to the reader
  kTimeSinceShown,  // hours since the item was shown to the reader last, or hidden after that
  kHistoryLength,   // items that the reader is known to have read
  kCoReadSum,       // of the similarities to the reader's last reads
  kCoReadMax,
  kCoReadCurrent,  // similarity to the item on whose page the slate stands
  kFollowUps,      // decayed clicks on the item from that page
  kFollowUpShare,  // the same over all clicks from that page, smoothed
};
inline constexpr uint32_t kFeatureSources =
    static_cast<uint32_t>(FeatureSource::kFollowUpShare) + 1;

inline bool of_item_alone(FeatureSource source) { return source <= FeatureSource::kColumn; }

enum class Transformation : uint8_t {
  kIdentity,
  kLog1p,  // sign(x) · log(1 + |x|)
};

/// The items that a relative feature is relative to: (x − mean) / standard deviation of the
/// transformed value over them.
enum class ReferenceSet : uint8_t {
  kNone,
  kPool,  // items with an impression in the last hours; only for what is of the item alone
  kList,  // the items whose features are asked for together
};

/// One column of the feature matrix, resolved against a catalog and its counters.
struct Feature {
  static constexpr uint32_t kNoSecond = UINT32_MAX;

  FeatureSource source = FeatureSource::kAge;
  Transformation transformation = Transformation::kIdentity;
  Counter counter = Counter::kImpressions;  // kCounter
  uint32_t index = 0;                       // of the half-life, column, context value or space
  double missing = 0.0;                     // stands in where the source has no value
  // Of the segment; of the longer half-life of a trend; of the column of the dwell expected.
  uint32_t second = kNoSecond;
  ReferenceSet reference = ReferenceSet::kNone;

  auto operator<=>(const Feature&) const = default;
};

/// Priors of the smoothed rates: rate = (sum + prior · weight) / (count + weight).
struct Smoothing {
  double click_rate = 0.1;
  double click_weight = 10.0;  // impressions
  double dwell_seconds = 30.0;
  double dwell_weight = 1.0;  // dwells
  double completion = 0.5;
  double completion_weight = 2.0;  // dwells that say how far
  double hide_rate = 0.001;
  double report_rate = 0.0001;
  double health_weight = 100.0;    // impressions
  double trend_clicks = 1.0;       // an hour, added on both sides of the ratio
  double co_read_weight = 10.0;    // reads, added to both totals of a similarity
  double follow_up_weight = 10.0;  // clicks from a page, of which the item has none

  auto operator<=>(const Smoothing&) const = default;
};

struct FeatureList {
  std::vector<Feature> features;
  Smoothing smoothing = {};

  bool reads(ReferenceSet reference) const {
    for (const Feature& feature : features) {
      if (feature.reference == reference) return true;
    }
    return false;
  }
};

}  // namespace feedrank
