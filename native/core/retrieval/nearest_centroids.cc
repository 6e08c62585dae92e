#include "retrieval/nearest_centroids.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace feedrank {

NearestCentroids::NearestCentroids(const ScanKernel& kernel, uint32_t dimensions)
    : kernel_(kernel), asked_(kTogether) {
  const uint32_t groups = (dimensions + kScanGroup - 1) / kScanGroup;
  for (Asked& asked : asked_) {
    asked.codes.resize(size_t{groups} * kScanGroup);
    asked.wide_codes.resize(asked.codes.size());
    asked.lane.codes = asked.codes.data();
    asked.lane.wide_codes = asked.wide_codes.data();
    asked.lane.unit = 1;
    asked.lane.allowance = 0;
    asked.lane.positions = asked.positions.data();
    asked.lane.dots = asked.dots.data();
  }
}

void NearestCentroids::find(const Centroids& centroids, const ScanSegment& segment,
                            std::span<const uint32_t> positions, std::span<Nearest> nearest) {
  std::array<ScanLane*, kTogether> lanes;
  for (size_t i = 0; i < positions.size(); ++i) {
    Asked& asked = asked_[i];
    segment.read_codes(positions[i], asked.codes);
    std::copy(asked.codes.begin(), asked.codes.end(), asked.wide_codes.begin());
    int32_t sum = 0;
    int32_t squares = 0;
    for (const int8_t code : asked.codes) {
      sum += code;
      squares += int32_t{code} * code;
    }
    asked.lane.offset = kScanOffset * sum;
    asked.lane.least = -std::numeric_limits<float>::infinity();
    lanes[i] = &asked.lane;
    nearest[i] = {0, 0, std::sqrt(static_cast<double>(squares))};
  }
  const float* inverse_norms = centroids.inverse_norms();
  const auto count = static_cast<uint32_t>(positions.size());
  for (uint32_t b = 0; b < centroids.blocks(); b += kBlocksTogether) {
    const uint32_t blocks = std::min(kBlocksTogether, centroids.blocks() - b);
    kernel_.scan(centroids.items(b, blocks), lanes.data(), count);
    for (uint32_t i = 0; i < count; ++i) {
      ScanLane& lane = *lanes[i];
      for (uint32_t c = 0; c < lane.count; ++c) {
        // As the kernels compute it.
        const float score = inverse_norms[lane.positions[c]] * static_cast<float>(lane.dots[c]);
        if (!(score > lane.least)) continue;
        lane.least = score;
        nearest[i].centroid = lane.positions[c];
      }
    }
  }
  for (uint32_t i = 0; i < count; ++i) {
    const double norm = nearest[i].code_norm;
    nearest[i].cosine = norm > 0 ? std::min(1.0, lanes[i]->least / norm) : 0;
  }
}

}  // namespace feedrank
