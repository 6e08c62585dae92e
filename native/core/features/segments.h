#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "error.h"

namespace feedrank {

/// A way to divide readers or the places where items are shown, such as device or surface.
struct Segmentation {
  std::string name;
  std::vector<std::string> values;
};

inline constexpr uint32_t kMaxSegmentations = 4;
inline constexpr uint32_t kMaxSegmentValues = 32;

/// For each segmentation, a code of the value among all values of all segmentations, or kNoSegment.
/// Codes count through the segmentations in their order, so that one code says both.
inline constexpr uint8_t kNoSegment = 255;
using SegmentCodes = std::array<uint8_t, kMaxSegmentations>;
inline constexpr SegmentCodes kNoSegments{kNoSegment, kNoSegment, kNoSegment, kNoSegment};

/// All values of all segmentations; throws INVALID_ARGUMENT where there are too many.
inline uint32_t count_segment_values(const std::vector<Segmentation>& segmentations) {
  size_t values = 0;
  for (const Segmentation& segmentation : segmentations) values += segmentation.values.size();
  if (segmentations.size() > kMaxSegmentations || values > kMaxSegmentValues) {
    throw Error("INVALID_ARGUMENT", "segments",
                "segments: expected at most " + std::to_string(kMaxSegmentations) + " with " +
                    std::to_string(kMaxSegmentValues) + " values in all");
  }
  return static_cast<uint32_t>(values);
}

}  // namespace feedrank
