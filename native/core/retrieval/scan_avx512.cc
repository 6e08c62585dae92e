#include <immintrin.h>

#include "retrieval/scan_kernel.h"

// Compiled with -mavx512vnni and what that stands on; nothing else may call into it without asking
// the processor.

namespace feedrank {
namespace {

constexpr uint32_t kHalf = kScanBlock / 2;
constexpr uint32_t kGroupBytes = kScanBlock * kScanGroup;

inline void keep(ScanLane& lane, __m512i sums, const float* scales, uint32_t position) {
  const __m512i dots = _mm512_sub_epi32(sums, _mm512_set1_epi32(lane.offset));
  const __m512 most = _mm512_mul_ps(
      _mm512_load_ps(scales), _mm512_fmadd_ps(_mm512_cvtepi32_ps(dots), _mm512_set1_ps(lane.unit),
                                              _mm512_set1_ps(lane.allowance)));
  const __mmask16 mask = _mm512_cmp_ps_mask(most, _mm512_set1_ps(lane.least), _CMP_GE_OQ);
  if (mask == 0) return;
  const __m512i steps = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  const __m512i places = _mm512_add_epi32(_mm512_set1_epi32(static_cast<int>(position)), steps);
  // Compressed in a register: compressing into memory is slow on some processors.
  _mm512_storeu_si512(lane.positions + lane.count, _mm512_maskz_compress_epi32(mask, places));
  _mm512_storeu_si512(lane.dots + lane.count, _mm512_maskz_compress_epi32(mask, dots));
  lane.count += static_cast<uint32_t>(__builtin_popcount(mask));
}

template <uint32_t kLanes>
void scan_lanes(const ScanItems& items, ScanLane* const* lanes) {
  const uint8_t* codes = items.codes;
  const uint8_t* ahead = items.ahead;
  for (uint32_t b = 0; b < items.blocks; ++b) {
    __m512i sums[kLanes][2];
    for (uint32_t l = 0; l < kLanes; ++l) {
      sums[l][0] = _mm512_setzero_si512();
      sums[l][1] = _mm512_setzero_si512();
    }
    for (uint32_t g = 0; g < items.groups; ++g) {
      const uint8_t* group = codes + g * kGroupBytes;
      _mm_prefetch(ahead + g * kGroupBytes, _MM_HINT_T1);
      _mm_prefetch(ahead + g * kGroupBytes + 64, _MM_HINT_T1);
      const __m512i low = _mm512_load_si512(group);
      const __m512i high = _mm512_load_si512(group + 64);
      for (uint32_t l = 0; l < kLanes; ++l) {
        int32_t query;
        __builtin_memcpy(&query, lanes[l]->codes + g * kScanGroup, sizeof(query));
        const __m512i repeated = _mm512_set1_epi32(query);
        sums[l][0] = _mm512_dpbusd_epi32(sums[l][0], low, repeated);
        sums[l][1] = _mm512_dpbusd_epi32(sums[l][1], high, repeated);
      }
    }
    const uint32_t item = b * kScanBlock;
    for (uint32_t l = 0; l < kLanes; ++l) {
      keep(*lanes[l], sums[l][0], items.scales + item, items.first + item);
      keep(*lanes[l], sums[l][1], items.scales + item + kHalf, items.first + item + kHalf);
    }
    codes += items.groups * kGroupBytes;
    ahead += items.groups * kGroupBytes;
  }
}

}  // namespace

void scan_avx512(const ScanItems& items, ScanLane* const* lanes, uint32_t lane_count) {
  for (uint32_t l = 0; l < lane_count; ++l) lanes[l]->count = 0;
  for (; lane_count >= 8; lane_count -= 8, lanes += 8) scan_lanes<8>(items, lanes);
  if (lane_count >= 4) {
    scan_lanes<4>(items, lanes);
    lane_count -= 4;
    lanes += 4;
  }
  if (lane_count >= 2) {
    scan_lanes<2>(items, lanes);
    lane_count -= 2;
    lanes += 2;
  }
  if (lane_count == 1) scan_lanes<1>(items, lanes);
}

}  // namespace feedrank
