#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "slate/exposure_pattern.h"

namespace feedrank {

/// Branch and bound for one group: the pattern of most value whose exposure lies in a band. What
/// the rest of a slate can be worth is bounded by its Lagrangian relaxation, whose gap is small, so
/// few branches are followed.
class ExposureSearch {
 public:
  /// `members` and `others` are relevances, best first; together at least as many as `exposures`.
  ExposureSearch(std::span<const double> exposures, std::span<const double> members,
                 std::span<const double> others, double multiplier);

  /// For each position 1 for a member and 0 for another, of more value than `least` where that is
  /// given; nothing where there is no such pattern, or none was found in `steps`.
  std::optional<std::vector<uint8_t>> best(const ExposureBand& band, std::optional<double> least,
                                           uint32_t steps);

 private:
  double& bound(size_t position, size_t taken) {
    return bounds_[position * (exposures_.size() + 1) + taken];
  }
  double with_member(size_t position, size_t taken);
  double with_other(size_t position, size_t taken);
  void descend(size_t position, size_t taken, double exposure, double value);
  bool may_reach_band(size_t position, size_t taken, double exposure) const;

  std::span<const double> exposures_;
  std::span<const double> members_;
  std::span<const double> others_;
  double multiplier_;
  std::vector<double> bounds_;  // [position][members taken]: of value + multiplier · exposure
  std::vector<double> before_;  // [position]: exposure of the positions before it

  ExposureBand band_;
  double edge_ = 0;  // of the band, which the multiplier presses against
  double least_ = 0;
  uint32_t steps_left_ = 0;
  std::vector<uint8_t> path_;
  std::optional<std::vector<uint8_t>> found_;
};

}  // namespace feedrank
