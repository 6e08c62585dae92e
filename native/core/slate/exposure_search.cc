#include "slate/exposure_search.h"

#include <algorithm>
#include <limits>

namespace feedrank {
namespace {

constexpr double kImpossible = -std::numeric_limits<double>::infinity();
/// Sums of the same numbers in another order differ by less than this.
constexpr double kRounding = 1e-12;

}  // namespace

ExposureSearch::ExposureSearch(std::span<const double> exposures, std::span<const double> members,
                               std::span<const double> others, double multiplier)
    : exposures_(exposures),
      members_(members),
      others_(others),
      multiplier_(multiplier),
      bounds_((exposures.size() + 1) * (exposures.size() + 1), 0.0),
      before_(exposures.size() + 1, 0.0),
      path_(exposures.size()) {
  for (size_t p = 0; p < exposures.size(); ++p) before_[p + 1] = before_[p] + exposures[p];
  for (size_t p = exposures.size(); p-- > 0;) {
    for (size_t taken = 0; taken <= p; ++taken) {
      bound(p, taken) = std::max(with_member(p, taken), with_other(p, taken));
    }
  }
}

double ExposureSearch::with_member(size_t position, size_t taken) {
  if (taken >= members_.size()) return kImpossible;
  return exposures_[position] * (members_[taken] + multiplier_) + bound(position + 1, taken + 1);
}

double ExposureSearch::with_other(size_t position, size_t taken) {
  if (position - taken >= others_.size()) return kImpossible;
  return exposures_[position] * others_[position - taken] + bound(position + 1, taken);
}

std::optional<std::vector<uint8_t>> ExposureSearch::best(const ExposureBand& band,
                                                         std::optional<double> least,
                                                         uint32_t steps) {
  band_ = band;
  // For any pattern in the band, value ≤ max(value + λ · exposure) − λ · edge.
  edge_ = multiplier_ >= 0 ? band.low : band.high;
  least_ = least.value_or(kImpossible);
  steps_left_ = steps;
  found_.reset();
  descend(0, 0, 0, 0);
  return found_;
}

bool ExposureSearch::may_reach_band(size_t position, size_t taken, double exposure) const {
  const size_t end = exposures_.size();
  // The most exposure: members as long as there are any. The least: members only where the others
  // have run out, at the end.
  const size_t members = std::min(end - position, members_.size() - taken);
  const size_t others = std::min(end - position, others_.size() - (position - taken));
  const double most = exposure + before_[position + members] - before_[position];
  const double least = exposure + before_[end] - before_[position + others];
  return most >= band_.low - kRounding && least <= band_.high + kRounding;
}

void ExposureSearch::descend(size_t position, size_t taken, double exposure, double value) {
  if (steps_left_ == 0) return;
  --steps_left_;
  if (!may_reach_band(position, taken, exposure)) return;
  const double most = value + multiplier_ * exposure + bound(position, taken) - multiplier_ * edge_;
  if (most <= least_ + kRounding) return;
  if (position == exposures_.size()) {
    if (value <= least_) return;
    least_ = value;
    found_ = path_;
    return;
  }
  const double member = with_member(position, taken);
  const double other = with_other(position, taken);
  for (const bool is_member : {member > other, !(member > other)}) {
    if ((is_member ? member : other) == kImpossible) continue;
    path_[position] = is_member ? 1 : 0;
    const double here = exposures_[position];
    if (is_member) {
      descend(position + 1, taken + 1, exposure + here, value + here * members_[taken]);
    } else {
      descend(position + 1, taken, exposure, value + here * others_[position - taken]);
    }
  }
}

}  // namespace feedrank
