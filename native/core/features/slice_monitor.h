#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <span>
#include <vector>

#include "catalog/string_table.h"
#include "features/decayed_sums.h"
#include "features/event.h"
#include "features/segments.h"
#include "features/slice_sums.h"

namespace feedrank {

/// Watches how slices of readers and groups of items fare: decayed impressions and clicks, the
/// exposure that slates give, and the scores behind it. Moves creator exposure, by showing where it
/// goes before readers do; costs a microsecond or two a slate, some tens of nanoseconds an event,
/// and no lock for longer than that.
///
/// A slice of readers is a value of one of the segmentations that a feed is made with; a group of
/// items is a value of one of the catalog's labels. Thread-safe. The same calls in the same order
/// give the same bits.
class SliceMonitor {
 public:
  /// Values kept apart of one label, those that come first; the rest are counted together.
  static constexpr uint32_t kMaxGroups = 64;

  struct Options {
    uint32_t segment_values = 0;  // of all segmentations
    uint32_t labels = 0;
    int64_t half_life_ms = 12 * 3'600'000;
  };

  explicit SliceMonitor(const Options& options);

  SliceMonitor(const SliceMonitor&) = delete;
  SliceMonitor& operator=(const SliceMonitor&) = delete;

  /// `labels` holds a value for each label of the item, StringTable::kNone for none. Only
  /// impressions and clicks count.
  void record_event(const SegmentCodes& segments, std::span<const uint32_t> labels, EventType type,
                    int64_t at);

  /// Says that event time has reached `now`; it never goes back.
  void advance(int64_t now);

  /// An answered slate, best item first: `labels` is [item][label]; `scores` has one an item, or
  /// none where they are not the ranker's. A score beyond ±1e140 counts as that much. A slate more
  /// than a half-life ahead of both event time and `clock` is left out and counted, because one
  /// query with a wrong `now` would make everything before it fade away.
  void record_slate(const SegmentCodes& segments, std::span<const uint32_t> labels,
                    std::span<const double> scores, size_t items, int64_t at, int64_t clock);

  struct Group {
    uint32_t label_value = StringTable::kNone;
    SliceSums sums;
  };
  struct Label {
    std::vector<Group> groups;  // in the order in which they came
    SliceSums other;            // values beyond kMaxGroups
  };
  struct Reading {
    int64_t as_of = 0;
    SliceSums all;                    // whatever the slice or the group
    std::vector<SliceSums> segments;  // by code of the segment's value
    std::vector<Label> labels;
    uint64_t slates_ahead = 0;
  };

  /// As of `now`, or of the latest instant recorded where that is later.
  Reading read(int64_t now) const;

  int64_t half_life() const { return grid_.half_life(); }

 private:
  /// Finds a label's value among those that are kept apart.
  struct Groups {
    static constexpr uint32_t kPlaces = 2 * kMaxGroups;

    std::vector<uint32_t> values;
    std::array<uint8_t, kPlaces> places{};         // index + 1 of a value; 0 where empty
    std::array<SliceSums, kMaxGroups + 1> sums{};  // the last for all other values

    SliceSums& of(uint32_t value);
  };

  /// Moves the common landmark where an instant lies beyond it; says what something then weighs.
  double weight_at(int64_t at);

  const DecayGrid grid_;

  mutable std::mutex mutex_;
  int64_t landmark_ = INT64_MIN;
  int64_t latest_ = INT64_MIN;
  int64_t clock_ = INT64_MIN;
  SliceSums all_;
  std::vector<SliceSums> segments_;
  std::vector<Groups> labels_;
  uint64_t slates_ahead_ = 0;
};

}  // namespace feedrank
