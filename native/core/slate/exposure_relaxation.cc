#include "slate/exposure_relaxation.h"

#include <cmath>
#include <limits>

namespace feedrank {

std::vector<uint32_t> ExposureRelaxation::sorted(std::span<const double> multipliers) const {
  const size_t count = problem_.classes.size();
  std::vector<double> bonus(count, 0.0);
  for (size_t c = 0; c < count; ++c) {
    for (size_t g = 0; g < multipliers.size(); ++g) {
      if ((problem_.classes[c].groups >> g & 1) != 0) bonus[c] += multipliers[g];
    }
  }
  std::vector<size_t> next(count, 0);
  std::vector<uint32_t> classes(problem_.exposures.size(), 0);
  for (uint32_t& chosen : classes) {
    double best = -std::numeric_limits<double>::infinity();
    for (uint32_t c = 0; c < count; ++c) {
      const std::vector<double>& relevance = problem_.classes[c].relevance;
      if (next[c] < relevance.size() && relevance[next[c]] + bonus[c] > best) {
        best = relevance[next[c]] + bonus[c];
        chosen = c;
      }
    }
    ++next[chosen];
  }
  return classes;
}

double ExposureRelaxation::exposure(std::span<const uint32_t> classes, size_t group) const {
  double sum = 0;
  for (size_t p = 0; p < classes.size(); ++p) {
    if ((problem_.classes[classes[p]].groups >> group & 1) != 0) sum += problem_.exposures[p];
  }
  return sum;
}

ExposureRelaxation::Bracket ExposureRelaxation::bracket(std::vector<double> multipliers,
                                                        size_t group) const {
  const ExposureBand& band = problem_.bands[group];
  const auto at = [&](double multiplier) {
    multipliers[group] = multiplier;
    return exposure(sorted(multipliers), group);
  };
  // Beyond this, all members stand before all others, or behind them.
  double most = 2;
  for (size_t g = 0; g < multipliers.size(); ++g) {
    if (g != group) most += std::abs(multipliers[g]);
  }
  const double unaided = at(0);
  if (unaided >= band.low && unaided <= band.high) return {0, 0, false, true};
  const bool rising = unaided < band.low;
  const auto reached = [&](double multiplier) {
    return rising ? at(multiplier) >= band.low : at(multiplier) <= band.high;
  };
  double before = 0;
  double after = rising ? most : -most;
  if (!reached(after)) return {after, after, rising, false};
  // Differences of relevance below this are as good as ties.
  constexpr double kFinest = 1e-13;
  while (std::abs(after - before) > kFinest * most) {
    const double middle = before + (after - before) / 2;
    (reached(middle) ? after : before) = middle;
  }
  return {before, after, rising, true};
}

}  // namespace feedrank
