#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace feedrank {

/// Forward decay (Cormode et al. 2009, "Forward decay: a practical time decay model for streaming
/// systems"): an event at `at` adds 2^((at − landmark) / half-life) to a sum, and the sum's value
/// at `now` is sum · 2^((landmark − now) / half-life). Landmarks lie on a grid of 32 half-lives, so
/// that moving one scales a sum by a power of two, which is exact: when it moved leaves no trace.
class DecayGrid {
 public:
  /// Half-lives from one landmark to the next.
  static constexpr int64_t kStep = 32;

  explicit DecayGrid(int64_t half_life_ms) : half_life_(half_life_ms) {}

  int64_t half_life() const { return half_life_; }

  int64_t landmark_of(int64_t at) const {
    const int64_t step = kStep * half_life_;
    const int64_t index = at / step - (at % step < 0 ? 1 : 0);
    return index;
  }

  /// The weight that an event at `at` adds to a sum with this landmark.
  double weight(int64_t at, int64_t landmark) const {
    return std::exp2(static_cast<double>(at - time_of(landmark)) / static_cast<double>(half_life_));
  }

  /// What a sum with this landmark is multiplied by to give its value at `now`.
  double decay(int64_t now, int64_t landmark) const {
    return std::exp2(static_cast<double>(time_of(landmark) - now) /
                     static_cast<double>(half_life_));
  }

  /// The value of a sum after its landmark moved.
  static double moved(double sum, int64_t from, int64_t to) {
    // Beyond this many doublings any double is 0 or infinite already.
    constexpr int64_t kMost = 4096;
    return std::ldexp(sum, static_cast<int>(std::clamp((from - to) * kStep, -kMost, kMost)));
  }

 private:
  int64_t time_of(int64_t landmark) const { return landmark * kStep * half_life_; }

  int64_t half_life_;
};

}  // namespace feedrank
