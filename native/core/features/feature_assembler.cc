#include "features/feature_assembler.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "retrieval/decay.h"

namespace feedrank {
namespace {

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();
constexpr double kHour = 3'600'000.0;

double raw_value(const Feature& feature, const Smoothing& smoothing,
                 const FeatureAssembler::Inputs& inputs, const CounterValues& counters, Row row) {
  switch (feature.source) {
    case FeatureSource::kCounter:
      return counters.at(lane_of(feature.counter), feature.index);
    case FeatureSource::kClickThroughRate:
      return (counters.at(lane_of(Counter::kClicks), feature.index) +
              smoothing.click_rate * smoothing.click_weight) /
             (counters.at(lane_of(Counter::kImpressions), feature.index) + smoothing.click_weight);
    case FeatureSource::kMeanDwell:
      return (counters.at(lane_of(Counter::kDwellSeconds), feature.index) +
              smoothing.dwell_seconds * smoothing.dwell_weight) /
             (counters.at(lane_of(Counter::kDwells), feature.index) + smoothing.dwell_weight);
    case FeatureSource::kAge:
      return static_cast<double>(
                 std::max<int64_t>(0, inputs.now - inputs.snapshot.publish_time(row))) /
             kHour;
    case FeatureSource::kTimeSinceFirstSeen:
      if (counters.first_seen == INT64_MAX) return 0.0;
      return static_cast<double>(std::max<int64_t>(0, inputs.now - counters.first_seen)) / kHour;
    case FeatureSource::kColumn:
      return inputs.snapshot.chunk_of(row).columns[feature.index][Snapshot::offset_of(row)];
    case FeatureSource::kContext:
      return inputs.context[feature.index];
    case FeatureSource::kDot:
      return FeatureAssembler::best_dot(inputs, feature.index, row);
  }
  return kMissing;
}

float transformed(double value, const Feature& feature) {
  if (!std::isfinite(value)) value = feature.missing;
  if (feature.transformation == Transformation::kLog1p) {
    value = std::copysign(std::log1p(std::abs(value)), value);
  }
  constexpr double kMost = std::numeric_limits<float>::max();
  return static_cast<float>(std::clamp(value, -kMost, kMost));
}

bool reads_counters(FeatureSource source) {
  return source == FeatureSource::kCounter || source == FeatureSource::kClickThroughRate ||
         source == FeatureSource::kMeanDwell || source == FeatureSource::kTimeSinceFirstSeen;
}

}  // namespace

double FeatureAssembler::best_dot(const Inputs& inputs, uint32_t space, Row row) {
  const Chunk& chunk = inputs.snapshot.chunk_of(row);
  const uint32_t offset = Snapshot::offset_of(row);
  if (!chunk.has_vector(space, offset)) return kMissing;
  double best = kMissing;
  for (const UserVectors& user : inputs.user_vectors) {
    if (user.space != space) continue;
    for (uint32_t u = 0; u < user.count(); ++u) {
      const double dot = dot_product(user.values.data() + size_t{u} * user.dimensions,
                                     chunk.vector(space, offset), user.dimensions);
      if (std::isnan(best) || dot > best) best = dot;
    }
  }
  return best;
}

void FeatureAssembler::fill(const FeatureList& list, const Inputs& inputs,
                            std::span<const Row> rows, float* out, size_t stride) {
  const bool counted = std::any_of(list.features.begin(), list.features.end(),
                                   [](const Feature& f) { return reads_counters(f.source); });
  const CounterStore::Scan scan(inputs.counters);
  CounterValues counters;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (counted) counters = scan.read(inputs.snapshot.slot(rows[i]), inputs.now);
    for (size_t f = 0; f < list.features.size(); ++f) {
      const Feature& feature = list.features[f];
      out[i * stride + f] =
          transformed(raw_value(feature, list.smoothing, inputs, counters, rows[i]), feature);
    }
  }
}

}  // namespace feedrank
