#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace feedrank {

/// What the members of one group should have of the exposure of a slate's free positions.
struct ExposureBand {
  double low = 0;
  double high = 0;
};

/// The items that belong to the same groups.
struct ExposureClass {
  uint32_t groups = 0;            // bit g: members of group g
  std::vector<double> relevance;  // in [0, 1], best first
};

struct ExposureProblem {
  std::vector<double> exposures;       // [free position], falling
  std::vector<ExposureBand> bands;     // [group], at most 32
  std::vector<ExposureClass> classes;  // with at least as many items as there are free positions
};

/// Which class each free position takes from.
struct ExposurePattern {
  std::vector<uint32_t> classes;    // [free position], a place in ExposureProblem::classes
  std::vector<double> multipliers;  // [group]: what its members' relevance was raised by
};

/// How far a pattern is from the bands, summed over groups; 0 where it keeps them all.
double exposure_violation(const ExposureProblem& problem, std::span<const uint32_t> classes);

/// Σ exposure · relevance, each class giving its items best first.
double pattern_value(const ExposureProblem& problem, std::span<const uint32_t> classes);

/// The pattern of most value within the bands; where there is none, one as near to them as is
/// found.
///
/// For multipliers λ, the slate in order of relevance + Σ λ of the item's groups is the best of all
/// of its exposures (rearrangement inequality; Lagrange multipliers as in Everett 1963). With one
/// group, λ is bisected, and a branch-and-bound over the last 64 positions, bounded by that
/// relaxation, then finds the exact optimum over them (all positions of most slates); it gives up
/// improving after a fixed number of steps. With several groups, λ is bisected group by group, and
/// what the steps of the relaxation leave is mended by the cheapest swaps: best effort.
ExposurePattern plan_exposure(const ExposureProblem& problem);

}  // namespace feedrank
