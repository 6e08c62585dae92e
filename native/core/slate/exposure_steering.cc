#include "slate/exposure_steering.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "catalog/catalog.h"

namespace feedrank {

ExposureSteering::ExposureSteering(const SelectionPool& pool,
                                   std::span<const ExposureTarget> targets, size_t length)
    : pool_(pool), targets_(targets), length_(length), groups_(pool.size(), 0) {
  const StringTable& strings = pool.snapshot().catalog().strings();
  for (size_t t = 0; t < targets.size(); ++t) {
    const uint32_t code = strings.find(targets[t].value);
    if (code == StringTable::kNone) continue;
    for (size_t item = 0; item < pool.size(); ++item) {
      if (pool.label(item, targets[t].label) == code) groups_[item] |= 1U << t;
    }
  }
}

double ExposureSteering::share(size_t target, std::span<const uint32_t> slate) const {
  const std::vector<double> exposures = position_exposures(slate.size());
  double all = 0;
  double members = 0;
  for (size_t p = 0; p < slate.size(); ++p) {
    all += exposures[p];
    if ((groups_[slate[p]] >> target & 1) != 0) members += exposures[p];
  }
  return all > 0 ? members / all : 0;
}

double ExposureSteering::violation(std::span<const uint32_t> slate) const {
  // A plan keeps within its bands but for the rounding of sums.
  constexpr double kRounding = 1e-9;
  double sum = 0;
  for (size_t t = 0; t < targets_.size(); ++t) {
    const double missed =
        std::abs(share(t, slate) - targets_[t].share) - targets_[t].tolerance - kRounding;
    sum += std::max(0.0, missed);
  }
  return sum;
}

bool ExposureSteering::has_members(size_t target) const {
  return std::any_of(groups_.begin(), groups_.end(),
                     [target](uint32_t groups) { return (groups >> target & 1) != 0; });
}

void ExposureSteering::plan(std::span<const uint32_t> slate, const SlateRules& rules) {
  wanted_.resize(std::min(wanted_.size(), slate.size()));
  wanted_.resize(slate.size(), 0);
  const size_t free = length_ > slate.size() ? length_ - slate.size() : 0;
  std::vector<uint8_t> taken(pool_.size(), 0);
  for (const uint32_t item : slate) taken[item] = 1;

  // Each class on its own, as far as the caps let it go: what one takes of an author that it shares
  // with another is not known before the slate is made.
  ExposureProblem problem;
  std::vector<SlateRules> rules_of;
  size_t available = 0;
  for (uint32_t item = 0; item < pool_.size(); ++item) {
    if (taken[item] != 0) continue;
    size_t c = 0;
    while (c < problem.classes.size() && problem.classes[c].groups != groups_[item]) ++c;
    if (c == problem.classes.size()) {
      problem.classes.push_back({groups_[item], {}});
      rules_of.push_back(rules);
    }
    std::vector<double>& relevance = problem.classes[c].relevance;
    if (relevance.size() == free || !rules_of[c].within_caps(item)) continue;
    rules_of[c].take(item, slate.size() + relevance.size());
    relevance.push_back(pool_.relevance(item));
    ++available;
  }

  const std::vector<double> exposures = position_exposures(length_);
  const double total = std::accumulate(exposures.begin(), exposures.end(), 0.0);
  const size_t planned = std::min(free, available);
  problem.exposures.assign(exposures.begin() + static_cast<ptrdiff_t>(slate.size()),
                           exposures.begin() + static_cast<ptrdiff_t>(slate.size() + planned));
  for (size_t t = 0; t < targets_.size(); ++t) {
    double had = 0;
    for (size_t p = 0; p < slate.size(); ++p) {
      if ((groups_[slate[p]] >> t & 1) != 0) had += exposures[p];
    }
    problem.bands.push_back({(targets_[t].share - targets_[t].tolerance) * total - had,
                             (targets_[t].share + targets_[t].tolerance) * total - had});
  }
  const ExposurePattern pattern = plan_exposure(problem);
  multipliers_ = pattern.multipliers;
  for (const uint32_t c : pattern.classes) wanted_.push_back(problem.classes[c].groups);
}

bool ExposureSteering::fits(size_t item, size_t position) const {
  return position >= wanted_.size() || wanted_[position] == groups_[item];
}

double ExposureSteering::bonus(size_t item) const {
  double sum = 0;
  for (size_t t = 0; t < multipliers_.size(); ++t) {
    if ((groups_[item] >> t & 1) != 0) sum += multipliers_[t];
  }
  return sum;
}

}  // namespace feedrank
