#pragma once

#include <span>
#include <vector>

#include "slate/exposure_pattern.h"

namespace feedrank {

/// The best slate for given multipliers, and the multipliers that bring a group into its band.
class ExposureRelaxation {
 public:
  explicit ExposureRelaxation(const ExposureProblem& problem) : problem_(problem) {}

  /// Classes in order of relevance + Σ multipliers of their groups.
  std::vector<uint32_t> sorted(std::span<const double> multipliers) const;

  /// The exposure of one group's members.
  double exposure(std::span<const uint32_t> classes, size_t group) const;

  struct Bracket {
    double low = 0;  // the multiplier just before the group's exposure reaches the band
    double high = 0;
    bool rising = false;   // whether more exposure was wanted than without this multiplier
    bool crossed = false;  // whether the near edge of the band was reached at all
  };
  /// The smallest change from 0 of one group's multiplier that brings its exposure to the near edge
  /// of its band, all else equal. Exposure rises with the multiplier, so it is bisected.
  Bracket bracket(std::vector<double> multipliers, size_t group) const;

 private:
  const ExposureProblem& problem_;
};

}  // namespace feedrank
