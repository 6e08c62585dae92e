#pragma once

#include <vector>

namespace feedrank {

/// Mean and standard deviation of one feature over a reference set.
struct Standardisation {
  double mean = 0;
  double deviation = 0;  // 0 where the values are equal, or there are none

  /// Of the values, which are sorted for it: so it does not depend on the order in which they came.
  /// Values that differ by no more than counters do whose events came in another order (1e-9
  /// relative) are equal, or rounding would be blown up to whole deviations.
  static Standardisation of(std::vector<double>& values);

  /// (x − mean) / deviation; 0 where the deviation is 0.
  double apply(double value) const { return deviation > 0 ? (value - mean) / deviation : 0.0; }
};

}  // namespace feedrank
