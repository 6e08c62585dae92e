#include "retrieval/scan_coding.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

namespace feedrank {
namespace {

/// Sums and maxima run side by side: a single one would wait for itself at every step.
constexpr size_t kLanes = 4;
/// Values that are coded together, a multiple of kLanes.
constexpr size_t kTogether = 32;

float largest_of(std::span<const float> values) {
  std::array<float, kLanes> largest{};
  size_t d = 0;
  for (; d + kLanes <= values.size(); d += kLanes) {
    for (size_t l = 0; l < kLanes; ++l) {
      largest[l] = std::max(largest[l], std::abs(values[d + l]));
    }
  }
  for (; d < values.size(); ++d) largest[0] = std::max(largest[0], std::abs(values[d]));
  return *std::max_element(largest.begin(), largest.end());
}

double sum_of(const std::array<double, kLanes>& sums) {
  double sum = 0;
  for (const double part : sums) sum += part;
  return sum;
}

}  // namespace

CodedVector code_vector(std::span<const float> values, std::span<int8_t> codes) {
  constexpr float kMost = 127;
  // Products of smaller scales with what a scan multiplies them by would leave float32's range.
  constexpr float kLeastScale = 1e-30F;
  CodedVector coded;
  // As float32, because that is what a scan multiplies by.
  const float scale = std::max(largest_of(values) / kMost, kLeastScale);
  const float inverse = 1 / scale;
  coded.scale = scale;
  std::array<double, kLanes> squares{};
  std::array<double, kLanes> residual_squares{};
  std::array<int32_t, kLanes> code_squares{};
  // Steps of their own, each of which compilers have instructions for.
  std::array<float, kTogether> some{};
  std::array<int32_t, kTogether> code;
  for (size_t begin = 0; begin < values.size(); begin += kTogether) {
    const size_t count = std::min(kTogether, values.size() - begin);
    if (count < kTogether) some.fill(0);
    std::memcpy(some.data(), &values[begin], count * sizeof(float));
    for (size_t i = 0; i < kTogether; ++i) {
      const float steps = some[i] * inverse;
      // Any whole number will do, as the residual is taken of the one that was chosen. None is
      // beyond kMost: three roundings take no product from there to the next half.
      code[i] = static_cast<int32_t>(steps + std::copysign(0.5F, steps));
    }
    for (size_t i = 0; i < kTogether; i += kLanes) {
      for (size_t l = 0; l < kLanes; ++l) {
        const double value = some[i + l];
        const double residual = value - coded.scale * code[i + l];
        squares[l] += value * value;
        residual_squares[l] += residual * residual;
        code_squares[l] += code[i + l] * code[i + l];
      }
    }
    for (size_t i = 0; i < count; ++i) codes[begin + i] = static_cast<int8_t>(code[i]);
  }
  std::fill(codes.begin() + static_cast<ptrdiff_t>(values.size()), codes.end(), int8_t{0});
  double code_sum = 0;
  for (const int32_t part : code_squares) code_sum += part;
  coded.norm = std::sqrt(sum_of(squares));
  coded.code_norm = std::sqrt(code_sum);
  coded.residual = std::sqrt(sum_of(residual_squares)) / coded.scale;
  return coded;
}

}  // namespace feedrank
