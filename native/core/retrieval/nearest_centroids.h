#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "retrieval/centroids.h"
#include "retrieval/scan_kernels.h"
#include "retrieval/scan_segment.h"

namespace feedrank {

/// Finds the centroid that an item of a segment is nearest to, for a few items at once.
class NearestCentroids {
 public:
  static constexpr uint32_t kTogether = 8;

  struct Nearest {
    uint32_t centroid = 0;
    double cosine = 0;     // with the item's codes; 0 where those are all 0
    double code_norm = 0;  // ‖codes‖ of the item
  };

  NearestCentroids(const ScanKernel& kernel, uint32_t dimensions);

  /// At most kTogether positions. Every kernel gives the same answers, and of centroids that are
  /// equally near the first.
  void find(const Centroids& centroids, const ScanSegment& segment,
            std::span<const uint32_t> positions, std::span<Nearest> nearest);

  /// The codes of the item that was i-th in the last call.
  std::span<const int8_t> codes(size_t i) const { return asked_[i].codes; }

 private:
  /// Centroids that are compared before the next may be told what to beat.
  static constexpr uint32_t kBlocksTogether = 4;
  static constexpr uint32_t kPlaces = (kBlocksTogether + 1) * kScanBlock;

  struct Asked {
    std::vector<int8_t> codes;
    std::vector<int16_t> wide_codes;
    ScanLane lane;
    std::array<uint32_t, kPlaces> positions;
    std::array<int32_t, kPlaces> dots;
  };

  const ScanKernel kernel_;
  std::vector<Asked> asked_;
};

}  // namespace feedrank
