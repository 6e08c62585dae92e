#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "features/segments.h"

namespace feedrank::binding {

/// Codes as the facade lays them out. Throws UNKNOWN_SEGMENT where one is not below `values`.
inline SegmentCodes to_segment_codes(std::span<const uint8_t> codes, uint32_t values,
                                     const std::string& argument) {
  SegmentCodes segments = kNoSegments;
  for (size_t i = 0; i < kMaxSegmentations && i < codes.size(); ++i) {
    if (codes[i] != kNoSegment && codes[i] >= values) {
      throw Error("UNKNOWN_SEGMENT", argument, argument + ": no such segment value");
    }
    segments[i] = codes[i];
  }
  return segments;
}

}  // namespace feedrank::binding
