#include "slate/exposure_repair.h"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace feedrank {
namespace {

constexpr size_t kWindow = 128;
constexpr int kMostChanges = 32;
/// Up to this length, a pattern within its bands is improved as well; in longer ones the steps of
/// the relaxation are so fine that there is little to gain.
constexpr size_t kShort = 16;
/// Violations this close count as equal, so that the cost decides between them.
constexpr double kAlike = 1e-9;

struct Change {
  size_t position = 0;
  uint32_t replacement = 0;  // the class that the position gets
  size_t other = SIZE_MAX;   // the position that gets the first one's class; SIZE_MAX: none
};

void apply(const Change& change, std::vector<uint32_t>& classes) {
  if (change.other != SIZE_MAX) classes[change.other] = classes[change.position];
  classes[change.position] = change.replacement;
}

class Repair {
 public:
  explicit Repair(const ExposureProblem& problem) : problem_(problem) {}

  double violation(std::span<const double> exposures) const {
    double sum = 0;
    for (size_t g = 0; g < exposures.size(); ++g) {
      const ExposureBand& band = problem_.bands[g];
      sum += std::max({0.0, band.low - exposures[g], exposures[g] - band.high});
    }
    return sum;
  }

  /// Makes the best single change; false where there is none.
  bool improve(std::vector<uint32_t>& classes) const {
    std::vector<double> exposures(problem_.bands.size(), 0.0);
    std::vector<size_t> used(problem_.classes.size(), 0);
    for (size_t p = 0; p < classes.size(); ++p) {
      move(exposures, classes[p], problem_.exposures[p]);
      ++used[classes[p]];
    }
    double nearest = violation(exposures);
    if (nearest <= kAlike && classes.size() > kShort) return false;
    double dearest = pattern_value(problem_, classes);
    Change best;
    bool found = false;
    const auto consider = [&](const Change& change) {
      std::vector<double>& after = scratch_;
      after = exposures;
      const double here = problem_.exposures[change.position];
      const double there = change.other == SIZE_MAX ? 0 : problem_.exposures[change.other];
      move(after, classes[change.position], there - here);
      move(after, change.replacement, here - there);
      const double violated = violation(after);
      if (violated > nearest + kAlike) return;
      std::vector<uint32_t> changed = classes;
      apply(change, changed);
      const double value = pattern_value(problem_, changed);
      if (violated < nearest - kAlike || value > dearest + kAlike) {
        nearest = violated;
        dearest = value;
        best = change;
        found = true;
      }
    };
    const size_t first = classes.size() > kWindow ? classes.size() - kWindow : 0;
    for (size_t p = first; p < classes.size(); ++p) {
      for (size_t q = p + 1; q < classes.size(); ++q) {
        if (classes[p] != classes[q]) consider({p, classes[q], q});
      }
      for (uint32_t c = 0; c < problem_.classes.size(); ++c) {
        if (c != classes[p] && used[c] < problem_.classes[c].relevance.size()) {
          consider({p, c, SIZE_MAX});
        }
      }
    }
    if (found) apply(best, classes);
    return found;
  }

 private:
  void move(std::vector<double>& exposures, uint32_t from_class, double exposure) const {
    const uint32_t groups = problem_.classes[from_class].groups;
    for (size_t g = 0; g < exposures.size(); ++g) {
      if ((groups >> g & 1) != 0) exposures[g] += exposure;
    }
  }

  const ExposureProblem& problem_;
  mutable std::vector<double> scratch_;
};

}  // namespace

void repair_exposure(const ExposureProblem& problem, std::vector<uint32_t>& classes) {
  const Repair repair(problem);
  for (int change = 0; change < kMostChanges && repair.improve(classes); ++change) {
  }
}

}  // namespace feedrank
