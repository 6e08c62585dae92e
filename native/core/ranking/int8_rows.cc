#include "ranking/int8_rows.h"

#include <algorithm>
#include <bit>
#include <limits>

namespace feedrank {
namespace {

/// A number's bits as an integer of the same order; it turns an integer back, too.
inline int32_t ordered(int32_t bits) { return bits ^ ((bits >> 31) & 0x7fffffff); }

inline int32_t key_of(float x) { return ordered(std::bit_cast<int32_t>(x)); }
inline float number_of(int32_t key) { return std::bit_cast<float>(ordered(key)); }

#if defined(__x86_64__) && defined(__GNUC__) && __GNUC__ >= 12
// No product is fused with a sum, so all give the same bits.
#define FEEDRANK_FOR_EACH_PROCESSOR \
  __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define FEEDRANK_FOR_EACH_PROCESSOR
#endif

/// What rounds a number of up to 2²² to an integer where it is added.
constexpr float kRounder = 0x1.8p23F;

}  // namespace

FEEDRANK_FOR_EACH_PROCESSOR
RowRange range_of(const float* x, size_t width) {
  RowRange range;
  for (size_t i = 0; i < width; ++i) {
    const int32_t key = key_of(x[i]);
    range.least = std::min(range.least, key);
    range.greatest = std::max(range.greatest, key);
  }
  return range;
}

FEEDRANK_FOR_EACH_PROCESSOR
RowScale quantize_row(const float* x, size_t width, RowRange range, int32_t most, uint8_t* codes) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  if (range.least <= key_of(-kInfinity) || range.greatest >= key_of(kInfinity)) {
    std::fill_n(codes, width, uint8_t{0});
    return {std::numeric_limits<float>::quiet_NaN(), 0};
  }
  const float low = number_of(range.least);
  const float high = number_of(range.greatest);
  const auto parts = static_cast<float>(most);
  const float step = high / parts - low / parts;
  // Steps of fewer bits than a number has, whose inverse may be infinite.
  if (step < std::numeric_limits<float>::min()) {
    std::fill_n(codes, width, uint8_t{0});
    return {1, 0};
  }
  const float inverse = 1 / step;
  const float zero = (kRounder - low * inverse) - kRounder;
  const int32_t offset = static_cast<int32_t>(zero) - std::bit_cast<int32_t>(kRounder);
  for (size_t i = 0; i < width; ++i) {
    const int32_t code = std::bit_cast<int32_t>(x[i] * inverse + kRounder) + offset;
    codes[i] = static_cast<uint8_t>(std::min(std::max(code, 0), most));
  }
  return {step, zero};
}

FEEDRANK_FOR_EACH_PROCESSOR
RowRange rescale_row(const float* sums, size_t width, RowScale row, const OutputScales& outputs,
                     bool relu, float* result) {
  float* __restrict__ y = result;
  const float* step = outputs.step;
  const float* weight_sums = outputs.weight_sums;
  const float* bias = outputs.bias;
  // NaN is not less.
  const float least = relu ? 0 : -std::numeric_limits<float>::infinity();
  RowRange range;
  for (size_t i = 0; i < width; ++i) {
    const float value = (sums[i] - row.zero * weight_sums[i]) * (row.step * step[i]) + bias[i];
    y[i] = value < least ? least : value;
    const int32_t key = key_of(y[i]);
    range.least = std::min(range.least, key);
    range.greatest = std::max(range.greatest, key);
  }
  return range;
}

}  // namespace feedrank
