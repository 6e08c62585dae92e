#include "retrieval/scan_coding.h"

#include <algorithm>
#include <cmath>

namespace feedrank {

CodedVector code_vector(std::span<const float> values, std::span<int8_t> codes) {
  constexpr double kMost = 127;
  // Products of smaller scales with what a scan multiplies them by would leave float32's range.
  constexpr double kLeastScale = 1e-30;
  float largest = 0;
  for (const float value : values) largest = std::max(largest, std::abs(value));
  CodedVector coded;
  // As float32, because that is what a scan multiplies by.
  coded.scale = static_cast<float>(std::max(double{largest} / kMost, kLeastScale));
  const double inverse = 1 / coded.scale;
  double squares = 0;
  double residual_squares = 0;
  int64_t code_squares = 0;
  for (size_t d = 0; d < values.size(); ++d) {
    const double value = values[d];
    const double steps = value * inverse;
    // Any whole number will do, as the residual is taken of the one that was chosen.
    const auto code =
        static_cast<int32_t>(std::clamp(steps + std::copysign(0.5, steps), -kMost, kMost));
    const double residual = value - coded.scale * code;
    codes[d] = static_cast<int8_t>(code);
    squares += value * value;
    residual_squares += residual * residual;
    code_squares += int64_t{code} * code;
  }
  std::fill(codes.begin() + static_cast<ptrdiff_t>(values.size()), codes.end(), int8_t{0});
  coded.norm = std::sqrt(squares);
  coded.code_norm = std::sqrt(static_cast<double>(code_squares));
  coded.residual = std::sqrt(residual_squares) * inverse;
  return coded;
}

}  // namespace feedrank
