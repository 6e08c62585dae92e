#include "features/slice_monitor.h"

#include <algorithm>
#include <cmath>

namespace feedrank {
namespace {

constexpr double kLargestScore = 1e140;  // its square times any weight is finite

/// 1 / log2(position + 2): Järvelin and Kekäläinen 2002, "Cumulated gain-based evaluation of IR
/// techniques".
double exposure_at(size_t position) {
  static const std::array<double, 256> kTable = [] {
    std::array<double, 256> table{};
    for (size_t i = 0; i < table.size(); ++i)
      table[i] = 1.0 / std::log2(static_cast<double>(i + 2));
    return table;
  }();
  return position < kTable.size() ? kTable[position]
                                  : 1.0 / std::log2(static_cast<double>(position + 2));
}

}  // namespace

SliceSums& SliceMonitor::Groups::of(uint32_t value) {
  // Codes are dense, so a multiplication spreads them well enough.
  uint32_t place = (value * 2654435769U) >> 25;
  static_assert(kPlaces == 1U << 7);
  while (places[place] != 0) {
    const uint32_t index = places[place] - 1U;
    if (values[index] == value) return sums[index];
    place = (place + 1) % kPlaces;
  }
  if (values.size() == kMaxGroups) return sums[kMaxGroups];
  values.push_back(value);
  places[place] = static_cast<uint8_t>(values.size());
  return sums[values.size() - 1];
}

SliceMonitor::SliceMonitor(const Options& options)
    : grid_(options.half_life_ms), segments_(options.segment_values), labels_(options.labels) {}

double SliceMonitor::weight_at(int64_t at) {
  const int64_t landmark = grid_.landmark_of(at);
  if (landmark_ == INT64_MIN) {
    landmark_ = landmark;
  } else if (landmark > landmark_) {
    const double factor = DecayGrid::moved(1.0, landmark_, landmark);
    all_.scale(factor);
    for (SliceSums& sums : segments_) sums.scale(factor);
    for (Groups& groups : labels_) {
      for (SliceSums& sums : groups.sums) sums.scale(factor);
    }
    landmark_ = landmark;
  }
  latest_ = std::max(latest_, at);
  return grid_.weight(at, landmark_);
}

void SliceMonitor::record_event(const SegmentCodes& segments, std::span<const uint32_t> labels,
                                EventType type, int64_t at) {
  double SliceSums::*counter = nullptr;
  if (type == EventType::kImpression) counter = &SliceSums::impressions;
  if (type == EventType::kClick) counter = &SliceSums::clicks;
  if (counter == nullptr) return;
  std::scoped_lock lock(mutex_);
  const double weight = weight_at(at);
  all_.*counter += weight;
  for (const uint8_t segment : segments) {
    if (segment < segments_.size()) segments_[segment].*counter += weight;
  }
  for (size_t l = 0; l < labels_.size() && l < labels.size(); ++l) {
    if (labels[l] != StringTable::kNone) labels_[l].of(labels[l]).*counter += weight;
  }
}

void SliceMonitor::advance(int64_t now) {
  std::scoped_lock lock(mutex_);
  clock_ = std::max(clock_, now);
}

void SliceMonitor::record_slate(const SegmentCodes& segments, std::span<const uint32_t> labels,
                                std::span<const double> scores, size_t items, int64_t at,
                                int64_t clock) {
  std::scoped_lock lock(mutex_);
  if (at - grid_.half_life() > std::max(clock_, clock)) {
    ++slates_ahead_;
    return;
  }
  const double weight = weight_at(at);
  // What a slate adds to its reader's slices is the same for each of them.
  SliceSums slate;
  for (size_t i = 0; i < items; ++i) {
    const double exposure = weight * exposure_at(i);
    const double score =
        scores.empty() ? 0.0 : std::clamp(scores[i], -kLargestScore, kLargestScore);
    slate.exposure += exposure;
    if (!scores.empty()) slate.add_scores(weight, score, 0);
    for (size_t l = 0; l < labels_.size(); ++l) {
      const uint32_t value = labels[i * labels_.size() + l];
      if (value == StringTable::kNone) continue;
      SliceSums& sums = labels_[l].of(value);
      sums.exposure += exposure;
      if (!scores.empty()) sums.add_scores(weight, score, 0);
    }
  }
  const auto take_in = [&slate](SliceSums& sums) {
    sums.exposure += slate.exposure;
    sums.add_scores(slate.scored, slate.mean, slate.squares);
  };
  take_in(all_);
  for (const uint8_t segment : segments) {
    if (segment < segments_.size()) take_in(segments_[segment]);
  }
}

SliceMonitor::Reading SliceMonitor::read(int64_t now) const {
  Reading reading;
  double decay = 1;
  {
    std::scoped_lock lock(mutex_);
    reading.as_of = std::max(now, latest_);
    if (landmark_ != INT64_MIN) decay = grid_.decay(reading.as_of, landmark_);
    reading.all = all_;
    reading.segments = segments_;
    reading.slates_ahead = slates_ahead_;
    for (const Groups& groups : labels_) {
      Label& label = reading.labels.emplace_back();
      for (size_t g = 0; g < groups.values.size(); ++g) {
        label.groups.push_back({groups.values[g], groups.sums[g]});
      }
      label.other = groups.sums[kMaxGroups];
    }
  }
  reading.all.scale(decay);
  for (SliceSums& sums : reading.segments) sums.scale(decay);
  for (Label& label : reading.labels) {
    for (Group& group : label.groups) group.sums.scale(decay);
    label.other.scale(decay);
  }
  return reading;
}

}  // namespace feedrank
