#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>

namespace feedrank {

/// In which precision a catalog keeps numeric columns.
enum class ColumnPrecision { kFloat64, kFloat32 };

/// The nearest float32 that is finite; NaN of NaN.
inline float to_float32(double value) {
  constexpr double kMost = std::numeric_limits<float>::max();
  return static_cast<float>(std::clamp(value, -kMost, kMost));
}

/// One item's numeric columns as they are kept, NaN where missing; one of the two is null.
struct ItemColumns {
  const double* float64 = nullptr;
  const float* float32 = nullptr;

  double operator[](size_t column) const {
    return float32 != nullptr ? double{float32[column]} : float64[column];
  }

  /// Calls `visit` with the values from one column on, as they are kept.
  template <typename Visit>
  void from(size_t column, Visit&& visit) const {
    if (float32 != nullptr) {
      visit(float32 + column);
    } else {
      visit(float64 + column);
    }
  }
};

}  // namespace feedrank
