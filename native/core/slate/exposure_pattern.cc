#include "slate/exposure_pattern.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "slate/exposure_relaxation.h"
#include "slate/exposure_repair.h"
#include "slate/exposure_search.h"

namespace feedrank {
namespace {

/// Positions whose classes are searched through, from the last one back; those before them keep
/// what the relaxation gives them. It bounds the tables, which are of its square.
constexpr size_t kSearched = 64;
constexpr uint32_t kSteps = 5'000;
/// Halvings of the distance to a band that cannot be reached.
constexpr int kHalvings = 6;
constexpr int kRounds = 8;

/// Among slates that the multiplier makes equally good, from the one that has less of the group to
/// the one that has more: the first positions of one and the last of the other. Gives the one
/// nearest to the bands.
std::vector<uint32_t> nearest_mixture(const ExposureProblem& problem,
                                      const ExposureRelaxation& relaxation,
                                      const std::vector<double>& before,
                                      const std::vector<double>& after) {
  std::vector<uint32_t> nearest = relaxation.sorted(after);
  double least = exposure_violation(problem, nearest);
  std::vector<uint32_t> start = relaxation.sorted(before);
  if (const double found = exposure_violation(problem, start); found < least) {
    nearest = start;
    least = found;
  }
  if (least <= 0) return nearest;
  // The items of `start`'s first positions are taken; the rest is in `after`'s order.
  const auto mixture = [&](size_t kept) {
    ExposureProblem rest{
        {problem.exposures.begin() + static_cast<ptrdiff_t>(kept), problem.exposures.end()},
        problem.bands,
        problem.classes};
    std::vector<size_t> used(problem.classes.size(), 0);
    for (size_t p = 0; p < kept; ++p) ++used[start[p]];
    for (size_t c = 0; c < used.size(); ++c) {
      auto& relevance = rest.classes[c].relevance;
      relevance.erase(relevance.begin(), relevance.begin() + static_cast<ptrdiff_t>(used[c]));
    }
    std::vector<uint32_t> mixed(start.begin(), start.begin() + static_cast<ptrdiff_t>(kept));
    const std::vector<uint32_t> tail = ExposureRelaxation(rest).sorted(after);
    mixed.insert(mixed.end(), tail.begin(), tail.end());
    return mixed;
  };
  const bool rising = after[0] > before[0];
  size_t low = 0;
  size_t high = start.size();
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    std::vector<uint32_t> mixed = mixture(middle);
    const double found = exposure_violation(problem, mixed);
    const double exposure = relaxation.exposure(mixed, 0);
    if (found < least) {
      least = found;
      nearest = std::move(mixed);
      if (least <= 0) break;
    }
    // Keeping more of the start leaves the exposure nearer to the start's.
    const bool past = rising ? exposure > problem.bands[0].high : exposure < problem.bands[0].low;
    if (past) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return nearest;
}

/// Improves a pattern of one group to the best one, or to the nearest where the band is missed.
void search_one(const ExposureProblem& problem, double multiplier, std::vector<uint32_t>& classes) {
  const size_t first = classes.size() > kSearched ? classes.size() - kSearched : 0;
  // At most two classes: members of the group, and the others.
  std::vector<double> pools[2];
  uint32_t class_of[2] = {0, 0};
  for (uint32_t c = 0; c < problem.classes.size(); ++c) {
    const size_t member = problem.classes[c].groups & 1;
    class_of[member] = c;
    pools[member] = problem.classes[c].relevance;
  }
  double fixed_exposure = 0;
  double fixed_value = 0;
  for (size_t p = 0; p < first; ++p) {
    const size_t member = problem.classes[classes[p]].groups & 1;
    if (member == 1) fixed_exposure += problem.exposures[p];
    fixed_value += problem.exposures[p] * pools[member].front();
    pools[member].erase(pools[member].begin());
  }
  ExposureSearch search(std::span(problem.exposures).subspan(first), pools[1], pools[0],
                        multiplier);
  const auto find = [&](double wider, std::optional<double> least) {
    const ExposureBand band{problem.bands[0].low - fixed_exposure - wider,
                            problem.bands[0].high - fixed_exposure + wider};
    const auto found = search.best(band, least, kSteps);
    if (!found) return false;
    for (size_t p = first; p < classes.size(); ++p) classes[p] = class_of[(*found)[p - first]];
    return true;
  };
  double reachable = exposure_violation(problem, classes);
  if (reachable <= 0) {
    find(0, pattern_value(problem, classes) - fixed_value);
    return;
  }
  if (find(0, std::nullopt)) return;
  double unreachable = 0;
  for (int i = 0; i < kHalvings; ++i) {
    const double middle = (reachable + unreachable) / 2;
    if (find(middle, std::nullopt)) {
      reachable = std::min(middle, exposure_violation(problem, classes));
    } else {
      unreachable = middle;
    }
  }
}

}  // namespace

double exposure_violation(const ExposureProblem& problem, std::span<const uint32_t> classes) {
  const ExposureRelaxation relaxation(problem);
  double sum = 0;
  for (size_t g = 0; g < problem.bands.size(); ++g) {
    const double exposure = relaxation.exposure(classes, g);
    sum += std::max({0.0, problem.bands[g].low - exposure, exposure - problem.bands[g].high});
  }
  return sum;
}

double pattern_value(const ExposureProblem& problem, std::span<const uint32_t> classes) {
  std::vector<size_t> next(problem.classes.size(), 0);
  double sum = 0;
  for (size_t p = 0; p < classes.size(); ++p) {
    sum += problem.exposures[p] * problem.classes[classes[p]].relevance[next[classes[p]]++];
  }
  return sum;
}

ExposurePattern plan_exposure(const ExposureProblem& problem) {
  const ExposureRelaxation relaxation(problem);
  const size_t groups = problem.bands.size();
  ExposurePattern pattern{{}, std::vector<double>(groups, 0.0)};
  std::vector<double>& multipliers = pattern.multipliers;
  if (groups == 1) {
    const auto bracket = relaxation.bracket(multipliers, 0);
    multipliers[0] = bracket.high;
    pattern.classes = nearest_mixture(problem, relaxation, {bracket.low}, {bracket.high});
    if (bracket.crossed) search_one(problem, bracket.high, pattern.classes);
    return pattern;
  }
  double least = std::numeric_limits<double>::infinity();
  std::vector<double> trial = multipliers;
  for (int round = 0; round < kRounds && least > 0; ++round) {
    for (size_t g = 0; g < groups; ++g) trial[g] = relaxation.bracket(trial, g).high;
    std::vector<uint32_t> classes = relaxation.sorted(trial);
    const double violation = exposure_violation(problem, classes);
    if (violation < least) {
      least = violation;
      multipliers = trial;
      pattern.classes = std::move(classes);
    }
  }
  repair_exposure(problem, pattern.classes);
  return pattern;
}

}  // namespace feedrank
