#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "retrieval/centroids.h"
#include "retrieval/scan_segment.h"
#include "runtime/aligned_array.h"

namespace feedrank {

/// A segment's items once more, in lists of those that point to about the same direction (an
/// inverted file, Jégou et al. 2011), each list newest first. Constant once its builder is done.
struct InvertedLists {
  /// Segments of fewer items are merged into others before long, and are scanned quickly.
  static constexpr uint32_t kLeastItems = 1U << 17;
  /// What a search may leave out or must take as a whole.
  static constexpr uint32_t kUnit = 128;
  /// Of places that hold no item.
  static constexpr uint32_t kNoPosition = UINT32_MAX;

  struct Unit {
    ScanSegment::Unit bounds;
    uint32_t first_block = 0;
    uint32_t blocks = 0;
  };

  ScanItems items_of(const Unit& unit) const;
  size_t bytes() const;

  /// Segments share them while they fit, so that a search compares a query with them once.
  std::shared_ptr<const Centroids> centroids;

  // One element a list.
  std::vector<uint32_t> first_unit;  // and one more, for the end
  std::vector<int64_t> newest;       // publish time
  std::vector<float> relative_norm;  // at least ‖x‖ of each item, as a share of largest_norm
  std::vector<float> radius;         // radians, at least the angle of each item with the centroid
  double largest_norm = 0;

  std::vector<Unit> units;
  std::vector<int64_t> block_newest;  // at least the publish time of each item from this one on

  // One element a place; the places of a list are whole blocks.
  AlignedArray<uint8_t> codes;
  AlignedArray<float> scales;
  AlignedArray<uint32_t> positions;  // in the segment
  AlignedArray<int64_t> publish_times;
  size_t places = 0;
  uint32_t groups = 0;
};

}  // namespace feedrank
