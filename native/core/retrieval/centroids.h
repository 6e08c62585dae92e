#pragma once

#include <cstdint>
#include <span>

#include "retrieval/scan_kernel.h"
#include "runtime/aligned_array.h"

namespace feedrank {

/// Directions, coded as items are, so that the kernels of a scan multiply them. The codes are what
/// they are: nothing is left out that a bound would have to allow for.
class Centroids {
 public:
  /// `count` is a multiple of kScanBlock, so that no place is empty.
  Centroids(uint32_t count, uint32_t dimensions);

  uint32_t count() const { return count_; }
  uint32_t blocks() const { return count_ / kScanBlock; }

  /// Of any length but 0; what has length 0 leaves the centroid as it is.
  void set(uint32_t number, std::span<const float> direction);

  /// Some of the blocks, with 1 / ‖codes‖ for scales.
  ScanItems items(uint32_t first_block, uint32_t blocks) const;
  ScanItems items() const { return items(0, blocks()); }

  /// 1 / ‖codes‖ of each, 0 where a centroid has not been set.
  const float* inverse_norms() const { return inverse_norms_.get(); }

  size_t bytes() const;

 private:
  const uint32_t count_;
  const uint32_t dimensions_;
  const uint32_t groups_;
  AlignedArray<uint8_t> codes_;
  AlignedArray<float> inverse_norms_;
};

}  // namespace feedrank
