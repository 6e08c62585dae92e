#include "features/item_signals.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace feedrank {
namespace {

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();
constexpr double kHour = 3'600'000.0;
constexpr double kLn2 = 0.6931471805599453;

double hours_since(int64_t instant, int64_t now) {
  return static_cast<double>(std::max<int64_t>(0, now - instant)) / kHour;
}

/// A steady rate of r an hour fills a decayed counter up to r · half-life / ln 2.
double per_hour(double counter, const DecayGrid& grid) {
  return counter * kLn2 * kHour / static_cast<double>(grid.half_life());
}

double against_expected(const Feature& feature, const Smoothing& smoothing,
                        const ItemSignals& item) {
  double expected = 0;
  if (feature.second == Feature::kNoSecond) {
    expected = (item.totals.at(lane_of(Counter::kDwellSeconds), feature.index) +
                smoothing.dwell_seconds * smoothing.dwell_weight) /
               (item.totals.at(lane_of(Counter::kDwells), feature.index) + smoothing.dwell_weight);
  } else {
    expected = item.columns[feature.second];
  }
  if (!(expected > 0)) return kMissing;
  return std::log(
      (item.counted.at(lane_of(Counter::kDwellSeconds), feature.index) / expected +
       smoothing.dwell_weight) /
      (item.counted.at(lane_of(Counter::kDwells), feature.index) + smoothing.dwell_weight));
}

}  // namespace

double click_through_rate(double clicks, double impressions, const Smoothing& smoothing) {
  return (clicks + smoothing.click_rate * smoothing.click_weight) /
         (impressions + smoothing.click_weight);
}

double item_value(const Feature& feature, const Smoothing& smoothing, const ItemSignals& item) {
  const uint32_t h = feature.index;
  const auto counted = [&](Counter counter) { return item.counted.at(lane_of(counter), h); };
  const auto quality = [&](Counter counter) { return item.quality.at(lane_of(counter), h); };
  switch (feature.source) {
    case FeatureSource::kCounter:
      return counted_often(feature.counter) ? counted(feature.counter) : quality(feature.counter);
    case FeatureSource::kClickThroughRate:
      return click_through_rate(counted(Counter::kClicks), counted(Counter::kImpressions),
                                smoothing);
    case FeatureSource::kMeanDwell:
      return (counted(Counter::kDwellSeconds) + smoothing.dwell_seconds * smoothing.dwell_weight) /
             (counted(Counter::kDwells) + smoothing.dwell_weight);
    case FeatureSource::kCompletion:
      return (quality(Counter::kCompletion) + smoothing.completion * smoothing.completion_weight) /
             (quality(Counter::kScrolls) + smoothing.completion_weight);
    case FeatureSource::kDwellAgainstExpected:
      return against_expected(feature, smoothing, item);
    case FeatureSource::kHideRate:
      return (quality(Counter::kHides) + smoothing.hide_rate * smoothing.health_weight) /
             (counted(Counter::kImpressions) + smoothing.health_weight);
    case FeatureSource::kReportRate:
      return (quality(Counter::kReports) + smoothing.report_rate * smoothing.health_weight) /
             (counted(Counter::kImpressions) + smoothing.health_weight);
    case FeatureSource::kTrend: {
      const double longer = item.counted.at(lane_of(Counter::kClicks), feature.second);
      return std::log(
          (per_hour(counted(Counter::kClicks), item.half_lives[h]) + smoothing.trend_clicks) /
          (per_hour(longer, item.half_lives[feature.second]) + smoothing.trend_clicks));
    }
    case FeatureSource::kAge:
      return hours_since(item.publish_time, item.now);
    case FeatureSource::kTimeSinceFirstSeen:
      if (item.counted.first_seen == INT64_MAX) return 0.0;
      return hours_since(item.counted.first_seen, item.now);
    case FeatureSource::kColumn:
      return item.columns[feature.index];
    default:
      return kMissing;
  }
}

double transformed(double value, const Feature& feature) {
  if (!std::isfinite(value)) value = feature.missing;
  // Of many items nothing has been counted, and the logarithm is what a value costs.
  if (feature.transformation == Transformation::kLog1p && value != 0) {
    value = std::copysign(std::log1p(std::abs(value)), value);
  }
  constexpr double kMost = std::numeric_limits<float>::max();
  return std::clamp(value, -kMost, kMost);
}

}  // namespace feedrank
