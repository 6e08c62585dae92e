#pragma once

#include <algorithm>

namespace feedrank {

/// The share of its budget that a request may plan to spend: a quality factor in [kLeast, 1] that
/// settles where a given percentile of requests keeps its promise.
///
/// Each request that kept it adds d, each that broke it takes away d · p / (100 − p). The two
/// balance where p of 100 requests keep it, whatever the distribution of times is (stochastic
/// approximation of a quantile, Robbins and Monro 1951). So predictions need not be right on
/// average: what they leave out, such as a busy machine, is learnt here.
class QualityControl {
 public:
  /// Low enough that a prediction may be five times too hopeful; above 0, so that a service that
  /// cannot keep its promise still plans something.
  static constexpr double kLeast = 0.2;
  /// At p = 99.4 a broken promise costs a quarter, which 166 kept ones make good.
  static constexpr double kStep = 0.0015;

  double value() const { return value_; }

  /// `percentile` is above 0 and below 100; anything else is passed over.
  void record(bool kept, double percentile) {
    if (!(percentile > 0 && percentile < 100)) return;
    const double step = kept ? kStep : -kStep * percentile / (100 - percentile);
    value_ = std::clamp(value_ + step, kLeast, 1.0);
  }

 private:
  double value_ = 1;
};

}  // namespace feedrank
