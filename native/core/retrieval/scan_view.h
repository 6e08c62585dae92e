#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "catalog/chunk.h"

namespace feedrank {

class ScanSegment;

/// Segments in which a space's items lie, and the order in which to scan them.
struct ScanList {
  /// One unit of one segment.
  struct Step {
    int64_t newest = 0;
    const ScanSegment* segment = nullptr;
    uint32_t unit = 0;
    float largest_norm = 0;  // at least the norm of each item of this step and of those after it
  };

  /// Of some segments alone.
  static ScanList of(std::vector<std::shared_ptr<ScanSegment>> segments);

  std::vector<std::shared_ptr<ScanSegment>> segments;
  std::vector<Step> steps;  // by their newest items, newest first
};

/// Rows that were written lately, in no order and not coded.
struct ScanTail {
  static constexpr uint32_t kRows = 256;

  std::array<std::atomic<Row>, kRows> rows;  // kNoRow where it has been taken by another item since
};

/// The items of one embedding space as a request sees them. Everything that was visible when it was
/// taken is in one place of it, removed items may be too.
struct ScanView {
  std::shared_ptr<const ScanList> list;
  std::shared_ptr<const ScanTail> tail;
  uint32_t tail_rows = 0;

  size_t bytes() const;
};

using ScanViews = std::vector<ScanView>;  // one a space

}  // namespace feedrank
