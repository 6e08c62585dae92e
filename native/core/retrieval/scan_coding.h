#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace feedrank {

/// A vector as scale · codes, and what that leaves out. By Cauchy and Schwarz the product with any
/// other vector y is wrong by at most residual · scale · ‖y‖.
struct CodedVector {
  double scale = 0;
  double norm = 0;       // ‖x‖
  double code_norm = 0;  // ‖codes‖
  double residual = 0;   // ‖x − scale · codes‖ / scale
};

/// Codes a vector by whole numbers from −127 to 127, `codes` as long as `values` and more where the
/// rest is to be 0. Vectors of any finite values can be coded; of those shorter than about 1e-28
/// less is left.
CodedVector code_vector(std::span<const float> values, std::span<int8_t> codes);

/// The float32 next above a number, whatever the conversion rounds to: for bounds.
inline float rounded_up(double value) {
  return std::nextafter(static_cast<float>(value), std::numeric_limits<float>::infinity());
}

}  // namespace feedrank
