#include "retrieval/expected_cosines.h"

#include <algorithm>
#include <cmath>

// Compiled without errno for square roots, so that the loop becomes one over vectors.

namespace feedrank {

#if defined(__x86_64__)
// No product is fused with a sum, so all give the same bits.
__attribute__((target_clones("avx512f", "avx2", "default")))
#endif
void expected_cosines(const InvertedLists& lists, const QueryDirection& query, const int32_t* dots,
                      const ExpectedCosines& out) {
  // More than the rounding of a sine that is a square root of what 1 leaves of a square.
  constexpr float kRounding = 1e-3F;
  const auto count = static_cast<uint32_t>(lists.newest.size());
  const float* inverse_norms = lists.centroids->inverse_norms();
  const float* radii = lists.radius.data();
  const float* relative_norms = lists.relative_norm.data();
  float* __restrict__ cosines = out.cosines;
  float* __restrict__ reaches = out.reaches;
  for (uint32_t l = 0; l < count; ++l) {
    const float cosine = static_cast<float>(dots[l]) * (inverse_norms[l] * query.inverse_norm);
    const float sine = std::sqrt(std::max(0.0F, 1 - cosine * cosine));
    // The nearest that the query itself may be to the centroid.
    const float near_cosine = cosine * query.deviation_cosine + sine * query.deviation_sine;
    const float near_sine = sine * query.deviation_cosine - cosine * query.deviation_sine;
    // The sine and the cosine of half the narrowed radius, which is at most π / 2: Taylor's series
    // to within 4e-6.
    const float half = 0.5F * query.effort * radii[l];
    const float square = half * half;
    const float half_sine =
        half * (1 - square * (1.0F / 6) *
                        (1 - square * (1.0F / 20) *
                                 (1 - square * (1.0F / 42) * (1 - square * (1.0F / 72)))));
    const float half_cosine = std::sqrt(std::max(0.0F, 1 - half_sine * half_sine));
    const float radius_cosine = 1 - 2 * half_sine * half_sine;
    const float radius_sine = 2 * half_sine * half_cosine;
    const float apart = near_cosine * radius_cosine + near_sine * radius_sine;
    const bool within = near_cosine >= radius_cosine || near_sine <= 0;
    const float expected = (within ? 1.0F : apart) + kRounding;
    cosines[l] = expected;
    reaches[l] = expected * relative_norms[l];
  }
  for (uint32_t l = 0; l < count; l += kScanBlock) {
    float most[kScanBlock];
    for (uint32_t i = 0; i < kScanBlock; ++i) most[i] = reaches[l + i];
    for (uint32_t half = kScanBlock / 2; half > 0; half /= 2) {
      for (uint32_t i = 0; i < half; ++i) most[i] = std::max(most[i], most[i + half]);
    }
    out.block_reaches[l / kScanBlock] = most[0];
  }
}

}  // namespace feedrank
