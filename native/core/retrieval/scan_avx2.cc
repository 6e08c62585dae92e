#include <immintrin.h>

#include "retrieval/scan_kernel.h"

// Compiled with -mavx2; nothing else may call into it without asking the processor.

namespace feedrank {
namespace {

constexpr uint32_t kHalf = kScanBlock / 2;
constexpr uint32_t kGroupBytes = kScanBlock * kScanGroup;

/// Takes sums of four dimensions, kept as two halves side by side, to one sum an item.
inline __m256i joined(__m256i a, __m256i b) {
  return _mm256_permute4x64_epi64(_mm256_hadd_epi32(a, b), _MM_SHUFFLE(3, 1, 2, 0));
}

inline void keep(ScanLane& lane, __m256i dots, const float* scales, uint32_t position) {
  const __m256i dot = _mm256_sub_epi32(dots, _mm256_set1_epi32(lane.offset));
  const __m256 most =
      _mm256_mul_ps(_mm256_load_ps(scales),
                    _mm256_add_ps(_mm256_mul_ps(_mm256_cvtepi32_ps(dot), _mm256_set1_ps(lane.unit)),
                                  _mm256_set1_ps(lane.allowance)));
  auto mask = static_cast<uint32_t>(
      _mm256_movemask_ps(_mm256_cmp_ps(most, _mm256_set1_ps(lane.least), _CMP_GE_OQ)));
  if (mask == 0) return;
  alignas(32) int32_t values[8];
  _mm256_store_si256(reinterpret_cast<__m256i*>(values), dot);
  for (; mask != 0; mask &= mask - 1) {
    const auto i = static_cast<uint32_t>(__builtin_ctz(mask));
    lane.positions[lane.count] = position + i;
    lane.dots[lane.count] = values[i];
    ++lane.count;
  }
}

template <uint32_t kLanes>
void scan_lanes(const ScanItems& items, ScanLane* const* lanes) {
  const uint8_t* codes = items.codes;
  const uint8_t* ahead = items.ahead;
  for (uint32_t b = 0; b < items.blocks; ++b) {
    for (uint32_t half = 0; half < 2; ++half) {
      __m256i sums[kLanes][4];
      for (uint32_t l = 0; l < kLanes; ++l) {
        for (uint32_t p = 0; p < 4; ++p) sums[l][p] = _mm256_setzero_si256();
      }
      const uint8_t* part = codes + half * (kHalf * kScanGroup);
      for (uint32_t g = 0; g < items.groups; ++g) {
        const auto* from = reinterpret_cast<const __m128i*>(part + g * kGroupBytes);
        _mm_prefetch(ahead + half * (kHalf * kScanGroup) + g * kGroupBytes, _MM_HINT_T0);
        __m256i wide[4];
        for (uint32_t p = 0; p < 4; ++p) wide[p] = _mm256_cvtepu8_epi16(_mm_load_si128(from + p));
        for (uint32_t l = 0; l < kLanes; ++l) {
          long long query;
          __builtin_memcpy(&query, lanes[l]->wide_codes + g * kScanGroup, sizeof(query));
          const __m256i repeated = _mm256_set1_epi64x(query);
          for (uint32_t p = 0; p < 4; ++p) {
            sums[l][p] = _mm256_add_epi32(sums[l][p], _mm256_madd_epi16(wide[p], repeated));
          }
        }
      }
      const uint32_t item = b * kScanBlock + half * kHalf;
      for (uint32_t l = 0; l < kLanes; ++l) {
        keep(*lanes[l], joined(sums[l][0], sums[l][1]), items.scales + item, items.first + item);
        keep(*lanes[l], joined(sums[l][2], sums[l][3]), items.scales + item + 8,
             items.first + item + 8);
      }
    }
    codes += items.groups * kGroupBytes;
    ahead += items.groups * kGroupBytes;
  }
}

}  // namespace

void scan_avx2(const ScanItems& items, ScanLane* const* lanes, uint32_t lane_count) {
  for (uint32_t l = 0; l < lane_count; ++l) lanes[l]->count = 0;
  for (; lane_count >= 2; lane_count -= 2, lanes += 2) scan_lanes<2>(items, lanes);
  if (lane_count == 1) scan_lanes<1>(items, lanes);
}

}  // namespace feedrank
