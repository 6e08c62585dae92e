#include "retrieval/scan_kernel.h"

namespace feedrank {

void scan_portable(const ScanItems& items, ScanLane* const* lanes, uint32_t lane_count) {
  for (uint32_t l = 0; l < lane_count; ++l) lanes[l]->count = 0;
  const uint8_t* codes = items.codes;
  for (uint32_t b = 0; b < items.blocks; ++b) {
    for (uint32_t l = 0; l < lane_count; ++l) {
      ScanLane& lane = *lanes[l];
      int32_t dots[kScanBlock] = {};
      for (uint32_t g = 0; g < items.groups; ++g) {
        const uint8_t* group = codes + g * (kScanBlock * kScanGroup);
        const int8_t* query = lane.codes + g * kScanGroup;
        for (uint32_t i = 0; i < kScanBlock; ++i) {
          for (uint32_t d = 0; d < kScanGroup; ++d) {
            dots[i] += int32_t{group[i * kScanGroup + d]} * int32_t{query[d]};
          }
        }
      }
      const float* scales = items.scales + b * kScanBlock;
      for (uint32_t i = 0; i < kScanBlock; ++i) {
        const int32_t dot = dots[i] - lane.offset;
        const float most = scales[i] * (lane.unit * static_cast<float>(dot) + lane.allowance);
        if (!(most >= lane.least)) continue;
        lane.positions[lane.count] = items.first + b * kScanBlock + i;
        lane.dots[lane.count] = dot;
        ++lane.count;
      }
    }
    codes += items.groups * (kScanBlock * kScanGroup);
  }
}

}  // namespace feedrank
